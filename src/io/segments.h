/*
 * A fixed number of segments that go round: taken empty, given back used. The number is what bounds
 * the memory of a backup or restore.
 */
#ifndef KEDGE_IO_SEGMENTS_H
#define KEDGE_IO_SEGMENTS_H

#include "base/mem.h"

#include <stddef.h>

struct crew;
struct error;
struct segment;
struct segments;

/* `crew` is borrowed: whoever waits for a segment fails with it. */
struct segments *segments_new(struct crew *crew, size_t count);

/* Wait for an empty one with room for `capacity` bytes (SEGMENT_SIZE if 0). Any thread. */
int segments_take(struct segments *segments, size_t capacity, struct segment **ret_segment,
                  struct error *err);

/* Make it larger, keeping its content. */
int segments_grow(struct segment *segment, size_t capacity, struct error *err);

/* Back among the empty ones; what had grown past SEGMENT_MAXIMUM gives its memory back. NULL is
 * fine. Any thread. */
void segments_give(struct segments *segments, struct segment *segment);

/* All must have been given back, or never be used again. */
void segments_free(struct segments *segments);

DEFINE_SCOPED(segments, struct segments *, segments_free);

#endif
