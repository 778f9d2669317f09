#include "source/postgres_counts.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/segment.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void postgres_counts_init(struct postgres_counts *counts)
{
    *counts = (struct postgres_counts){.lock = PTHREAD_MUTEX_INITIALIZER};
}

void postgres_counts_clear(struct postgres_counts *counts)
{
    for (size_t i = 0; i < counts->count; i++) {
        free(counts->items[i].schema);
        free(counts->items[i].name);
        free(counts->items[i].columns);
    }
    free(counts->items);
    pthread_mutex_destroy(&counts->lock);
}

static bool is_table(const struct postgres_count *item, const char *schema, const char *name)
{
    return strcmp(item->name, name) == 0 && text_equal(item->schema, schema);
}

static struct postgres_count *find_count(struct postgres_counts *counts, const char *schema,
                                         const char *name)
{
    if (counts->last < counts->count && is_table(&counts->items[counts->last], schema, name))
        return &counts->items[counts->last];
    for (size_t i = 0; i < counts->count; i++)
        if (is_table(&counts->items[i], schema, name)) {
            counts->last = i;
            return &counts->items[i];
        }
    return NULL;
}

void postgres_counts_add(struct postgres_counts *counts, const char *schema, const char *name,
                         const char *columns, const struct row_digest *digest)
{
    pthread_mutex_lock(&counts->lock);
    struct postgres_count *item = find_count(counts, schema, name);
    if (!item) {
        ARRAY_GROW(counts->items, counts->count, counts->capacity);
        item = &counts->items[counts->count++];
        *item = (struct postgres_count){
            .schema = mem_string(schema), .name = mem_string(name), .columns = mem_string(columns)};
    }
    row_digest_merge(&item->digest, digest);
    pthread_mutex_unlock(&counts->lock);
}

uint64_t postgres_counts_rows(struct postgres_counts *counts)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < counts->count; i++)
        rows += counts->items[i].digest.rows;
    return rows;
}

const char *postgres_counts_columns(struct postgres_counts *counts, const char *schema,
                                    const char *name)
{
    const struct postgres_count *item = find_count(counts, schema, name);
    return item ? item->columns : NULL;
}

int postgres_counts_check_table(struct postgres_counts *counts, const struct segment_table *table,
                                struct error *err)
{
    static const struct row_digest none;
    const struct postgres_count *item = find_count(counts, table->schema, table->name);
    const struct row_digest *digest = item ? &item->digest : &none;
    if (digest->rows != table->rows)
        return error_set(err, ERROR_RESTORE,
                         "table %s.%s: %" PRIu64 " rows were loaded, the backup has %" PRIu64,
                         table->schema, table->name, digest->rows, table->rows);
    char text[ROW_DIGEST_TEXT];
    row_digest_format(digest, text);
    if (table->digest && strcmp(text, table->digest) != 0)
        return error_set(err, ERROR_RESTORE,
                         "table %s.%s: what was loaded is not what was backed up", table->schema,
                         table->name);
    return 0;
}

int postgres_counts_check(struct postgres_counts *counts, const struct segment_source *expected,
                          struct error *err)
{
    struct segment_source *source = (struct segment_source *)(uintptr_t)expected;
    for (size_t i = 0; i < source->ops->table_count(source); i++)
        if (postgres_counts_check_table(counts, source->ops->table(source, i), err) < 0)
            return -1;
    return 0;
}
