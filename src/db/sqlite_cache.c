#include "db/sqlite_cache.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

struct sqlite_cached *sqlite_cache_find(struct sqlite_cache *cache, const char *sql, size_t size)
{
    for (size_t i = 0; i < SQLITE_CACHE_SIZE; i++) {
        struct sqlite_cached *entry = &cache->items[i];
        if (entry->sql && !entry->busy && strlen(entry->sql) == size &&
            memcmp(entry->sql, sql, size) == 0)
            return entry;
    }
    return NULL;
}

static void drop(struct sqlite_cached *entry)
{
    sqlite3_finalize(entry->statement);
    free(entry->sql);
    *entry = (struct sqlite_cached){0};
}

struct sqlite_cached *sqlite_cache_room(struct sqlite_cache *cache)
{
    struct sqlite_cached *oldest = NULL;
    for (size_t i = 0; i < SQLITE_CACHE_SIZE; i++) {
        struct sqlite_cached *entry = &cache->items[i];
        if (!entry->busy && (!oldest || entry->used < oldest->used))
            oldest = entry;
    }
    if (oldest)
        drop(oldest);
    return oldest;
}

void sqlite_cache_take(struct sqlite_cache *cache, struct sqlite_cached *entry)
{
    entry->busy = true;
    entry->used = ++cache->counter;
}

void sqlite_cache_give_back(struct sqlite_cached *entry)
{
    sqlite3_reset(entry->statement);
    if (entry->statement)
        sqlite3_clear_bindings(entry->statement);
    entry->busy = false;
}

void sqlite_cache_clear(struct sqlite_cache *cache)
{
    for (size_t i = 0; i < SQLITE_CACHE_SIZE; i++)
        drop(&cache->items[i]);
}
