/*
 * The migrator: a database, its history, and the migrations there are, from a folder and from the
 * program itself. What the command line, the catalogue and libkedge use.
 */
#ifndef KEDGE_MIGRATE_MIGRATOR_H
#define KEDGE_MIGRATE_MIGRATOR_H

#include "base/text.h"
#include "migrate/history.h"
#include "migrate/migration.h"
#include "migrate/plan.h"

struct db;
struct error;
struct folder_reading;
struct migration_folder;
struct migrator;

enum migrate_event_kind {
    MIGRATE_WAITING,  /* `text` holds the lock */
    MIGRATE_STARTING, /* a step begins */
    MIGRATE_FINISHED, /* it is done, in duration_ms */
    MIGRATE_SKIPPED,  /* another process did it */
    MIGRATE_WARNING,  /* `text` */
};

struct migrate_event {
    enum migrate_event_kind kind;
    const struct migrate_step *step; /* NULL when it is about none */
    const char *text;
    int64_t duration_ms;
};

typedef void migrate_notify_fn(void *context, const struct migrate_event *event);

/* All borrowed until the migrator is closed. */
struct migrator_options {
    const struct migration_folder *folder; /* NULL: registered migrations only */
    struct folder_reading *reading;        /* of the same folder, when it has begun; else NULL */
    const char *history_table;             /* NULL: schema_migrations; "schema.table" is possible */
    int64_t wait_ms;                       /* for the migration lock; 0: 60 s */
    int64_t lock_timeout_ms;               /* for one statement; 0: 5 s */
    const char *by;                        /* who runs it, for the history; NULL: the user's name */
    const char *backup_id;
    bool owns_session;         /* nobody else has set it up: each file finds it as it was opened */
    bool heeds_peers;          /* no way up from an empty history beside another tool's */
    bool dry_run;              /* what marks rows writes none, and says what it would have done */
    migrate_notify_fn *notify; /* may be NULL */
    void *context;
    /* May be NULL: called once before the first step of a way up, under the lock, when there is
     * something to do and nothing has been written. -1 stops it. What it answers is the backup that
     * the rows are linked to. */
    int (*before)(void *context, const struct migrate_plan *plan, char ret_backup_id[static 27],
                  struct error *err);
    void *before_context;
};

/* The folder is read at once; `db` is borrowed. Errors of files name file, line and column. While
 * a reading that has begun goes on, the history is read: what is looked at first is what it was
 * then. */
int migrator_open(struct db *db, const struct migrator_options *options,
                  struct migrator **ret_migrator, struct error *err);
void migrator_close(struct migrator *migrator);

/* Migrations that live in the program: SQL in the dialect of the database (`down` may be NULL), or
 * C functions (`down` may be NULL; `tag` stands for what they do and becomes the checksum, NULL for
 * none). Before the first up, down or status. Texts are copied. */
int migrator_register_sql(struct migrator *migrator, const char *version, const char *name,
                          const char *up, const char *down, struct error *err);
int migrator_register(struct migrator *migrator, const char *version, const char *name,
                      const char *tag, migration_fn *up, migration_fn *down, void *context,
                      struct error *err);

/* Everything pending, up to and with `version` unless it is NULL, as one batch. *ret_count (may be
 * NULL): how many were run. Errors: ERROR_CORRUPT a checksum differs, ERROR_LOCKED, ERROR_STRANDED
 * a person has to decide, and whatever a statement failed with. */
int migrator_up(struct migrator *migrator, const char *version, size_t *ret_count,
                struct error *err);
/* The same for any request, up or down. *ret_count is set on failure too. */
int migrator_run(struct migrator *migrator, const struct migrate_request *request,
                 size_t *ret_count, struct error *err);

/* Did the last run fail in a migration that no transaction holds, so that a part of it may be
 * left? */
bool migrator_left_part(const struct migrator *migrator);

/* What would be run, without the lock and without writing anything. The steps borrow from the
 * migrator. ERROR_FAILED for what heeds_peers stops. */
int migrator_plan(struct migrator *migrator, const struct migrate_request *request,
                  struct migrate_plan *plan, struct error *err);

/* A migration and its row, or one of them. */
struct migration_state {
    const struct migration *migration; /* NULL: the file is missing */
    struct history_row row;            /* version NULL: never begun */
    const char *version;               /* borrowed from either */
    const char *name;
    enum history_status status;
    bool changed; /* applied, and its sum is another now */
};

struct migration_states {
    struct migration_state *items;
    size_t count;
    size_t capacity;
};

#define MIGRATION_STATES_INIT ((struct migration_states){0})

/* In the order of versions; no lock, and nothing is created. */
int migrator_status(struct migrator *migrator, struct migration_states *states, struct error *err);
void migration_states_clear(struct migration_states *states);

/* The backup that what was applied last is linked to. */
struct migration_anchor {
    char *backup_id;
    struct text_list versions; /* that going back to it undoes, oldest first */
};

/* ERROR_NOT_FOUND when nothing is applied, or when it was applied without a backup. */
int migrator_anchor(struct migrator *migrator, struct migration_anchor *ret_anchor,
                    struct error *err);
void migration_anchor_clear(struct migration_anchor *anchor);

/* The newest applied version, to be freed; NULL when there is none. */
int migrator_version(struct migrator *migrator, char **ret_version, struct error *err);

/* ---- the history alone ---- */

/* What was marked without running anything. */
struct marked {
    char *version;   /* as the migration, or else the history, spells it; owned */
    const char *was; /* of one: its status before ("none") */
    size_t count;    /* rows that were changed */
};

#define MARKED_INIT ((struct marked){.version = NULL})
void marked_clear(struct marked *marked);
static inline void scoped_marked_cleanup(struct marked *marked)
{
    marked_clear(marked);
}

/* Mark one version as `status`. With `dry_run` these three take no lock and write nothing. */
int migrator_force(struct migrator *migrator, const char *version, enum history_status status,
                   struct marked *ret_marked, struct error *err);
/* Mark everything up to and with `version` as applied. */
int migrator_baseline(struct migrator *migrator, const char *version, struct marked *ret_marked,
                      struct error *err);

/* Take over the history of another tool (migrate/import.h), under the lock. */
struct import_request;
struct import_report;
int migrator_import(struct migrator *migrator, const struct import_request *request,
                    struct import_report *ret_report, struct error *err);

enum repair {
    REPAIR_CHECKSUM,   /* take the file's sum over */
    REPAIR_RAN,        /* the statement that was begun has run */
    REPAIR_NOT_RUN,    /* it has not */
    REPAIR_FROM_START, /* forget the progress */
};

/* One row that was repaired. */
struct repaired {
    char *version;
    char *was; /* the sum that it had; NULL when it was the progress that was settled */
    char *checksum;
    size_t next_statement; /* where the next run goes on, from 1; 0 for a sum */
};

struct repair_report {
    struct repaired *items;
    size_t count, capacity;
};

#define REPAIR_REPORT_INIT ((struct repair_report){0})

void repair_report_clear(struct repair_report *report);

/* `version` NULL: every row. What was changed is added to `report`. */
int migrator_repair(struct migrator *migrator, const char *version, enum repair repair,
                    struct repair_report *report, struct error *err);

/* The difference between what was applied and what the file says now, as lines with "-" and "+";
 * empty when what was applied is not known. */
int migrator_difference(struct migrator *migrator, const char *version, struct buf *text,
                        struct error *err);

/* Who is written into the history. Borrowed. */
const char *migrator_operator(struct migrator *migrator);

/* What reading the folder gave to say: names that are none of a migration, and the like. Borrowed.
 */
const struct text_list *migrator_warnings(struct migrator *migrator);

DEFINE_SCOPED(migrator, struct migrator *, migrator_close);

static inline void scoped_repair_report_cleanup(struct repair_report *report)
{
    repair_report_clear(report);
}

static inline void scoped_migration_states_cleanup(struct migration_states *states)
{
    migration_states_clear(states);
}

#endif
