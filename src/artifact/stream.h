/*
 * An artifact read front to back without knowing its frames: what other people's tools made, or
 * what has lost its manifest. One frame of any length or thousands of small ones take the same
 * memory.
 */
#ifndef KEDGE_ARTIFACT_STREAM_H
#define KEDGE_ARTIFACT_STREAM_H

#include "artifact/artifact.h"

#include <stddef.h>
#include <stdint.h>

struct error;
struct input;
struct stream;

/* A frame that was passed. */
struct stream_frame {
    uint64_t offset, length; /* in the compressed stream */
    uint64_t plain_offset, plain;
    uint8_t sha256[32];
};

typedef int stream_frame_fn(void *context, const struct stream_frame *frame, struct error *err);

struct stream *stream_new(struct input *input, enum compression kind);

/* Call `passed` for each frame that ends, and hash it; before the first read. */
void stream_watch(struct stream *stream, stream_frame_fn *passed, void *context);

/* Fill `data`; *ret_size is less than `size` only at the end. ERROR_CORRUPT when it ends inside a
 * frame. */
int stream_read(struct stream *stream, void *data, size_t size, size_t *ret_size,
                struct error *err);
void stream_free(struct stream *stream);

DEFINE_SCOPED(stream, struct stream *, stream_free);

#endif
