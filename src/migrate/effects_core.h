/*
 * What the dialects of migrate/effects.h share: the plan so far, and adding to an effect.
 */
#ifndef KEDGE_MIGRATE_EFFECTS_CORE_H
#define KEDGE_MIGRATE_EFFECTS_CORE_H

#include "migrate/effect.h"
#include "migrate/migration.h"
#include "migrate/cursor.h"

struct db;
struct error;

struct effects {
    enum db_engine engine;
    struct db *db;         /* NULL: without */
    struct text_list made; /* names of what the plan makes, as written */
    int64_t version;       /* MySQL: 101100 for 10.11.0 */
    bool mariadb;
};

/* One statement being looked at. */
struct effect_work {
    struct effects *effects;
    const struct migration_part *part;
    size_t index; /* of the statement in it */
    const struct tokens *tokens;
    struct effect *effect;
};

enum effect_flag {
    EFFECT_REWRITTEN = 1 << 0,
    EFFECT_SCANNED = 1 << 1,
    EFFECT_ONLY = 1 << 2,     /* without children */
    EFFECT_EMPTIED = 1 << 3,  /* all rows are lost */
    EFFECT_IF_KNOWN = 1 << 4, /* left out when there is no such thing */
    EFFECT_WHOLE = 1 << 5,    /* and what a view reads */
};

/* Add the table, or make what is there of it stronger. `name` is copied. Borrowed until the next
 * one is added. */
struct effect_table *effect_add(struct effect *effect, const char *name, const char *kind,
                                enum effect_lock lock, unsigned flags);

void effects_made(struct effects *effects, const char *name);
void effects_dropped(struct effects *effects, const char *name);
bool effects_makes(const struct effects *effects, const char *name);

/* printf, added to the list. */
void effect_say(struct text_list *list, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Of the statement, what its first words ("CREATE", "ALTER") are and do. */
int effects_postgres(struct effect_work *work, struct error *err);
int effects_mysql(struct effect_work *work, struct error *err);
int effects_sqlite(struct effect_work *work, struct error *err);

/* Does `other` undo the statement? Fills effect->undone. */
void effects_undone(struct effect_work *work, const struct migration_part *other);

#endif
