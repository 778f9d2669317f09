/*
 * Segments that live in memory: a sink for tests of dumps, and a source over what was pushed for
 * tests of loads.
 *
 * It keeps the contract of base/segment.h: any thread may take, push and read; taking waits while
 * all segments are out; an empty push makes no frame. What was pushed stays until the end, so both
 * sides can be used as often as a test likes.
 */
#ifndef KEDGE_TESTS_HARNESS_SEGMENTS_MEMORY_H
#define KEDGE_TESTS_HARNESS_SEGMENTS_MEMORY_H

#include "base/segment.h"

struct segments_memory_options {
    size_t at_once;   /* segments that may be out at the same time, 8 when 0 */
    size_t fail_push; /* that push (from 1) and all after it fail with ERROR_FAILED */
    size_t fail_read; /* that read or next (from 1) and all after it fail with ERROR_CORRUPT */
    size_t piece;     /* not 0: no frames by number, next() cuts pieces of so many bytes anywhere */
    void (*after_push)(void *context, size_t count); /* called after each push, without a lock */
    void *context;
};

struct segments_memory;

/* `options` may be NULL. */
struct segments_memory *segments_memory_new(const struct segments_memory_options *options);

struct segment_sink *segments_memory_sink(struct segments_memory *memory);
struct segment_source *segments_memory_source(struct segments_memory *memory);

/* Put a frame in by hand; `text` is copied. */
void segments_memory_add(struct segments_memory *memory, enum section section, const void *data,
                         size_t size);

/* Frames pushed so far, and the plain content of all of them, ended by NUL, to be freed. */
size_t segments_memory_count(struct segments_memory *memory);
char *segments_memory_content(struct segments_memory *memory, size_t *ret_size);

/* Segments that were taken or read and came back neither by push nor by drop: 0 at a test's end. */
size_t segments_memory_out(struct segments_memory *memory);

void segments_memory_free(struct segments_memory *memory);

#endif
