#include "source/row_digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Rows are short, and a call into the library costs a third of their hash. */
#define XXH_INLINE_ALL
#include <xxhash.h>

static void add(struct row_digest *digest, uint64_t low, uint64_t high)
{
    digest->low += low;
    digest->high += high + (digest->low < low);
}

static void add_row(struct row_digest *digest, XXH128_hash_t hash, size_t stored)
{
    add(digest, hash.low64, hash.high64);
    digest->rows++;
    digest->bytes += stored;
}

void row_digest_add(struct row_digest *digest, const void *row, size_t size, size_t stored)
{
    add_row(digest, XXH3_128bits(row, size), stored);
}

/* ---- in pieces ---- */

struct row_pieces {
    XXH3_state_t *state;
    size_t size;
};

struct row_pieces *row_pieces_new(void)
{
    struct row_pieces *pieces = MEM_NEW(struct row_pieces);
    pieces->state = XXH3_createState();
    if (!pieces->state)
        abort(); /* out of memory */
    XXH3_128bits_reset(pieces->state);
    return pieces;
}

void row_pieces_free(struct row_pieces *pieces)
{
    if (!pieces)
        return;
    XXH3_freeState(pieces->state);
    free(pieces);
}

void row_pieces_add(struct row_pieces *pieces, const void *data, size_t size)
{
    XXH3_128bits_update(pieces->state, data, size);
    pieces->size += size;
}

size_t row_pieces_size(const struct row_pieces *pieces)
{
    return pieces->size;
}

void row_digest_add_pieces(struct row_digest *digest, struct row_pieces *pieces, size_t line_end)
{
    add_row(digest, XXH3_128bits_digest(pieces->state), pieces->size + line_end);
    XXH3_128bits_reset(pieces->state);
    pieces->size = 0;
}

/* ---- sums ---- */

void row_digest_merge(struct row_digest *digest, const struct row_digest *part)
{
    add(digest, part->low, part->high);
    digest->rows += part->rows;
    digest->bytes += part->bytes;
}

void row_digest_format(const struct row_digest *digest, char ret_text[static ROW_DIGEST_TEXT])
{
    snprintf(ret_text, ROW_DIGEST_TEXT, "sumxxh3:%016" PRIx64 "%016" PRIx64, digest->high,
             digest->low);
}
