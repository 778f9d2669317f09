#include "harness/test.h"

#include "base/buf.h"
#include "base/sink.h"
#include "base/stop.h"
#include "io/codec.h"
#include "io/gzip.h"
#include "io/plain.h"
#include "io/zstd.h"

#include <stdlib.h>
#include <string.h>

enum kind { ZSTD, GZIP, PLAIN };

static struct encoder *encoder_for(enum kind kind, int level)
{
    if (kind == ZSTD)
        return zstd_encoder_new(level, NULL);
    return kind == GZIP ? gzip_encoder_new(level) : plain_encoder_new();
}

static struct decoder *decoder_for(enum kind kind)
{
    if (kind == ZSTD)
        return zstd_decoder_new();
    return kind == GZIP ? gzip_decoder_new() : plain_decoder_new();
}

/* Half text, half noise. */
static uint8_t *content_new(size_t size)
{
    uint8_t *data = mem_alloc(size ? size : 1, 1);
    uint32_t state = 7;
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525 + 1013904223;
        data[i] = (i >> 12) & 1 ? (uint8_t)(state >> 24) : (uint8_t)("anchor and line\n"[i % 16]);
    }
    return data;
}

static const struct {
    int line;
    enum kind kind;
    int level;
    size_t size;
} cases[] = {
    {__LINE__, ZSTD, 1, 0},        {__LINE__, ZSTD, 3, 1},      {__LINE__, ZSTD, -3, 300000},
    {__LINE__, ZSTD, 3, 4 << 20},  {__LINE__, ZSTD, 12, 0},     {__LINE__, ZSTD, 12, 1 << 18},
    {__LINE__, ZSTD, 19, 700000},  {__LINE__, GZIP, 1, 0},      {__LINE__, GZIP, 1, 1},
    {__LINE__, GZIP, 2, 70000},    {__LINE__, GZIP, 3, 300000}, {__LINE__, GZIP, 6, 300000},
    {__LINE__, GZIP, 1, 4 << 20},  {__LINE__, PLAIN, 0, 0},     {__LINE__, PLAIN, 0, 1},
    {__LINE__, PLAIN, 0, 4 << 20},
};

TEST(a_frame_comes_back_whole)
{
    struct error err = ERROR_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SCOPED(encoder) struct encoder *encoder = encoder_for(cases[i].kind, cases[i].level);
        SCOPED(decoder) struct decoder *decoder = decoder_for(cases[i].kind);
        SCOPED(memory) void *content = content_new(cases[i].size);
        size_t bound = encoder_bound(encoder, cases[i].size);
        SCOPED(memory) void *frame = mem_alloc(bound, 1);
        SCOPED(memory) void *back = mem_alloc(cases[i].size, 1);
        for (int round = 0; round < 2; round++) {
            size_t size = 0;
            assert_ok(encoder_encode(encoder, content, cases[i].size, frame, bound, &size, &err),
                      err);
            assert_ok(decoder_decode(decoder, frame, size, back, cases[i].size, &err), err);
            assert_case(cases[i].line, memcmp(content, back, cases[i].size) == 0);
        }
    }
}

TEST(a_frame_of_another_length_is_corrupt)
{
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        SCOPED(encoder) struct encoder *encoder = encoder_for(cases[i].kind, cases[i].level);
        SCOPED(decoder) struct decoder *decoder = decoder_for(cases[i].kind);
        SCOPED(memory) void *content = content_new(cases[i].size);
        size_t bound = encoder_bound(encoder, cases[i].size);
        SCOPED(memory) void *frame = mem_alloc(bound + 1, 1);
        SCOPED(memory) void *back = mem_alloc(cases[i].size + 1, 1);
        size_t size = 0;
        assert_ok(encoder_encode(encoder, content, cases[i].size, frame, bound, &size, &err), err);
        assert_fails(decoder_decode(decoder, frame, size, back, cases[i].size + 1, &err), err,
                     ERROR_CORRUPT);
        if (cases[i].size)
            assert_fails(decoder_decode(decoder, frame, size, back, cases[i].size - 1, &err), err,
                         ERROR_CORRUPT);
        if (size)
            assert_fails(decoder_decode(decoder, frame, size - 1, back, cases[i].size, &err), err,
                         ERROR_CORRUPT);
        assert_fails(decoder_decode(decoder, frame, size + 1, back, cases[i].size, &err), err,
                     ERROR_CORRUPT);
        assert_ok(decoder_decode(decoder, frame, size, back, cases[i].size, &err), err);
    }
}

TEST(a_flipped_byte_is_found)
{
    for (int kind = ZSTD; kind <= GZIP; kind++) {
        struct error err = ERROR_INIT;
        SCOPED(encoder) struct encoder *encoder = encoder_for((enum kind)kind, 1);
        SCOPED(decoder) struct decoder *decoder = decoder_for((enum kind)kind);
        uint8_t frame[2048];
        uint8_t back[256];
        SCOPED(memory) void *content = content_new(sizeof back);
        size_t size = 0;
        assert_ok(encoder_encode(encoder, content, sizeof back, frame, sizeof frame, &size, &err),
                  err);
        for (size_t i = 0; i < size; i++) {
            frame[i] ^= 0x10;
            int result = decoder_decode(decoder, frame, size, back, sizeof back, &err);
            /* Some bits of gzip's header (time, system) mean nothing to anybody. */
            assert_true(result < 0 || memcmp(back, content, sizeof back) == 0);
            frame[i] ^= 0x10;
        }
    }
}

struct buf_sink {
    struct sink base;
    struct buf *buf;
};

static int buf_write(struct sink *sink, const void *data, size_t size, struct error *err)
{
    (void)err;
    buf_append(((struct buf_sink *)sink)->buf, data, size);
    return 0;
}

static const struct sink_ops buf_sink_ops = {.write = buf_write};

/* Decode in small steps; 1 when it ended at a boundary, 0 when cut, -1. */
static int decode_in_steps(struct decoder *decoder, const struct buf *in, size_t piece,
                           struct buf *out, int *ret_boundaries, struct error *err)
{
    const uint8_t *data = (const uint8_t *)in->data;
    struct codec_step step = {.in = data, .boundary = true};
    size_t given = 0;
    *ret_boundaries = 0;
    for (;;) {
        if (!step.in_size && given < in->length) {
            step.in_size = in->length - given < piece ? in->length - given : piece;
            given += step.in_size;
        }
        if (!step.in_size && step.boundary)
            return 1;
        uint8_t room[777];
        size_t before = step.in_size;
        step.out = room;
        step.out_size = sizeof room;
        if (decoder_step(decoder, &step, err) < 0)
            return -1;
        buf_append(out, room, sizeof room - step.out_size);
        *ret_boundaries += step.boundary;
        if (!step.boundary && step.in_size == before && step.out_size == sizeof room)
            return 0;
    }
}

TEST(a_stream_of_several_frames_is_read_in_steps)
{
    for (int kind = ZSTD; kind <= GZIP; kind++) {
        struct error err = ERROR_INIT;
        SCOPED(buf) struct buf stream = BUF_INIT;
        SCOPED(buf) struct buf wanted = BUF_INIT;
        struct buf_sink target = {.base.ops = &buf_sink_ops, .buf = &stream};
        for (size_t size = 0; size < 40000; size = size * 3 + 5) {
            SCOPED(memory) void *content = content_new(size);
            struct sink *sink =
                kind == ZSTD ? zstd_sink_new(1, &target.base) : gzip_sink_new(1, &target.base);
            assert_ok(sink_write(sink, content, size / 2, &err), err);
            assert_ok(sink_write(sink, (char *)content + size / 2, size - size / 2, &err), err);
            assert_ok(sink_finish(sink, &err), err);
            sink_free(sink);
            buf_append(&wanted, content, size);
        }
        SCOPED(decoder) struct decoder *decoder = decoder_for((enum kind)kind);
        for (size_t piece = 1; piece < 100000; piece *= 7) {
            SCOPED(buf) struct buf back = BUF_INIT;
            int boundaries = 0;
            assert_int_equal(decode_in_steps(decoder, &stream, piece, &back, &boundaries, &err), 1);
            assert_int_equal(boundaries, 9);
            assert_int_equal(back.length, wanted.length);
            assert_memory_equal(back.data, wanted.data, wanted.length);
        }
        stream.length -= 1;
        SCOPED(buf) struct buf back = BUF_INIT;
        int boundaries = 0;
        assert_int_equal(decode_in_steps(decoder, &stream, 4096, &back, &boundaries, &err), 0);
        decoder_reset(decoder);
    }
}

/* What was to be encoded when somebody interrupts is not encoded to its end. */
TEST(a_slow_level_can_be_interrupted)
{
    struct error err = ERROR_INIT;
    SCOPED(encoder) struct encoder *encoder = encoder_for(ZSTD, 19);
    SCOPED(memory) void *content = content_new(1 << 20);
    size_t bound = encoder_bound(encoder, 1 << 20);
    SCOPED(memory) void *frame = mem_alloc(bound, 1);
    size_t size = 0;
    stop_request();
    assert_fails(encoder_encode(encoder, content, 1 << 20, frame, bound, &size, &err), err,
                 ERROR_INTERRUPTED);
    stop_clear();
    assert_ok(encoder_encode(encoder, content, 1 << 20, frame, bound, &size, &err), err);
}

TEST(a_stride_leaves_no_literals_uncompressed)
{
    struct error err = ERROR_INIT;
    static const struct zstd_tuning tuning = {.stride = 3};
    SCOPED(encoder) struct encoder *encoder = zstd_encoder_new(1, &tuning);
    size_t size = 1 << 20, made = 0, capacity = encoder->ops->bound(encoder, size);
    SCOPED(memory) void *digits = mem_alloc(size, 1);
    SCOPED(memory) void *out = mem_alloc(capacity, 1);
    uint32_t random = 7;
    for (size_t i = 0; i < size; i++) {
        random = random * 1664525 + 1013904223;
        ((char *)digits)[i] = "0123456789abcdef"[random >> 28];
    }
    assert_ok(encoder->ops->encode(encoder, digits, size, out, capacity, &made, &err), err);
    assert_true(made < size * 6 / 10);
}

TEST_MAIN(UNIT(a_frame_comes_back_whole), UNIT(a_stride_leaves_no_literals_uncompressed),
          UNIT(a_slow_level_can_be_interrupted), UNIT(a_frame_of_another_length_is_corrupt),
          UNIT(a_flipped_byte_is_found), UNIT(a_stream_of_several_frames_is_read_in_steps))
