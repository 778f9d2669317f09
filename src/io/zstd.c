#include "io/zstd.h"

#include "base/error.h"
#include "base/sink.h"
#include "base/stop.h"
#include "io/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define WINDOW_LOG_MAXIMUM 27
#define SINK_PIECE ((size_t)128 << 10)

static void *must(void *context)
{
    if (context)
        return context;
    fputs("kedge: error: out of memory\n", stderr);
    abort();
}

/* Level 3 looks for short matches in a table that is larger than a first-level cache. */
#define SHORT_LEVEL 3
#define LONG_MATCH_LOG 17

/* A target length makes level 1 go on in larger steps, and would also leave literals as they are.
 */
#define STRIDE_LEVEL 1
#define LITERALS_COMPRESSED 1 /* ZSTD_ps_enable, which the stable header does not name */

static void set_stride(ZSTD_CCtx *context, int stride)
{
    size_t done = ZSTD_CCtx_setParameter(context, ZSTD_c_experimentalParam5, LITERALS_COMPRESSED);
    if (!ZSTD_isError(done))
        ZSTD_CCtx_setParameter(context, ZSTD_c_targetLength, stride - 1);
}

static ZSTD_CCtx *context_new(int level, const struct zstd_tuning *tuning)
{
    ZSTD_CCtx *context = must(ZSTD_createCCtx());
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    if (tuning && tuning->stride && level == STRIDE_LEVEL)
        set_stride(context, tuning->stride);
    if (tuning && tuning->short_log && level == SHORT_LEVEL) {
        ZSTD_CCtx_setParameter(context, ZSTD_c_hashLog, LONG_MATCH_LOG);
        ZSTD_CCtx_setParameter(context, ZSTD_c_chainLog, tuning->short_log);
    }
    return context;
}

/* ---- whole frames ---- */

/* From here on a frame of 8 MiB can take seconds, for which nobody who interrupts wants to wait. */
#define SLOW_LEVEL 10
#define SLOW_STEP ((size_t)256 << 10)

struct zstd_encoder {
    struct encoder base;
    ZSTD_CCtx *context;
    bool slow;
};

static size_t zstd_bound(const struct encoder *base, size_t size)
{
    (void)base;
    return ZSTD_compressBound(size);
}

static int encode_failed(size_t code, struct error *err)
{
    return error_set(err, ERROR_FAILED, "zstd: %s", ZSTD_getErrorName(code));
}

static int encode_in_steps(ZSTD_CCtx *context, ZSTD_inBuffer in, ZSTD_outBuffer *out,
                           struct error *err)
{
    const size_t size = in.size;
    bool ended = false;
    size_t left = ZSTD_CCtx_reset(context, ZSTD_reset_session_only);
    if (!ZSTD_isError(left))
        left = ZSTD_CCtx_setPledgedSrcSize(context, size);
    while (!ended) {
        if (ZSTD_isError(left))
            return encode_failed(left, err);
        if (out->pos == out->size)
            return error_set(err, ERROR_FAILED, "zstd: there is no room for the frame");
        if (stop_check(err) < 0)
            return -1;
        bool last = size - in.pos <= SLOW_STEP;
        in.size = last ? size : in.pos + SLOW_STEP;
        left = ZSTD_compressStream2(context, out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        ended = last && left == 0;
    }
    return 0;
}

static int zstd_encode(struct encoder *base, const void *data, size_t size, void *out,
                       size_t capacity, size_t *ret_size, struct error *err)
{
    struct zstd_encoder *encoder = (struct zstd_encoder *)base;
    if (encoder->slow) {
        ZSTD_outBuffer to = {out, capacity, 0};
        const ZSTD_inBuffer from = {data, size, 0};
        int result = encode_in_steps(encoder->context, from, &to, err);
        *ret_size = to.pos;
        return result;
    }
    size_t made = ZSTD_compress2(encoder->context, out, capacity, data, size);
    if (ZSTD_isError(made))
        return encode_failed(made, err);
    *ret_size = made;
    return 0;
}

static void zstd_encoder_free(struct encoder *base)
{
    struct zstd_encoder *encoder = (struct zstd_encoder *)base;
    ZSTD_freeCCtx(encoder->context);
    free(encoder);
}

static const struct encoder_ops encoder_ops = {
    .bound = zstd_bound,
    .encode = zstd_encode,
    .free = zstd_encoder_free,
};

struct encoder *zstd_encoder_new(int level, const struct zstd_tuning *tuning)
{
    struct zstd_encoder *encoder = MEM_NEW(struct zstd_encoder);
    encoder->base.ops = &encoder_ops;
    encoder->context = context_new(level, tuning);
    encoder->slow = level >= SLOW_LEVEL;
    return &encoder->base;
}

/* ---- back ---- */

struct zstd_decoder {
    struct decoder base;
    ZSTD_DCtx *context;
};

static int damaged(size_t code, struct error *err)
{
    if (ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge)
        return error_set(err, ERROR_CORRUPT, "zstd frame wants a window of more than 128 MiB");
    return error_set(err, ERROR_CORRUPT, "damaged zstd frame: %s", ZSTD_getErrorName(code));
}

static int zstd_decode(struct decoder *base, const void *data, size_t size, void *out, size_t plain,
                       struct error *err)
{
    struct zstd_decoder *decoder = (struct zstd_decoder *)base;
    size_t made = ZSTD_decompressDCtx(decoder->context, out, plain, data, size);
    if (ZSTD_isError(made))
        return damaged(made, err);
    if (made != plain)
        return error_set(err, ERROR_CORRUPT, "zstd frame holds %zu bytes, not %zu", made, plain);
    return 0;
}

static int zstd_step(struct decoder *base, struct codec_step *step, struct error *err)
{
    struct zstd_decoder *decoder = (struct zstd_decoder *)base;
    ZSTD_inBuffer in = {step->in, step->in_size, 0};
    ZSTD_outBuffer out = {step->out, step->out_size, 0};
    size_t wanted = ZSTD_decompressStream(decoder->context, &out, &in);
    if (ZSTD_isError(wanted))
        return damaged(wanted, err);
    step->in += in.pos;
    step->in_size -= in.pos;
    step->out += out.pos;
    step->out_size -= out.pos;
    step->boundary = wanted == 0;
    return 0;
}

static void zstd_reset(struct decoder *base)
{
    struct zstd_decoder *decoder = (struct zstd_decoder *)base;
    ZSTD_DCtx_reset(decoder->context, ZSTD_reset_session_only);
}

static void zstd_decoder_free(struct decoder *base)
{
    struct zstd_decoder *decoder = (struct zstd_decoder *)base;
    ZSTD_freeDCtx(decoder->context);
    free(decoder);
}

static const struct decoder_ops decoder_ops = {
    .decode = zstd_decode,
    .step = zstd_step,
    .reset = zstd_reset,
    .free = zstd_decoder_free,
};

struct decoder *zstd_decoder_new(void)
{
    struct zstd_decoder *decoder = MEM_NEW(struct zstd_decoder);
    decoder->base.ops = &decoder_ops;
    decoder->context = must(ZSTD_createDCtx());
    ZSTD_DCtx_setParameter(decoder->context, ZSTD_d_windowLogMax, WINDOW_LOG_MAXIMUM);
    return &decoder->base;
}

/* ---- piece by piece ---- */

struct zstd_sink {
    struct sink base;
    ZSTD_CCtx *context;
    struct sink *next;
    uint8_t *piece;
};

static int sink_push(struct zstd_sink *sink, const void *data, size_t size, ZSTD_EndDirective end,
                     struct error *err)
{
    ZSTD_inBuffer in = {data, size, 0};
    size_t left = 0;
    do {
        ZSTD_outBuffer out = {sink->piece, SINK_PIECE, 0};
        left = ZSTD_compressStream2(sink->context, &out, &in, end);
        if (ZSTD_isError(left))
            return error_set(err, ERROR_FAILED, "zstd: %s", ZSTD_getErrorName(left));
        if (out.pos && sink_write(sink->next, sink->piece, out.pos, err) < 0)
            return -1;
    } while (in.pos < in.size || (end == ZSTD_e_end && left));
    return 0;
}

static int zstd_sink_write(struct sink *base, const void *data, size_t size, struct error *err)
{
    return sink_push((struct zstd_sink *)base, data, size, ZSTD_e_continue, err);
}

static int zstd_sink_finish(struct sink *base, struct error *err)
{
    return sink_push((struct zstd_sink *)base, NULL, 0, ZSTD_e_end, err);
}

static void zstd_sink_free(struct sink *base)
{
    struct zstd_sink *sink = (struct zstd_sink *)base;
    ZSTD_freeCCtx(sink->context);
    free(sink->piece);
    free(sink);
}

static const struct sink_ops sink_ops = {
    .write = zstd_sink_write,
    .finish = zstd_sink_finish,
    .free = zstd_sink_free,
};

struct sink *zstd_sink_new(int level, struct sink *next)
{
    struct zstd_sink *sink = MEM_NEW(struct zstd_sink);
    sink->base.ops = &sink_ops;
    sink->context = context_new(level, NULL);
    sink->next = next;
    sink->piece = mem_alloc(SINK_PIECE, 1);
    return &sink->base;
}
