/*
 * One frame fetched, checked and decompressed: the way back of a single segment. A `struct
 * frame_reader` belongs to one thread at a time and keeps its buffer and codec context.
 */
#ifndef KEDGE_ARTIFACT_FRAME_H
#define KEDGE_ARTIFACT_FRAME_H

#include "artifact/artifact.h"
#include "io/pages.h"

#include <stdint.h>

struct content_frame;
struct decoder;
struct error;
struct input;

struct frame_reader {
    struct input *input;
    struct decoder *decoder;
    struct pages stored; /* the compressed bytes of the last frame fetched */
};

void frame_reader_init(struct frame_reader *reader, struct input *input, enum compression kind);
void frame_reader_clear(struct frame_reader *reader);

/* Fetch and compare with the hash, if there is one. `number` is for messages. */
int frame_fetch(struct frame_reader *reader, const struct content_frame *frame, uint64_t number,
                struct error *err);
/* Decompress what was fetched into `plain`, which has room for the frame's content. */
int frame_decode(struct frame_reader *reader, const struct content_frame *frame, uint64_t number,
                 uint8_t *plain, struct error *err);

#endif
