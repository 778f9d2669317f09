/*
 * The history of migrations in the database they change: the table schema_migrations, one row for
 * each migration that was ever begun.
 *
 * Rows that an operator edits by hand are honoured: only version and status have to be there. They
 * are written in migrate/history_entry.h.
 */
#ifndef KEDGE_MIGRATE_HISTORY_H
#define KEDGE_MIGRATE_HISTORY_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct error;
struct text_list;

#define HISTORY_TABLE "schema_migrations"

enum history_status { HISTORY_PENDING, HISTORY_APPLIED, HISTORY_FAILED, HISTORY_ROLLBACK };

/* Strings are NULL for NULL. */
struct history_row {
    char *memory; /* that all of them are in */
    const char *version;
    const char *name;
    enum history_status status;
    int64_t batch; /* 0: none */
    const char *checksum;
    const char *applied_at;    /* ISO 8601 in UTC */
    int64_t execution_time_ms; /* -1: not known */
    int64_t statements_done;
    const char
        *progress; /* how far a migration outside of a transaction has come (migrate/progress.h) */
    const char *error_message;
    const char *backup_id; /* of the backup that was made before it */
};

struct history_rows {
    struct history_row *items;
    size_t count;
    size_t capacity;
};

#define HISTORY_ROWS_INIT ((struct history_rows){0})

struct history {
    struct db *db;
    char *table; /* as given: "schema_migrations", "kedge.schema_migrations" */
    char *quoted;
    bool exists;
    bool missed; /* it was looked for and is not there */
};

#define HISTORY_INIT ((struct history){0})

/* Which table; NULL is schema_migrations. */
void history_init(struct history *history, struct db *db, const char *table);
/* Some other table in the schema of ours, unless `table` names one. */
void history_init_beside(struct history *history, const struct history *ours, const char *table);
void history_clear(struct history *history);

/* 1 when the table is there and ours, 0 when there is none, -1: ERROR_FAILED when it is another
 * tool's, with the hint what to do. */
int history_find(struct history *history, struct error *err);
/* The columns of the table, whosever it is; none when it is not there. */
int history_columns(struct history *history, struct text_list *columns, struct error *err);
/* Make the table when it is not there. */
int history_create(struct history *history, struct error *err);

/* Every row, in the order of the bytes of their versions. An absent table has none. */
int history_read(struct history *history, struct history_rows *rows, struct error *err);
/* The two at once, mostly with one statement, for who only looks: what runs migrations finds the
 * table first, so that it knows its schema. */
int history_load(struct history *history, struct history_rows *rows, struct error *err);
/* One row, read afresh, locked where the engine can: 1, 0, -1. */
int history_read_one(struct history *history, const char *version, struct history_row *ret_row,
                     struct error *err);

/* The statements as they were applied: 1, 0 when there is no row, -1; NULL when not kept. */
int history_source(struct history *history, const char *version, char **ret_source,
                   struct error *err);

const struct history_row *history_rows_find(const struct history_rows *rows, const char *version);
/* The same for who asks in the order of versions, mostly: `*next`, 0 at first, is where to look. */
const struct history_row *history_rows_next(const struct history_rows *rows, const char *version,
                                            size_t *next);
/* The highest batch of any row; 0 when there is none. */
int64_t history_last_batch(const struct history_rows *rows);
void history_row_clear(struct history_row *row);
void history_rows_clear(struct history_rows *rows);

const char *history_status_name(enum history_status status);
/* False when it is none of them. */
bool history_status_parse(const char *name, enum history_status *ret_status);

static inline void scoped_history_rows_cleanup(struct history_rows *rows)
{
    history_rows_clear(rows);
}
static inline void scoped_history_row_cleanup(struct history_row *row)
{
    history_row_clear(row);
}

#endif
