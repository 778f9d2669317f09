/*
 * The manifest: the JSON beside an artifact that says what is in it; enough to restore without the
 * catalogue.
 *
 * Fields and their meaning: docs/formats/artifact.md. Everything read is untrusted: a parsed
 * manifest has passed every check that needs only itself (types, ranges, names without '/', frames
 * that follow one another and add up).
 */
#ifndef KEDGE_ARTIFACT_MANIFEST_H
#define KEDGE_ARTIFACT_MANIFEST_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* One frame of a sqlite3 artifact. */
struct manifest_frame {
    uint64_t offset;    /* in the compressed stream, before encryption */
    uint64_t length;    /* compressed */
    uint64_t plain;     /* length of its content */
    uint8_t sha256[32]; /* of the compressed frame */
};

/* Owned strings; NULL where absent. */
struct manifest {
    char *id; /* ULID */
    int64_t number;
    char *app, *target, *engine, *engine_version;
    char *type; /* database, files, full, incremental, configuration */
    int64_t created_ns;
    char *consistent_at;
    char *tool_version;
    char *compression;           /* "zstd:3", "gzip:1", "none" */
    char *encryption;            /* "none" or "age" */
    struct text_list recipients; /* age1..., or "passphrase" */
    uint64_t size_bytes;         /* of the file as stored */
    uint64_t source_bytes;       /* as the source counts */
    uint64_t plain_bytes;        /* of the uncompressed content */
    uint64_t rows;
    char checksum[65]; /* hex SHA-256 of the file as stored */
    char *file;        /* its name */
    char *kind;        /* "sqlite3", "sql", "tar" */
    bool incomplete;
    struct text_list incomplete_reasons;
    uint64_t index_offset, index_length; /* of the index frame; length 0 when there is none */
    char index_checksum[65];             /* hex SHA-256 of those bytes, or "" */
    struct manifest_frame *frames;       /* sqlite3 only; NULL when they are in the index frame */
    size_t frame_count;
    char digest[65];        /* sqlite3: hex SHA-256 of the plain image, or "" */
    int64_t expires_ns;     /* 0: never */
    int64_t retention_days; /* 0: none */
    char *connection;       /* where it came from, for people: no password */
    char *group; /* ULID shared by the files of one restore point; NULL for a single file */
    char *part;  /* "files" in shop_..._files.tar.zst; NULL */
    struct text_list tags;
    char *metadata; /* JSON object as the source wrote it, or NULL */
    char *unknown;  /* JSON object of the keys we do not know, kept as they came, or NULL */
    bool sealed;    /* parsed: byte by byte as it was written */
    char seal[65];  /* what it is sealed with, parsed or published; "" otherwise */
};

#define MANIFEST_INIT ((struct manifest){0})
#define MANIFEST_MAXIMUM ((size_t)1 << 20)

void manifest_clear(struct manifest *manifest);

/* -1 with ERROR_CORRUPT that says what is wrong. */
int manifest_parse(const char *text, size_t size, struct manifest *ret_manifest, struct error *err);

/* JSON text, ended by a newline, under MANIFEST_MAXIMUM. */
int manifest_format(const struct manifest *manifest, struct buf *json, struct error *err);

/* What a text of manifest_format is sealed with. It stands for every byte of it. */
void manifest_seal(const struct buf *json, char ret_seal[static 65]);

/* Whether the frames leave room for the rest of the manifest; otherwise they belong into an index
 * frame. */
bool manifest_holds(const struct manifest *manifest);

static inline void scoped_manifest_cleanup(struct manifest *manifest)
{
    manifest_clear(manifest);
}

#endif
