#include "io/gzip.h"

#include "base/error.h"
#include "base/library.h"
#include "base/sink.h"
#include "io/codec.h"

#include <isa-l/igzip_lib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define WINDOW_BITS (15 + 16) /* + 16: with gzip's header and trailer */
#define SINK_PIECE ((size_t)64 << 10)

static void must(int code)
{
    if (code == Z_OK)
        return;
    fputs("kedge: error: out of memory\n", stderr);
    abort();
}

/* zlib's and ISA-L's pointers to input are not const, but neither writes there. */
static uint8_t *unconst(const void *data)
{
    union {
        const void *in;
        uint8_t *out;
    } pointer = {.in = data};
    return pointer.out;
}

/* ---- whole members, fast ---- */

static struct {
    void (*init)(struct isal_zstream *);
    int (*deflate)(struct isal_zstream *);
} isal;

static const struct library_symbol symbols[] = {
    {"isal_deflate_stateless_init", (void **)&isal.init},
    {"isal_deflate_stateless", (void **)&isal.deflate},
    {NULL, NULL},
};

static struct library library = {"libisal.so.2", "libisal2", symbols, false};

struct fast_encoder {
    struct encoder base;
    struct isal_zstream stream;
    uint32_t level;
    uint8_t *level_buffer;
    uint32_t level_buffer_size;
};

static size_t fast_bound(const struct encoder *base, size_t size)
{
    (void)base;
    /* What does not shrink is stored in blocks of at most 65535 bytes with a header of 5. */
    return size + (size / 32768 + 1) * 5 + 1024;
}

static int fast_encode(struct encoder *base, const void *data, size_t size, void *out,
                       size_t capacity, size_t *ret_size, struct error *err)
{
    struct fast_encoder *encoder = (struct fast_encoder *)base;
    struct isal_zstream *stream = &encoder->stream;
    isal.init(stream);
    stream->gzip_flag = IGZIP_GZIP;
    stream->end_of_stream = 1;
    stream->flush = NO_FLUSH;
    stream->level = encoder->level;
    stream->level_buf = encoder->level_buffer;
    stream->level_buf_size = encoder->level_buffer_size;
    stream->next_in = unconst(data);
    stream->avail_in = (uint32_t)size;
    stream->next_out = out;
    stream->avail_out = (uint32_t)capacity;
    int code = isal.deflate(stream);
    if (code != COMP_OK || stream->avail_in)
        return error_set(err, ERROR_FAILED, "gzip: compressing failed with code %d", code);
    *ret_size = (size_t)(stream->next_out - (uint8_t *)out);
    return 0;
}

static void fast_free(struct encoder *base)
{
    struct fast_encoder *encoder = (struct fast_encoder *)base;
    free(encoder->level_buffer);
    free(encoder);
}

static const struct encoder_ops fast_ops = {
    .bound = fast_bound,
    .encode = fast_encode,
    .free = fast_free,
};

static struct encoder *fast_encoder_new(int level)
{
    static const uint32_t sizes[] = {0, ISAL_DEF_LVL1_LARGE, ISAL_DEF_LVL2_LARGE,
                                     ISAL_DEF_LVL3_LARGE};
    struct fast_encoder *encoder = MEM_NEW(struct fast_encoder);
    encoder->base.ops = &fast_ops;
    encoder->level = (uint32_t)level;
    encoder->level_buffer_size = sizes[level];
    encoder->level_buffer = mem_alloc(sizes[level], 1);
    return &encoder->base;
}

/* ---- whole members, small ---- */

struct small_encoder {
    struct encoder base;
    z_stream stream;
};

static size_t small_bound(const struct encoder *base, size_t size)
{
    (void)base;
    return size + (size >> 10) + 1024;
}

static int small_encode(struct encoder *base, const void *data, size_t size, void *out,
                        size_t capacity, size_t *ret_size, struct error *err)
{
    z_stream *stream = &((struct small_encoder *)base)->stream;
    must(deflateReset(stream));
    stream->next_in = unconst(data);
    stream->avail_in = (uInt)size;
    stream->next_out = out;
    stream->avail_out = (uInt)capacity;
    if (deflate(stream, Z_FINISH) != Z_STREAM_END)
        return error_set(err, ERROR_FAILED, "gzip: compressing failed");
    *ret_size = capacity - stream->avail_out;
    return 0;
}

static void small_free(struct encoder *base)
{
    struct small_encoder *encoder = (struct small_encoder *)base;
    deflateEnd(&encoder->stream);
    free(encoder);
}

static const struct encoder_ops small_ops = {
    .bound = small_bound,
    .encode = small_encode,
    .free = small_free,
};

static void deflate_begin(z_stream *stream, int level)
{
    must(deflateInit2(stream, level, Z_DEFLATED, WINDOW_BITS, 9, Z_DEFAULT_STRATEGY));
}

static struct encoder *small_encoder_new(int level)
{
    struct small_encoder *encoder = MEM_NEW(struct small_encoder);
    encoder->base.ops = &small_ops;
    deflate_begin(&encoder->stream, level);
    return &encoder->base;
}

/* zlib has the fast levels too, if slower ones. */
struct encoder *gzip_encoder_new(int level)
{
    struct error ignored = ERROR_INIT;
    bool fast = level <= 3 && library_load(&library, &ignored) == 0;
    return fast ? fast_encoder_new(level) : small_encoder_new(level);
}

/* ---- back ---- */

struct gzip_decoder {
    struct decoder base;
    z_stream stream;
    bool inside; /* a member has begun and not ended */
};

static int damaged(const z_stream *stream, struct error *err)
{
    return error_set(err, ERROR_CORRUPT, "damaged gzip member: %s",
                     stream->msg ? stream->msg : "it ends too early");
}

static int gzip_step(struct decoder *base, struct codec_step *step, struct error *err)
{
    struct gzip_decoder *decoder = (struct gzip_decoder *)base;
    z_stream *stream = &decoder->stream;
    if (!decoder->inside) {
        must(inflateReset(stream));
        decoder->inside = true;
    }
    uInt in = step->in_size > UINT32_MAX ? UINT32_MAX : (uInt)step->in_size;
    uInt out = step->out_size > UINT32_MAX ? UINT32_MAX : (uInt)step->out_size;
    stream->next_in = unconst(step->in);
    stream->avail_in = in;
    stream->next_out = step->out;
    stream->avail_out = out;
    int code = inflate(stream, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return damaged(stream, err);
    step->in += in - stream->avail_in;
    step->in_size -= in - stream->avail_in;
    step->out += out - stream->avail_out;
    step->out_size -= out - stream->avail_out;
    step->boundary = code == Z_STREAM_END;
    decoder->inside = code != Z_STREAM_END;
    return 0;
}

static void gzip_reset(struct decoder *base)
{
    ((struct gzip_decoder *)base)->inside = false;
}

static int gzip_decode(struct decoder *base, const void *data, size_t size, void *out, size_t plain,
                       struct error *err)
{
    gzip_reset(base);
    /* One byte more than there should be, so that a member that goes on is told from a whole one
     * even when all of its room is used. */
    uint8_t beyond;
    struct codec_step step = {.in = data, .in_size = size, .out = out, .out_size = plain};
    while (step.in_size && step.out_size)
        if (gzip_step(base, &step, err) < 0)
            return -1;
    step.out = &beyond;
    size_t missing = step.out_size;
    step.out_size = 1;
    while (step.in_size && step.out_size && !missing)
        if (gzip_step(base, &step, err) < 0)
            return -1;
    if (missing || step.in_size || !step.out_size || !step.boundary)
        return error_set(err, ERROR_CORRUPT, "gzip member does not hold %zu bytes", plain);
    return 0;
}

static void gzip_decoder_free(struct decoder *base)
{
    struct gzip_decoder *decoder = (struct gzip_decoder *)base;
    inflateEnd(&decoder->stream);
    free(decoder);
}

static const struct decoder_ops decoder_ops = {
    .decode = gzip_decode,
    .step = gzip_step,
    .reset = gzip_reset,
    .free = gzip_decoder_free,
};

struct decoder *gzip_decoder_new(void)
{
    struct gzip_decoder *decoder = MEM_NEW(struct gzip_decoder);
    decoder->base.ops = &decoder_ops;
    must(inflateInit2(&decoder->stream, WINDOW_BITS));
    return &decoder->base;
}

/* ---- piece by piece ---- */

struct gzip_sink {
    struct sink base;
    z_stream stream;
    struct sink *next;
    uint8_t piece[SINK_PIECE];
};

static int sink_push(struct gzip_sink *sink, const void *data, size_t size, int flush,
                     struct error *err)
{
    z_stream *stream = &sink->stream;
    stream->next_in = unconst(data);
    stream->avail_in = (uInt)size;
    do {
        stream->next_out = sink->piece;
        stream->avail_out = SINK_PIECE;
        if (deflate(stream, flush) == Z_STREAM_ERROR)
            return error_set(err, ERROR_FAILED, "gzip: compressing failed");
        size_t made = SINK_PIECE - stream->avail_out;
        if (made && sink_write(sink->next, sink->piece, made, err) < 0)
            return -1;
    } while (stream->avail_out == 0);
    return 0;
}

static int gzip_sink_write(struct sink *base, const void *data, size_t size, struct error *err)
{
    for (const uint8_t *at = data; size;) {
        size_t piece = size > INT32_MAX ? INT32_MAX : size;
        if (sink_push((struct gzip_sink *)base, at, piece, Z_NO_FLUSH, err) < 0)
            return -1;
        at += piece;
        size -= piece;
    }
    return 0;
}

static int gzip_sink_finish(struct sink *base, struct error *err)
{
    return sink_push((struct gzip_sink *)base, "", 0, Z_FINISH, err);
}

static void gzip_sink_free(struct sink *base)
{
    struct gzip_sink *sink = (struct gzip_sink *)base;
    deflateEnd(&sink->stream);
    free(sink);
}

static const struct sink_ops sink_ops = {
    .write = gzip_sink_write,
    .finish = gzip_sink_finish,
    .free = gzip_sink_free,
};

struct sink *gzip_sink_new(int level, struct sink *next)
{
    struct gzip_sink *sink = MEM_NEW(struct gzip_sink);
    sink->base.ops = &sink_ops;
    sink->next = next;
    deflate_begin(&sink->stream, level);
    return &sink->base;
}
