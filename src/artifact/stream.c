#include "artifact/stream.h"

#include "artifact/compression.h"
#include "artifact/input.h"
#include "base/error.h"
#include "base/stop.h"
#include "crypto/sha256.h"
#include "io/codec.h"

#include <stdlib.h>

#define PIECE ((size_t)1 << 20)

struct stream {
    struct input *input;
    struct decoder *decoder;
    enum compression kind;
    uint8_t *stored;
    struct codec_step step;
    uint64_t fetched; /* of the compressed stream */
    uint64_t plain;   /* given out */
    stream_frame_fn *passed;
    void *context;
    struct stream_frame frame; /* the one we are in */
    struct sha256 *hash;
};

struct stream *stream_new(struct input *input, enum compression kind)
{
    struct stream *stream = MEM_NEW(struct stream);
    stream->input = input;
    stream->kind = kind;
    stream->decoder = compression_decoder(kind);
    stream->stored = mem_alloc(PIECE, 1);
    stream->step.boundary = true;
    return stream;
}

void stream_watch(struct stream *stream, stream_frame_fn *passed, void *context)
{
    stream->passed = passed;
    stream->context = context;
    stream->hash = sha256_new();
}

void stream_free(struct stream *stream)
{
    if (!stream)
        return;
    decoder_free(stream->decoder);
    sha256_free(stream->hash);
    free(stream->stored);
    free(stream);
}

static int fetch(struct stream *stream, struct error *err)
{
    uint64_t left = input_size(stream->input) - stream->fetched;
    size_t size = left < PIECE ? (size_t)left : PIECE;
    if (stop_check(err) < 0 ||
        input_read(stream->input, stream->fetched, stream->stored, size, err) < 0)
        return -1;
    stream->fetched += size;
    stream->step.in = stream->stored;
    stream->step.in_size = size;
    return 0;
}

static int pass_frame(struct stream *stream, struct error *err)
{
    struct stream_frame *frame = &stream->frame;
    frame->length = stream->fetched - stream->step.in_size - frame->offset;
    frame->plain = stream->plain - frame->plain_offset;
    sha256_finish(stream->hash, frame->sha256);
    int result = stream->passed(stream->context, frame, err);
    *frame = (struct stream_frame){.offset = frame->offset + frame->length,
                                   .plain_offset = stream->plain};
    return result;
}

/* One step, with what there is to note about it. */
static int advance(struct stream *stream, struct error *err)
{
    struct codec_step *step = &stream->step;
    const uint8_t *in = step->in;
    const uint8_t *out = step->out;
    size_t in_size = step->in_size;
    bool first = step->boundary;
    if (decoder_step(stream->decoder, step, err) < 0)
        return error_prefix(err, "at offset %llu", (unsigned long long)(stream->fetched - in_size));
    stream->plain += (uint64_t)(step->out - out);
    if (stream->hash)
        sha256_update(stream->hash, in, in_size - step->in_size);
    if (step->boundary && stream->passed && stream->kind != COMPRESSION_NONE)
        return pass_frame(stream, err);
    if (!step->boundary && !first && step->in == in && step->out == out)
        return error_set(err, ERROR_CORRUPT, "ends inside a frame, at offset %llu",
                         (unsigned long long)stream->fetched);
    return 0;
}

int stream_read(struct stream *stream, void *data, size_t size, size_t *ret_size, struct error *err)
{
    struct codec_step *step = &stream->step;
    step->out = data;
    step->out_size = size;
    while (step->out_size) {
        if (!step->in_size && fetch(stream, err) < 0)
            return -1;
        if (!step->in_size && step->boundary)
            break;
        if (advance(stream, err) < 0)
            return -1;
    }
    *ret_size = size - step->out_size;
    return 0;
}
