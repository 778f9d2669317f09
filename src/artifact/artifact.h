/*
 * Portable artifacts: write one to a destination, open one, verify one.
 *
 * Writing: artifact_create gives a segment sink for a source to push into; workers compress (and
 * hash) frames in parallel, one writer encrypts, hashes and stores them in order. artifact_commit
 * finishes: flush, manifest, publish under a free name, sync, read back. Freed without a commit,
 * nothing remains.
 */
#ifndef KEDGE_ARTIFACT_ARTIFACT_H
#define KEDGE_ARTIFACT_ARTIFACT_H

#include "base/mem.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct os;
struct progress;
struct store;
struct manifest;
struct segment;
struct segment_sink;
struct segment_source;
struct artifact_writer;
struct artifact_reader;

enum compression { COMPRESSION_NONE, COMPRESSION_ZSTD, COMPRESSION_GZIP };

struct compression_choice {
    enum compression kind;
    int level; /* 0: the kind's default (zstd 3, gzip 1 as ISA-L counts) */
};

/* "zstd", "zstd:1", "gzip", "none". ERROR_USAGE otherwise. */
int compression_parse(const char *text, struct compression_choice *ret_choice, struct error *err);

struct artifact_options {
    struct os *os;
    struct store *store;
    struct progress *progress; /* may be NULL; counts plain bytes that were compressed */
    const char *name;          /* database or target; made safe by the writer */
    int64_t moment_ns;         /* goes into the name */
    const char *part;          /* "files", or NULL */
    const char *kind;          /* "sqlite3", "sql", "tar" */
    struct compression_choice compression;
    int jobs; /* compressing threads, 1 to 256 */
    /* Encryption: to age1... keys, else by a passphrase; none of either: stored in plain. */
    const struct text_list *recipients; /* may be NULL */
    const char *passphrase;             /* may be NULL */
};

/* Begin an upload and start the threads. The writer is the caller's to free, committed or not.
 * ERROR_USAGE for options that cannot be; whatever the store says. */
int artifact_create(const struct artifact_options *options, struct artifact_writer **ret_writer,
                    struct error *err);

/* Borrowed; lives as long as the writer. For tar, members are pushed and nothing else: the index
 * member and the end of the archive are the writer's. */
struct segment_sink *artifact_sink(struct artifact_writer *writer);

/* Everything pushed becomes a published, durable, read-back artifact with its manifest. `manifest`
 * comes with what the caller knows (id, app, target, engine, ...); file, kind, sizes, checksum,
 * compression, encryption, index, frames and digest are filled in. On failure nothing is to be
 * seen. */
int artifact_commit(struct artifact_writer *writer, struct manifest *manifest, struct error *err);
void artifact_writer_free(struct artifact_writer *writer);

/* Remove an artifact from a destination: first its manifest, then the file. "Was not there" is
 * success. */
int artifact_remove(struct store *store, const char *file, struct error *err);

struct artifact_keys {
    struct text_list identities; /* AGE-SECRET-KEY-1... texts, read from --identity files */
    const char *passphrase;      /* or NULL */
    bool allow_scrypt;           /* work factors above 18 */
};

struct artifact_open_options {
    struct os *os;
    struct store *store;
    struct progress *progress;
    const char *file;                 /* the key in the store */
    const struct artifact_keys *keys; /* may be NULL */
    int jobs;
    bool ignore_manifest; /* read front to back */
    /* For level 2, may be NULL: sees every plain segment in order (`rows` is what the index says),
     * then NULL once. A -1 fails the verification. One call at a time, from any thread. */
    int (*checker)(void *context, const struct segment *segment, struct error *err);
    void *checker_context;
};

/* Opens the file and, if there, its manifest and index. A damaged manifest is ERROR_CORRUPT; none
 * at all is fine. ERROR_WRONG_KEY when no key opens it, with the hint which option to give. */
int artifact_open(const struct artifact_open_options *options, struct artifact_reader **ret_reader,
                  struct error *err);

/* NULL when the artifact has none. Borrowed. */
const struct manifest *artifact_manifest(const struct artifact_reader *reader);
/* Whether the manifest leads to a sum of every byte that is read: then a reader that knows its seal
 * need not hash the file too. */
bool artifact_proves_itself(const struct artifact_reader *reader);
struct segment_source *artifact_segments(struct artifact_reader *reader);
/* "sqlite3", "sql", "tar": from the manifest, else the name, else the first bytes; NULL when it is
 * none of them. */
const char *artifact_kind(const struct artifact_reader *reader);

void artifact_close(struct artifact_reader *reader);

/* Levels 0 to 2 (3 is service/verify's). */
struct verify_result {
    int level; /* highest passed, -1 for none */
    uint64_t stored_bytes;
    uint64_t plain_bytes;
    uint64_t rows; /* UINT64_MAX: not counted */
    uint64_t frames;
    char checksum[65];
    char seal[65];             /* of its manifest, "" when that is not as it was written */
    struct text_list warnings; /* e.g. above the maximum size */
};

void verify_result_clear(struct verify_result *result);

/* Prove `level` of the artifact options->file. -1 with ERROR_CORRUPT names the frame, offset or
 * field that is wrong; ret_result says how far it came, and must be cleared either way. Keys are
 * needed from level 2 on. */
int artifact_verify(const struct artifact_open_options *options, int level,
                    struct verify_result *ret_result, struct error *err);

/* SHA-256 of the file as it is stored now, in hex. */
int artifact_checksum(const struct artifact_open_options *options, char ret_checksum[static 65],
                      struct error *err);

/* For an artifact without a manifest: make one from what it holds, after level 2 passed. */
int artifact_describe(const struct artifact_open_options *options, struct manifest *ret_manifest,
                      struct error *err);

DEFINE_SCOPED(artifact_writer, struct artifact_writer *, artifact_writer_free);
DEFINE_SCOPED(artifact_reader, struct artifact_reader *, artifact_close);

#endif
