/*
 * Reading the index back: from a place in the compressed stream to the visitor's calls.
 */
#include "artifact/index.h"

#include "artifact/compression.h"
#include "artifact/index_lines.h"
#include "base/error.h"
#include "base/text.h"
#include "io/codec.h"
#include "io/zstd.h"

#include <stdlib.h>
#include <string.h>

#define TAR_BLOCK ((size_t)512)
#define PIECE ((size_t)64 << 10)

/* Where in the frame's plain content a reader stands. In SQL it is all lines. */
enum stage { STAGE_HEADER, STAGE_PAX, STAGE_LINES, STAGE_ZEROS };

struct scan {
    struct index_lines lines;
    enum stage stage;
    uint64_t left; /* of the member's content, in tar */
    uint64_t size; /* that a pax header stated, 0 for none */
    size_t filled;
    char block[TAR_BLOCK];
};

static int damaged(const char *what, struct error *err)
{
    return error_set(err, ERROR_CORRUPT, "index: %s", what);
}

/* ---- the tar member around the lines ---- */

static int take_header(struct scan *scan, struct error *err)
{
    char octal[13] = "";
    memcpy(octal, scan->block + 124, 12);
    char *end = NULL;
    uint64_t size = strtoull(octal, &end, 8);
    bool named = strncmp(scan->block, INDEX_MEMBER, 100) == 0;
    if (!named || end == octal || memcmp(scan->block + 257, "ustar", 5) != 0)
        return damaged("no member " INDEX_MEMBER, err);
    if (scan->block[156] == 'x' && size > 0 && size < TAR_BLOCK && !scan->size) {
        scan->stage = STAGE_PAX;
        return 0;
    }
    if (scan->block[156] != '0')
        return damaged("its member is not a file", err);
    scan->left = scan->size ? scan->size : size;
    scan->stage = scan->left ? STAGE_LINES : STAGE_ZEROS;
    return 0;
}

static int take_pax(struct scan *scan, struct error *err)
{
    scan->block[TAR_BLOCK - 1] = '\0';
    const char *size = strstr(scan->block, " size=");
    scan->size = size ? strtoull(size + 6, NULL, 10) : 0;
    if (!scan->size)
        return damaged("its pax header has no size", err);
    scan->stage = STAGE_HEADER;
    return 0;
}

/* Gather a block; 1 when it is whole. */
static int gather(struct scan *scan, const uint8_t **data, size_t *size)
{
    size_t part = TAR_BLOCK - scan->filled < *size ? TAR_BLOCK - scan->filled : *size;
    memcpy(scan->block + scan->filled, *data, part);
    scan->filled += part;
    *data += part;
    *size -= part;
    if (scan->filled < TAR_BLOCK)
        return 0;
    scan->filled = 0;
    return 1;
}

static int take_lines(struct scan *scan, const uint8_t **data, size_t *size, struct error *err)
{
    size_t part = scan->left < *size ? (size_t)scan->left : *size;
    int result = index_lines_feed(&scan->lines, *data, part, err);
    *data += part;
    *size -= part;
    scan->left -= part;
    if (!scan->left)
        scan->stage = STAGE_ZEROS;
    return result;
}

static int take_archive(struct scan *scan, const uint8_t *data, size_t size, struct error *err)
{
    int result = 0;
    while (size && result == 0) {
        if (scan->stage == STAGE_LINES) {
            result = take_lines(scan, &data, &size, err);
        } else if (scan->stage == STAGE_ZEROS) {
            if (*data)
                return damaged("something follows it in the archive", err);
            data++;
            size--;
        } else if (gather(scan, &data, &size)) {
            result = scan->stage == STAGE_HEADER ? take_header(scan, err) : take_pax(scan, err);
        }
    }
    return result;
}

static int take_plain(struct scan *scan, const char *kind, const uint8_t *data, size_t size,
                      struct error *err)
{
    if (strcmp(kind, "tar") == 0)
        return take_archive(scan, data, size, err);
    return index_lines_feed(&scan->lines, data, size, err);
}

static int take_end(struct scan *scan, const char *kind, struct error *err)
{
    if (strcmp(kind, "tar") == 0 && scan->stage != STAGE_ZEROS)
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
            return take_end(scan, feed->place->kind, err);
        bool last = !step.in_size;
        step.out = out;
        step.out_size = PIECE;
        if (decoder_step(decoder, &step, err) < 0)
            return error_prefix(err, "index");
        if (last && step.out_size == PIECE && !step.boundary)
            return damaged("cut", err);
        int result = take_plain(scan, feed->place->kind, out, PIECE - step.out_size, err);
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
    struct scan scan = {.stage = STAGE_HEADER};
    index_lines_init(&scan.lines, visitor, strcmp(place->kind, "sql") == 0);
    int result = decode(&feed, decoder, &scan, in, out, err);
    index_lines_clear(&scan.lines);
    return result;
}

bool index_is(const char *kind, const void *data, size_t size)
{
    static const char sql[] = INDEX_COMMENT INDEX_HEADER "\n";
    if (strcmp(kind, "sql") == 0)
        return size >= strlen(sql) && memcmp(data, sql, strlen(sql)) == 0;
    if (strcmp(kind, "tar") == 0)
        return size >= TAR_BLOCK && memcmp(data, INDEX_MEMBER, sizeof INDEX_MEMBER) == 0;
    return false;
}
