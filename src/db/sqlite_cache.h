/*
 * Prepared statements of one connection that may come again: the catalogue asks the same few
 * questions over and over, and to prepare one takes longer than to answer it.
 */
#ifndef KEDGE_DB_SQLITE_CACHE_H
#define KEDGE_DB_SQLITE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3_stmt;

#define SQLITE_CACHE_SIZE 16

/* An empty one has no `sql`. */
struct sqlite_cached {
    char *sql;
    struct sqlite3_stmt *statement; /* NULL for a text without one */
    uint64_t used;                  /* when last, by counter */
    bool busy;                      /* a query with it is under way */
};

/* All zero is empty. */
struct sqlite_cache {
    struct sqlite_cached items[SQLITE_CACHE_SIZE];
    uint64_t counter;
};

/* The entry of this text that no query is using, or NULL. */
struct sqlite_cached *sqlite_cache_find(struct sqlite_cache *cache, const char *sql, size_t size);

/* An empty entry, in place of the one unused for longest; NULL when all are in use. The caller
 * fills it. */
struct sqlite_cached *sqlite_cache_room(struct sqlite_cache *cache);

/* A query begins to use it, and has ended: then it is as if newly prepared. */
void sqlite_cache_take(struct sqlite_cache *cache, struct sqlite_cached *entry);
void sqlite_cache_give_back(struct sqlite_cached *entry);

/* Finalizes all of them; none is in use. */
void sqlite_cache_clear(struct sqlite_cache *cache);

#endif
