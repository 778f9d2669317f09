/*
 * What a statement is, as far as migrations must know before they run it: from its first words.
 */
#ifndef KEDGE_MIGRATE_CLASSIFY_H
#define KEDGE_MIGRATE_CLASSIFY_H

#include "db/url.h"

#include <stddef.h>

/* The first words and signs of a statement in upper case, comments left out. A quoted name is one
 * word without its quotes, with its case. */
struct words {
    char items[24][64];
    size_t count;
};

void words_read(struct words *words, enum db_engine engine, const char *text, size_t size);
/* Do the words from `at` on read as `text` ("CREATE INDEX")? */
int words_are(const struct words *words, size_t at, const char *text);
/* Where `text` is among the words; -1 when nowhere. */
int words_find(const struct words *words, const char *text);

enum statement_trait {
    TRAIT_TRANSACTION = 1 << 0,  /* BEGIN, COMMIT and their kind */
    TRAIT_OUTSIDE = 1 << 1,      /* the server refuses it in a transaction */
    TRAIT_COMMITS = 1 << 2,      /* MySQL commits by itself before and after it */
    TRAIT_FOREIGN_KEYS = 1 << 3, /* SQLite's PRAGMA foreign_keys = ... */
    TRAIT_MAY_COMMIT = 1 << 4,   /* MySQL: CALL and the like; what it runs may commit by itself */
};

unsigned statement_traits(enum db_engine engine, const char *text, size_t size);

#endif
