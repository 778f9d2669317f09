/*
 * What is written into the history of migrations (migrate/history.h): a row when a migration
 * begins, and what became of it.
 *
 * These functions expect to be called inside the transaction that they are to share, or outside of
 * any.
 */
#ifndef KEDGE_MIGRATE_HISTORY_ENTRY_H
#define KEDGE_MIGRATE_HISTORY_ENTRY_H

#include "base/buf.h"
#include "db/db.h"
#include "migrate/history.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* What is written; NULL and -1 fields become NULL. */
struct history_entry {
    const char *version;
    const char *name;
    const char *description;
    enum history_status status;
    int64_t batch;
    bool keep_batch; /* an update leaves it as it is */
    const char *checksum;
    bool applied_now;     /* set applied_at to `now_ns`, or to `applied_ns` */
    int64_t applied_ns;   /* 0: now */
    bool applied_unknown; /* set applied_at to NULL */
    bool rolled_back_now; /* set rolled_back_at to `now_ns` */
    int64_t now_ns;
    int64_t execution_time_ms;
    int64_t statements_total;
    int64_t statements_done;
    const char *progress;
    const char *source; /* the statements as they were, for the difference when the file changes */
    const char *applied_by;
    const char *applied_from;
    const char *backup_id;
    const char *error_message;
};

/* Insert the row, or write over the one of that version; created_at and, unless told otherwise,
 * applied_at and rolled_back_at stay. */
int history_write(struct history *history, const struct history_entry *entry, struct error *err);

/* The same when it is known that there is no such row (ERROR_EXISTS when there is one), and when it
 * is known that there is one. */
int history_insert(struct history *history, const struct history_entry *entry, struct error *err);
int history_update(struct history *history, const struct history_entry *entry, struct error *err);

/* These two as statements, to stand among others. */
struct history_statement {
    struct buf sql;
    struct db_value values[24]; /* borrowed from the entry and from `now` */
    size_t count;
    char now[40];
    char applied[40];
};

void history_insert_statement(const struct history *history, const struct history_entry *entry,
                              struct history_statement *ret_statement);
void history_update_statement(const struct history *history, const struct history_entry *entry,
                              struct history_statement *ret_statement);
void history_statement_clear(struct history_statement *statement);

/* Only how it went on: statements_done and progress. */
int history_progress(struct history *history, const char *version, int64_t statements_done,
                     const char *progress, struct error *err);
/* Only what the end changes of a row that was written when the migration began: it is applied or
 * rolled back now, wholly, after so long, and these were its statements. */
int history_finish(struct history *history, const struct history_entry *entry, struct error *err);
/* Only how long it took. */
int history_time(struct history *history, const char *version, int64_t execution_time_ms,
                 struct error *err);

#endif
