#include "source/row_digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

static void add(struct row_digest *digest, uint64_t low, uint64_t high)
{
    digest->low += low;
    digest->high += high + (digest->low < low);
}

void row_digest_add(struct row_digest *digest, const void *row, size_t size, size_t stored)
{
    XXH128_hash_t hash = XXH3_128bits(row, size);
    add(digest, hash.low64, hash.high64);
    digest->rows++;
    digest->bytes += stored;
}

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
