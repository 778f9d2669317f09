/*
 * Reading the index back: from a place in the compressed stream to the visitor's calls.
 */
#include "artifact/index.h"

#include "artifact/compression.h"
#include "artifact/index_lines.h"
#include "base/error.h"
#include "base/text.h"
#include "io/codec.h"
#include "io/tar.h"
#include "io/zstd.h"

#include <stdlib.h>
#include <string.h>

#define PIECE ((size_t)64 << 10)

struct scan {
    struct index_lines lines;
    struct tar_parser *archive; /* around the lines, in tar */
    bool entered;               /* the member was seen */
    bool over;                  /* the archive ended */
};

static int damaged(const char *what, struct error *err)
{
    return error_set(err, ERROR_CORRUPT, "index: %s", what);
}

/* ---- the tar member around the lines ---- */

static int take_event(struct scan *scan, enum tar_event event, const struct tar_piece *piece,
                      struct error *err)
{
    const struct tar_member *member = NULL;
    switch (event) {
    case TAR_MEMBER:
        member = tar_parser_member(scan->archive);
        if (scan->entered || member->type != TAR_FILE || strcmp(member->path, INDEX_MEMBER) != 0)
            return damaged("it is not the one member " INDEX_MEMBER, err);
        scan->entered = true;
        return 0;
    case TAR_CONTENT:
        return index_lines_feed(&scan->lines, piece->data, piece->size, err);
    case TAR_END:
        scan->over = true;
        return 0;
    case TAR_MORE:
        return 0;
    }
    return 0;
}

static int take_archive(struct scan *scan, const uint8_t *data, size_t size, struct error *err)
{
    enum tar_event event = TAR_MEMBER;
    int result = 0;
    while (event != TAR_MORE && result == 0 && !scan->over) {
        struct tar_piece piece = {0};
        if (tar_parser_next(scan->archive, &data, &size, &event, &piece, err) < 0)
            return error_prefix(err, "index");
        result = take_event(scan, event, &piece, err);
    }
    for (size_t i = 0; scan->over && i < size; i++)
        if (data[i])
            return damaged("something follows the end of the archive", err);
    return result;
}

static int take_plain(struct scan *scan, const uint8_t *data, size_t size, struct error *err)
{
    if (scan->archive)
        return take_archive(scan, data, size, err);
    return index_lines_feed(&scan->lines, data, size, err);
}

static int take_end(struct scan *scan, struct error *err)
{
    if (scan->archive && !scan->over)
        return damaged("cut", err);
    return index_lines_finish(&scan->lines, err);
}

/* ---- the frame ---- */

/* Bytes of the frame, without the wrapping that hides a database image's index from tools. */
struct feed {
    const struct index_place *place;
    uint64_t at;
    uint64_t end;
    uint64_t piece_end; /* of the wrapped piece that `at` is in */
};

static uint64_t get_little(const uint8_t *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = size; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

/* Step over the header of a skippable frame, or of an empty gzip member and the one before. */
static int enter_piece(struct feed *feed, struct error *err)
{
    bool zipped = feed->place->compression == COMPRESSION_GZIP;
    uint8_t header[16];
    size_t size = zipped ? 16 : 8;
    if (zipped && feed->at != feed->place->offset)
        feed->at += 10; /* the empty content, its CRC and length */
    if (feed->at == feed->end)
        return 0;
    if (feed->end - feed->at < size)
        return damaged("cut", err);
    if (feed->place->read(feed->place->context, feed->at, header, size, err) < 0)
        return -1;
    uint64_t length = zipped ? get_little(header + 14, 2) : get_little(header + 4, 4);
    bool marked = zipped ? memcmp(header, "\x1F\x8B\x08\x04", 4) == 0 && header[12] == 'K' &&
                               header[13] == 'I' && get_little(header + 10, 2) == length + 4
                         : get_little(header, 4) == 0x184D2A50;
    feed->at += size;
    feed->piece_end = feed->at + length;
    if (!marked || feed->piece_end > feed->end - (zipped ? 10 : 0))
        return damaged("damaged wrapping", err);
    return 0;
}

static int feed_next(struct feed *feed, uint8_t *piece, size_t *ret_size, struct error *err)
{
    bool wrapped = strcmp(feed->place->kind, "sqlite3") == 0;
    if (wrapped && feed->at == feed->piece_end && feed->at < feed->end &&
        enter_piece(feed, err) < 0)
        return -1;
    uint64_t end = wrapped ? feed->piece_end : feed->end;
    uint64_t left = end > feed->at ? end - feed->at : 0;
    *ret_size = left < PIECE ? (size_t)left : PIECE;
    if (!*ret_size)
        return 0;
    if (feed->place->read(feed->place->context, feed->at, piece, *ret_size, err) < 0)
        return -1;
    feed->at += *ret_size;
    return 0;
}

static int decode(struct feed *feed, struct decoder *decoder, struct scan *scan, uint8_t *in,
                  uint8_t *out, struct error *err)
{
    struct codec_step step = {.boundary = true};
    for (;;) {
        if (!step.in_size) {
            step.in = in;
            if (feed_next(feed, in, &step.in_size, err) < 0)
                return -1;
        }
        if (!step.in_size && step.boundary)
            return take_end(scan, err);
        bool last = !step.in_size;
        step.out = out;
        step.out_size = PIECE;
        if (decoder_step(decoder, &step, err) < 0)
            return error_prefix(err, "index");
        if (last && step.out_size == PIECE && !step.boundary)
            return damaged("cut", err);
        int result = take_plain(scan, out, PIECE - step.out_size, err);
        if (result)
            return result;
    }
}

int index_read(const struct index_place *place, const struct index_visitor *visitor,
               struct error *err)
{
    struct feed feed = {.place = place, .at = place->offset, .end = place->offset + place->length};
    feed.piece_end = feed.at;
    if (feed.end < feed.at)
        return damaged("outside of the file", err);
    SCOPED(memory) void *in = mem_alloc(PIECE, 1);
    SCOPED(memory) void *out = mem_alloc(PIECE, 1);
    bool image = strcmp(place->kind, "sqlite3") == 0;
    SCOPED(decoder)
    struct decoder *decoder = image ? zstd_decoder_new() : compression_decoder(place->compression);
    struct scan scan = {.archive = strcmp(place->kind, "tar") == 0 ? tar_parser_new() : NULL};
    index_lines_init(&scan.lines, visitor, strcmp(place->kind, "sql") == 0);
    int result = decode(&feed, decoder, &scan, in, out, err);
    index_lines_clear(&scan.lines);
    tar_parser_free(scan.archive);
    return result;
}
