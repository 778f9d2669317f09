#include "io/tar_sparse.h"

#include "base/mem.h"
#include "io/tar_header.h"
#include "io/tar_number.h"

#include <stdlib.h>
#include <string.h>

#define EXTENTS_MAXIMUM ((size_t)1 << 20)
#define NUMBER_WIDTH 12
/* Where things are in a header of type 'S', and in a block that goes on with its map. */
#define HEADER_MAP 386
#define HEADER_ENTRIES 4
#define HEADER_MORE 482
#define HEADER_SIZE 483
#define BLOCK_ENTRIES 21
#define BLOCK_MORE 504

void tar_sparse_reset(struct tar_sparse *sparse)
{
    struct tar_extent *extents = sparse->extents;
    size_t capacity = sparse->capacity;
    *sparse = (struct tar_sparse){.extents = extents, .capacity = capacity};
}

void tar_sparse_clear(struct tar_sparse *sparse)
{
    free(sparse->extents);
    *sparse = (struct tar_sparse){0};
}

/* Whether extents are in order is asked when all are there. */
static int add_offset(struct tar_sparse *sparse, uint64_t offset)
{
    if (sparse->half || sparse->count == EXTENTS_MAXIMUM)
        return -1;
    ARRAY_GROW(sparse->extents, sparse->count, sparse->capacity);
    sparse->extents[sparse->count++] = (struct tar_extent){.offset = offset};
    sparse->half = true;
    return 0;
}

static int add_length(struct tar_sparse *sparse, uint64_t length)
{
    if (!sparse->half)
        return -1;
    sparse->extents[sparse->count - 1].length = length;
    sparse->half = false;
    return 0;
}

/* ---- records ---- */

/* "offset,length,offset,length" */
static int take_list(struct tar_sparse *sparse, const char *list)
{
    SCOPED(string) char *copy = mem_string(list);
    char *rest = NULL;
    for (const char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
        uint64_t number = 0;
        if (tar_number_parse(word, INT64_MAX, &number) < 0 ||
            (sparse->half ? add_length(sparse, number) : add_offset(sparse, number)) < 0)
            return -1;
    }
    return 0;
}

static int take_version(struct tar_sparse *sparse, int *ret_part, const char *value)
{
    uint64_t number = 0;
    if (tar_number_parse(value, 1000, &number) < 0)
        return -1;
    *ret_part = (int)number;
    sparse->has_version = true;
    return 0;
}

int tar_sparse_record(struct tar_sparse *sparse, const char *key, const char *value)
{
    uint64_t number = 0;
    sparse->any = true;
    if (strcmp(key, "name") == 0) {
        sparse->path = value;
        return *value ? 0 : -1;
    }
    if (strcmp(key, "major") == 0)
        return take_version(sparse, &sparse->major, value);
    if (strcmp(key, "minor") == 0)
        return take_version(sparse, &sparse->minor, value);
    if (strcmp(key, "map") == 0)
        return take_list(sparse, value);
    if (tar_number_parse(value, INT64_MAX, &number) < 0)
        return -1;
    if (strcmp(key, "offset") == 0)
        return add_offset(sparse, number);
    if (strcmp(key, "numbytes") == 0)
        return add_length(sparse, number);
    if (strcmp(key, "size") != 0 && strcmp(key, "realsize") != 0)
        /* "numblocks" tells what the map itself does. */
        return strcmp(key, "numblocks") == 0 ? 0 : -1;
    sparse->real_size = number;
    sparse->has_size = true;
    return 0;
}

/* ---- the old header ---- */

static int take_entries(struct tar_sparse *sparse, const uint8_t *at, size_t count)
{
    for (size_t i = 0; i < count; i++, at += (size_t)2 * NUMBER_WIDTH) {
        const char *offset_field = (const char *)at, *length_field = offset_field + NUMBER_WIDTH;
        int64_t offset = 0, length = 0;
        if (!length_field[0])
            return 0;
        if (tar_number_get(offset_field, NUMBER_WIDTH, &offset) < 0 || offset < 0 ||
            tar_number_get(length_field, NUMBER_WIDTH, &length) < 0 || length < 0 ||
            add_offset(sparse, (uint64_t)offset) < 0 || add_length(sparse, (uint64_t)length) < 0)
            return -1;
    }
    return 0;
}

int tar_sparse_old_header(struct tar_sparse *sparse, const struct tar_header *header)
{
    const uint8_t *block = (const uint8_t *)header;
    int64_t size = 0;
    if (sparse->any || tar_number_get((const char *)block + HEADER_SIZE, NUMBER_WIDTH, &size) < 0 ||
        size < 0 || take_entries(sparse, block + HEADER_MAP, HEADER_ENTRIES) < 0)
        return -1;
    sparse->any = sparse->has_size = true;
    sparse->real_size = (uint64_t)size;
    return block[HEADER_MORE] != 0;
}

int tar_sparse_old_block(struct tar_sparse *sparse, const uint8_t *block)
{
    if (take_entries(sparse, block, BLOCK_ENTRIES) < 0)
        return -1;
    return block[BLOCK_MORE] != 0;
}

/* ---- altogether ---- */

/* The extents lie in order within the file, and the content is as long as they are. */
static bool adds_up(const struct tar_sparse *sparse, uint64_t content)
{
    uint64_t end = 0, total = 0;
    for (size_t i = 0; i < sparse->count; i++) {
        const struct tar_extent *extent = &sparse->extents[i];
        if (extent->offset < end || extent->offset > sparse->real_size ||
            extent->length > sparse->real_size - extent->offset)
            return false;
        end = extent->offset + extent->length;
        total += extent->length;
    }
    return total == content;
}

int tar_sparse_finish(struct tar_sparse *sparse, struct tar_member *member)
{
    if (!sparse->has_size || sparse->half)
        return -1;
    member->sparse = true;
    member->real_size = sparse->real_size;
    if (sparse->path)
        member->path = sparse->path;
    if (sparse->has_version && sparse->major == 1)
        return sparse->minor == 0 && sparse->path && !sparse->count ? 0 : -1;
    if (sparse->has_version && sparse->major != 0)
        return -1;
    member->mapped = true;
    member->extents = sparse->extents;
    member->extent_count = sparse->count;
    return adds_up(sparse, member->size) ? 0 : -1;
}
