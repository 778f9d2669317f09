#include "artifact/frame.h"

#include "artifact/compression.h"
#include "artifact/contents.h"
#include "artifact/input.h"
#include "base/error.h"
#include "crypto/sha256.h"
#include "io/codec.h"

#include <string.h>

/* A frame that was much larger than usual does not keep its room. */
#define KEPT_MAXIMUM (2 * SEGMENT_MAXIMUM)

void frame_reader_init(struct frame_reader *reader, struct input *input, enum compression kind)
{
    *reader = (struct frame_reader){.input = input, .decoder = compression_decoder(kind)};
}

void frame_reader_clear(struct frame_reader *reader)
{
    decoder_free(reader->decoder);
    pages_clear(&reader->stored);
    *reader = (struct frame_reader){0};
}

static int at_frame(const struct content_frame *frame, uint64_t number, struct error *err)
{
    return error_prefix(err, "frame %llu at offset %llu", (unsigned long long)number,
                        (unsigned long long)frame->offset);
}

int frame_fetch(struct frame_reader *reader, const struct content_frame *frame, uint64_t number,
                struct error *err)
{
    if (reader->stored.capacity > KEPT_MAXIMUM && frame->length <= KEPT_MAXIMUM)
        pages_clear(&reader->stored);
    size_t size = (size_t)frame->length;
    if (pages_reserve(&reader->stored, size ? size : 1, 0, err) < 0 ||
        input_read(reader->input, frame->offset, reader->stored.data, size, err) < 0)
        return at_frame(frame, number, err);
    uint8_t digest[SHA256_SIZE];
    if (frame->hashed) {
        sha256_of(reader->stored.data, size, digest);
        if (memcmp(digest, frame->sha256, sizeof digest) != 0) {
            error_set(err, ERROR_CORRUPT, "its SHA-256 is another");
            return at_frame(frame, number, err);
        }
    }
    return 0;
}

int frame_decode(struct frame_reader *reader, const struct content_frame *frame, uint64_t number,
                 uint8_t *plain, struct error *err)
{
    if (decoder_decode(reader->decoder, reader->stored.data, (size_t)frame->length, plain,
                       (size_t)frame->view.size, err) < 0)
        return at_frame(frame, number, err);
    if (reader->stored.capacity > KEPT_MAXIMUM)
        pages_clear(&reader->stored);
    return 0;
}
