/*
 * Compression as three roles, the same for zstd, gzip and none.
 *
 * An encoder turns one segment into one frame that stands alone (the hot path: a context per
 * thread, kept from frame to frame). A decoder goes back, either a whole frame whose length is
 * known, or step by step through a stream that anybody made. A compressing sink makes one frame of
 * what is pushed into it piece by piece, for content whose length nobody knows yet.
 *
 * None of them may be used by two threads at once.
 */
#ifndef KEDGE_IO_CODEC_H
#define KEDGE_IO_CODEC_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct encoder;
struct decoder;

/* The longest content of one frame; lengths inside the codecs are 32 bits. */
#define CODEC_MAXIMUM ((size_t)UINT32_MAX - ((size_t)64 << 20))

struct encoder_ops {
    size_t (*bound)(const struct encoder *encoder, size_t size);
    int (*encode)(struct encoder *encoder, const void *data, size_t size, void *out,
                  size_t capacity, size_t *ret_size, struct error *err);
    void (*free)(struct encoder *encoder);
};

struct encoder {
    const struct encoder_ops *ops;
};

/* How far a step came: both sides are moved on by the decoder. */
struct codec_step {
    const uint8_t *in;
    size_t in_size;
    uint8_t *out;
    size_t out_size;
    bool boundary; /* between two frames: everything of the last one was given out */
};

struct decoder_ops {
    int (*decode)(struct decoder *decoder, const void *data, size_t size, void *out, size_t plain,
                  struct error *err);
    int (*step)(struct decoder *decoder, struct codec_step *step, struct error *err);
    void (*reset)(struct decoder *decoder);
    void (*free)(struct decoder *decoder);
};

struct decoder {
    const struct decoder_ops *ops;
};

/* Room that the frame of `size` bytes needs at most. */
static inline size_t encoder_bound(const struct encoder *encoder, size_t size)
{
    return encoder->ops->bound(encoder, size);
}

/* Make one frame; `capacity` is at least the bound. */
static inline int encoder_encode(struct encoder *encoder, const void *data, size_t size, void *out,
                                 size_t capacity, size_t *ret_size, struct error *err)
{
    return encoder->ops->encode(encoder, data, size, out, capacity, ret_size, err);
}

static inline void encoder_free(struct encoder *encoder)
{
    if (encoder)
        encoder->ops->free(encoder);
}

/* Exactly `plain` bytes from exactly `size`; ERROR_CORRUPT for anything else. */
static inline int decoder_decode(struct decoder *decoder, const void *data, size_t size, void *out,
                                 size_t plain, struct error *err)
{
    return decoder->ops->decode(decoder, data, size, out, plain, err);
}

/* Take what is at step->in and fill step->out, as far as either goes. A stream that ends when
 * `boundary` is not set was cut. Stops at every boundary, so that a caller can see where frames
 * begin. */
static inline int decoder_step(struct decoder *decoder, struct codec_step *step, struct error *err)
{
    return decoder->ops->step(decoder, step, err);
}

/* Forget a stream begun with steps. */
static inline void decoder_reset(struct decoder *decoder)
{
    decoder->ops->reset(decoder);
}

static inline void decoder_free(struct decoder *decoder)
{
    if (decoder)
        decoder->ops->free(decoder);
}

DEFINE_SCOPED(encoder, struct encoder *, encoder_free);
DEFINE_SCOPED(decoder, struct decoder *, decoder_free);

#endif
