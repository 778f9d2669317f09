/*
 * The migrator from inside: opened and prepared here, for its three parts alone: running
 * (migrator_run.c), looking (migrator_state.c), and marking rows of the history without running
 * anything (migrator_mark.c).
 */
#ifndef KEDGE_MIGRATE_MIGRATOR_CORE_H
#define KEDGE_MIGRATE_MIGRATOR_CORE_H

#include "migrate/lock.h"
#include "migrate/migrator.h"
#include "migrate/run.h"

struct migrator {
    struct db *db;
    struct migrator_options options;
    struct history history;
    struct migration_set set;
    struct text_list warnings;
    struct history_rows ahead; /* read while the folder was */
    bool has_ahead;
    bool sorted;
    char *by;
    char *from;
    char backup_id[27]; /* made before the run; "" for none */
    bool left_part;
};

/* Fills in `by` and `from`. */
void migrator_name_operator(struct migrator *migrator);

/* What was registered comes into its place. */
int migrator_sort(struct migrator *migrator, struct error *err);
/* Before what needs the history's table, but not all of its rows, or not yet. */
int migrator_prepare(struct migrator *migrator, struct error *err);
/* The rows for who only looks: the first time they may be those that were read with the folder. */
int migrator_look(struct migrator *migrator, struct history_rows *rows, struct error *err);

void migrator_notify(struct migrator *migrator, enum migrate_event_kind kind,
                     const struct migrate_step *step, const char *text, int64_t duration_ms);

int migrator_take_lock(struct migrator *migrator, struct migrate_lock *lock, struct error *err);
/* Two that begin at once both find no table: it is made under the lock, on SQLite that of a
 * transaction. */
int migrator_create_history(struct migrator *migrator, struct error *err);
struct run migrator_run_of(struct migrator *migrator, int64_t batch);

#endif
