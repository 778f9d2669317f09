/*
 * The index: what lies where in an artifact, a line of JSON each (docs/formats/artifact.md).
 *
 * Written while the frames are: lines are compressed as they come, so memory is what they compress
 * to. In the end they become the last frame: comments in SQL, the member ".kedge-index" (and the
 * end of the archive) in tar. The frames of a database image that is too large for its manifest
 * stand in one too, in a form that tools pass over: a skippable frame of zstd, the extra fields of
 * empty members of gzip.
 *
 * Read back it is untrusted, and streamed.
 */
#ifndef KEDGE_ARTIFACT_INDEX_H
#define KEDGE_ARTIFACT_INDEX_H

#include "artifact/artifact.h"
#include "base/segment.h"

#include <stdint.h>

struct buf;
struct error;
struct sink;
struct index_writer;

#define INDEX_MEMBER ".kedge-index"

/* One frame. Strings are borrowed. */
struct index_frame {
    uint64_t number;
    enum section section;
    const char *schema, *table; /* NULL for none */
    uint64_t offset, length;    /* in the compressed stream, before encryption */
    uint64_t plain;             /* length of its content */
    uint64_t rows;
    uint8_t sha256[32]; /* of the compressed frame */
};

/* One archive member. */
struct index_member {
    const char *path;
    char type;
    uint64_t size;
    uint64_t frame; /* the one it begins in */
};

/* ---- lines ---- */

void index_append_frame(struct buf *lines, const struct index_frame *frame);
void index_append_table(struct buf *lines, const struct segment_table *table);
void index_append_member(struct buf *lines, const struct segment_member *member, uint64_t frame);

/* ---- writing ---- */

/* `kind` as of the artifact: "sql", "tar" or "sqlite3". */
struct index_writer *index_writer_new(const char *kind);

/* Add whole lines, each ended by a newline. */
int index_writer_add(struct index_writer *writer, const struct buf *lines, struct error *err);

/* Push the finished index frame, compressed as `choice` says, into `next`. Once. */
int index_writer_finish(struct index_writer *writer, struct compression_choice choice,
                        struct sink *next, struct error *err);
void index_writer_free(struct index_writer *writer);

/* ---- reading ---- */

/* Bytes of the compressed stream from `offset`, exactly `size` of them. */
typedef int index_read_fn(void *context, uint64_t offset, void *data, size_t size,
                          struct error *err);

/* Called for each line; NULL passes its kind over. What is handed over is borrowed for the time of
 * the call. Non-zero stops and comes back; a negative answer has set err. */
struct index_visitor {
    void *context;
    int (*frame)(void *context, const struct index_frame *frame, struct error *err);
    int (*table)(void *context, const struct segment_table *table, struct error *err);
    int (*member)(void *context, const struct index_member *member, struct error *err);
};

struct index_place {
    const char *kind;
    enum compression compression;
    uint64_t offset, length;
    index_read_fn *read;
    void *context;
};

/* Read the index frame at `place`. 0 or what the visitor said; -1 with ERROR_CORRUPT. */
int index_read(const struct index_place *place, const struct index_visitor *visitor,
               struct error *err);

DEFINE_SCOPED(index_writer, struct index_writer *, index_writer_free);

#endif
