#include "source/files_table.h"

#include "base/error.h"
#include "base/mem.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define BYTES_MAXIMUM ((size_t)64 << 20)

struct row {
    struct row *next;
    struct files_place place;
    uint64_t hash;
    char path[]; /* and the place's text behind it */
};

struct files_table {
    struct row **buckets;
    size_t bucket_count, count, bytes;
};

struct files_table *files_table_new(void)
{
    struct files_table *table = MEM_NEW(struct files_table);
    table->bucket_count = 64;
    table->buckets = mem_alloc(table->bucket_count, sizeof *table->buckets);
    return table;
}

void files_table_free(struct files_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->bucket_count; i++)
        for (struct row *row = table->buckets[i], *next = NULL; row; row = next) {
            next = row->next;
            free(row);
        }
    free(table->buckets);
    free(table);
}

size_t files_table_count(const struct files_table *table)
{
    return table->count;
}

static struct row **bucket_of(const struct files_table *table, uint64_t hash)
{
    assert(table->bucket_count > 0);
    return &table->buckets[hash % table->bucket_count];
}

static struct row *find(const struct files_table *table, const char *path, uint64_t hash)
{
    struct row *row = *bucket_of(table, hash);
    while (row && (row->hash != hash || strcmp(row->path, path) != 0))
        row = row->next;
    return row;
}

static void double_buckets(struct files_table *table)
{
    size_t count = table->bucket_count * 2;
    struct row **buckets = mem_alloc(count, sizeof *buckets);
    for (size_t i = 0; i < table->bucket_count; i++)
        for (struct row *row = table->buckets[i], *next = NULL; row; row = next) {
            next = row->next;
            row->next = buckets[row->hash % count];
            buckets[row->hash % count] = row;
        }
    free(table->buckets);
    table->buckets = buckets;
    table->bucket_count = count;
}

int files_table_add(struct files_table *table, const char *path, size_t side, const char *place,
                    struct error *err)
{
    uint64_t hash = XXH3_64bits(path, strlen(path));
    if (find(table, path, hash))
        return 0;
    size_t path_size = strlen(path) + 1, place_size = strlen(place) + 1;
    size_t size = sizeof(struct row) + path_size + place_size;
    if (size > BYTES_MAXIMUM - table->bytes)
        return error_set(err, ERROR_FAILED, "more names than can be remembered at once");
    if (table->count == table->bucket_count)
        double_buckets(table);
    struct row *row = mem_alloc(1, size);
    memcpy(row->path, path, path_size);
    memcpy(row->path + path_size, place, place_size);
    row->place = (struct files_place){.side = side, .place = row->path + path_size};
    row->hash = hash;
    struct row **bucket = bucket_of(table, hash);
    row->next = *bucket;
    *bucket = row;
    table->count++;
    table->bytes += size;
    return 1;
}

const struct files_place *files_table_find(const struct files_table *table, const char *path)
{
    const struct row *row = find(table, path, XXH3_64bits(path, strlen(path)));
    return row ? &row->place : NULL;
}
