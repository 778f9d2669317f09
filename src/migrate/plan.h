/*
 * What is to be run: a pure function of the migrations there are, the history, and what is asked.
 */
#ifndef KEDGE_MIGRATE_PLAN_H
#define KEDGE_MIGRATE_PLAN_H

#include "migrate/history.h"
#include "migrate/migration.h"

enum migrate_plan_kind {
    MIGRATE_PLAN_UP,         /* everything pending, up to `version` when given */
    MIGRATE_PLAN_ONE_UP,     /* only `version` */
    MIGRATE_PLAN_DOWN_STEPS, /* the last `steps` */
    MIGRATE_PLAN_DOWN_BATCH, /* the last batch */
    MIGRATE_PLAN_DOWN_TO,    /* everything after `version` */
    MIGRATE_PLAN_DOWN_ALL,
};

struct migrate_request {
    enum migrate_plan_kind kind;
    const char *version;
    size_t steps;
};

struct migrate_step {
    const struct migration *migration;
    enum direction direction;
    bool late;     /* up: a newer one is applied already */
    bool recorded; /* the history has a row of it */
};

/* In the order of running. Migrations are borrowed from the set. */
struct migrate_plan {
    struct migrate_step *items;
    size_t count;
    size_t capacity;
};

#define MIGRATE_PLAN_INIT ((struct migrate_plan){0})

/* ERROR_CORRUPT "Migration checksum mismatch for version V ..." when an applied one has changed;
 * ERROR_NOT_FOUND for an unknown version; ERROR_FAILED when one cannot be undone. */
int migrate_plan_make(const struct migration_set *set, const struct history_rows *rows,
                      const struct migrate_request *request, struct migrate_plan *plan,
                      struct error *err);
void migrate_plan_clear(struct migrate_plan *plan);

/* Is nothing to be done any more in this direction? A repeatable one that has changed is to be run
 * again. `row` may be NULL. */
bool migrate_plan_done(const struct migration *migration, enum direction direction,
                       const struct history_row *row);

/* Does the history say something else than the migration has? */
bool migrate_plan_changed(const struct migration *migration, const struct history_row *row);

static inline void scoped_migrate_plan_cleanup(struct migrate_plan *plan)
{
    migrate_plan_clear(plan);
}

#endif
