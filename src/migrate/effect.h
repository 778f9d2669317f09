/*
 * What one statement does to a database, as migrate/effects.h finds out: locks, work, lost data.
 */
#ifndef KEDGE_MIGRATE_EFFECT_H
#define KEDGE_MIGRATE_EFFECT_H

#include "base/text.h"
#include "db/url.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order of strength; as PostgreSQL names them. The others use those that they have, each
 * with its own name. */
enum effect_lock {
    LOCK_NONE,
    LOCK_ACCESS_SHARE,
    LOCK_ROW_SHARE,
    LOCK_ROW_EXCLUSIVE,
    LOCK_SHARE_UPDATE_EXCLUSIVE,
    LOCK_SHARE,
    LOCK_SHARE_ROW_EXCLUSIVE,
    LOCK_EXCLUSIVE,
    LOCK_ACCESS_EXCLUSIVE,
};

/* Something that is locked or worked on. */
struct effect_table {
    char
        *name; /* as the server writes it; as the statement does when the server does not know it */
    const char *kind; /* "table", "index", ...; static */
    enum effect_lock lock;
    bool rewritten; /* its rows go into new files, or each is written again */
    bool scanned;   /* it is read from end to end */
    bool fresh;     /* an earlier statement of the plan makes it: nobody else waits for it */
    int64_t rows;   /* now; -1: not known */
    int64_t bytes;
};

enum effect_undone {
    UNDONE_NOTHING, /* there is nothing to undo: it makes no lasting change of the schema or data */
    UNDONE_YES,     /* the other way has its reverse */
    UNDONE_NO,
};

/* Everything is owned. */
struct effect {
    struct effect_table *tables;
    size_t count;
    size_t capacity;
    struct text_list lost;  /* "column orders.note" */
    struct text_list notes; /* what else one should know */
    char *algorithm;        /* MySQL: "INSTANT", "NOCOPY", "INPLACE", "COPY"; else NULL */
    char *concurrency;      /* MySQL: "LOCK=NONE", ...; else NULL */
    bool commits;           /* by itself, before and after */
    enum effect_undone undone;
    size_t undone_line; /* UNDONE_YES: of the statement of the other way */
};

#define EFFECT_INIT ((struct effect){0})

void effect_clear(struct effect *effect);

/* The strongest lock of the effect: the first such table, or NULL. */
const struct effect_table *effect_strongest(const struct effect *effect);
/* "ACCESS EXCLUSIVE", "metadata EXCLUSIVE", "RESERVED": as the engine names it. */
const char *effect_lock_name(enum db_engine engine, enum effect_lock lock);

static inline void scoped_effect_cleanup(struct effect *effect)
{
    effect_clear(effect);
}

#endif
