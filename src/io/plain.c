#include "io/plain.h"

#include "base/error.h"
#include "base/sink.h"
#include "io/codec.h"

#include <stdlib.h>
#include <string.h>

static size_t plain_bound(const struct encoder *encoder, size_t size)
{
    (void)encoder;
    return size;
}

static int plain_encode(struct encoder *encoder, const void *data, size_t size, void *out,
                        size_t capacity, size_t *ret_size, struct error *err)
{
    (void)encoder;
    if (capacity < size)
        return error_set(err, ERROR_FAILED, "no room for %zu bytes", size);
    if (size)
        memcpy(out, data, size);
    *ret_size = size;
    return 0;
}

static void plain_encoder_free(struct encoder *encoder)
{
    free(encoder);
}

static const struct encoder_ops encoder_ops = {
    .bound = plain_bound,
    .encode = plain_encode,
    .free = plain_encoder_free,
};

struct encoder *plain_encoder_new(void)
{
    struct encoder *encoder = MEM_NEW(struct encoder);
    encoder->ops = &encoder_ops;
    return encoder;
}

static int plain_decode(struct decoder *decoder, const void *data, size_t size, void *out,
                        size_t plain, struct error *err)
{
    (void)decoder;
    if (size != plain)
        return error_set(err, ERROR_CORRUPT, "piece of %zu bytes is stored in %zu", plain, size);
    if (size)
        memcpy(out, data, size);
    return 0;
}

static int plain_step(struct decoder *decoder, struct codec_step *step, struct error *err)
{
    (void)decoder;
    (void)err;
    size_t size = step->in_size < step->out_size ? step->in_size : step->out_size;
    if (size)
        memcpy(step->out, step->in, size);
    step->in += size;
    step->in_size -= size;
    step->out += size;
    step->out_size -= size;
    step->boundary = true;
    return 0;
}

static void plain_reset(struct decoder *decoder)
{
    (void)decoder;
}

static void plain_decoder_free(struct decoder *decoder)
{
    free(decoder);
}

static const struct decoder_ops decoder_ops = {
    .decode = plain_decode,
    .step = plain_step,
    .reset = plain_reset,
    .free = plain_decoder_free,
};

struct decoder *plain_decoder_new(void)
{
    struct decoder *decoder = MEM_NEW(struct decoder);
    decoder->ops = &decoder_ops;
    return decoder;
}

struct plain_sink {
    struct sink base;
    struct sink *next;
};

static int plain_sink_write(struct sink *sink, const void *data, size_t size, struct error *err)
{
    return sink_write(((struct plain_sink *)sink)->next, data, size, err);
}

static int plain_sink_finish(struct sink *sink, struct error *err)
{
    (void)sink;
    (void)err;
    return 0;
}

static void plain_sink_free(struct sink *sink)
{
    free(sink);
}

static const struct sink_ops sink_ops = {
    .write = plain_sink_write,
    .finish = plain_sink_finish,
    .free = plain_sink_free,
};

struct sink *plain_sink_new(struct sink *next)
{
    struct plain_sink *sink = MEM_NEW(struct plain_sink);
    sink->base.ops = &sink_ops;
    sink->next = next;
    return &sink->base;
}
