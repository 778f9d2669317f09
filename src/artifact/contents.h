/*
 * What an artifact says it holds: its frames and tables, from the manifest or the index frame.
 *
 * Invariants once loaded: frames follow one another from the start of the stream to its end or the
 * index frame, none is too long for the codecs, and rows and lengths add up to what the manifest
 * says.
 */
#ifndef KEDGE_ARTIFACT_CONTENTS_H
#define KEDGE_ARTIFACT_CONTENTS_H

#include "base/segment.h"
#include "base/text.h"

#include <stdbool.h>

struct error;
struct index_place;
struct manifest;

struct content_frame {
    struct segment_frame view;
    uint64_t offset; /* in the compressed stream */
    uint64_t length;
    bool hashed; /* sha256 is known */
    uint8_t sha256[32];
};

struct contents {
    struct content_frame *frames;
    size_t frame_count, frame_capacity;
    struct segment_table *tables;
    size_t table_count, table_capacity;
    struct text_list strings; /* what frames and tables point to */
    uint64_t end;             /* of the last frame, in the compressed stream */
    uint64_t plain;
    uint64_t rows;
    bool image;           /* of a database, page by page */
    uint64_t stream_size; /* nothing may lie beyond it */
};

/* Of an artifact whose compressed stream has `stream_size` bytes. `place` says where the index
 * frame is; its length may be 0. -1 with ERROR_CORRUPT. */
int contents_load(struct contents *contents, const struct manifest *manifest,
                  const struct index_place *place, uint64_t stream_size, struct error *err);

/* The rows in the frames of each table are the rows the table states. ERROR_CORRUPT otherwise. */
int contents_check(const struct contents *contents, struct error *err);
void contents_clear(struct contents *contents);

#endif
