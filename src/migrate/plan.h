/*
 * What is to be run: a pure function of the migrations there are, the history, and what is asked.
 */
#ifndef KEDGE_MIGRATE_PLAN_H
#define KEDGE_MIGRATE_PLAN_H

#include "migrate/history.h"
#include "migrate/migration.h"

enum plan_kind {
    PLAN_UP,         /* everything pending, up to `version` when given */
    PLAN_DOWN_STEPS, /* the last `steps` */
    PLAN_DOWN_BATCH, /* the last batch */
    PLAN_DOWN_TO,    /* everything after `version` */
    PLAN_DOWN_ALL,
};

struct plan_request {
    enum plan_kind kind;
    const char *version;
    size_t steps;
};

struct plan_step {
    const struct migration *migration;
    enum direction direction;
    bool late; /* up: a newer one is applied already */
};

/* In the order of running. Migrations are borrowed from the set. */
struct plan {
    struct plan_step *items;
    size_t count;
    size_t capacity;
};

#define PLAN_INIT ((struct plan){0})

/* ERROR_CORRUPT "Migration checksum mismatch for version V ..." when an applied one has changed;
 * ERROR_NOT_FOUND for an unknown version; ERROR_FAILED when one cannot be undone. */
int plan_make(const struct migration_set *set, const struct history_rows *rows,
              const struct plan_request *request, struct plan *plan, struct error *err);
void plan_clear(struct plan *plan);

/* Does the history say something else than the migration has? */
bool plan_changed(const struct migration *migration, const struct history_row *row);
/* The error for one that has. */
int plan_mismatch(const struct migration *migration, const struct history_row *row,
                  struct error *err);

static inline void scoped_plan_cleanup(struct plan *plan)
{
    plan_clear(plan);
}

#endif
