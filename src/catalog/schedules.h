/*
 * Schedules: what is to be backed up when, kept up to date from the configuration by name; and when
 * each ran last and will run next.
 */
#ifndef KEDGE_CATALOG_SCHEDULES_H
#define KEDGE_CATALOG_SCHEDULES_H

#include <stdbool.h>
#include <stdint.h>

struct catalog;
struct error;

/* Begin with SCHEDULE_ROW_INIT. Texts that are not known are NULL, times 0, ids "". */
struct schedule_row {
    char id[27];
    const char *name;
    char app_id[27];
    const char *target;
    const char *type; /* as a backup's */
    const char *cron_expression;
    const char *timezone;         /* NULL: the machine's */
    int64_t retention_days;       /* -1: not said */
    const char *retention_policy; /* JSON object */
    const char *compression;
    const char *encryption;
    bool include_files;
    const char *include_tables; /* JSON array */
    const char *exclude_tables; /* JSON array */
    const char *storage_path;   /* destination */
    const char *remote_storage; /* JSON: further destinations */
    const char *notification_email;
    bool is_active;
    int64_t last_run_ns, next_run_ns;
    int64_t success_count, failure_count;
    int64_t created_ns, updated_ns;
    void *memory; /* private: what the texts live in */
};

/* clang-format off */
#define SCHEDULE_ROW_INIT {.retention_days = -1, .is_active = true}
/* clang-format on */

void schedule_row_clear(struct schedule_row *row);

/* Make `row` the row of its name and set row->id. Runs and counts of an existing one stay. Nothing
 * is written when it is so already. */
int schedules_upsert(struct catalog *catalog, struct schedule_row *row, struct error *err);

/* 1 and the row (clear it), 0 when there is none. */
int schedules_get(struct catalog *catalog, const char *name, struct schedule_row *ret_row,
                  struct error *err);

/* 1 removed, 0 there was none. */
int schedules_remove(struct catalog *catalog, const char *name, struct error *err);

/* By name; `row` lives until `visit` returns; non-zero from it stops and comes back. */
typedef int schedule_visit_fn(void *context, const struct schedule_row *row, struct error *err);
int schedules_list(struct catalog *catalog, schedule_visit_fn *visit, void *context,
                   struct error *err);

/* Plan the next run; 0: none. */
int schedules_set_next(struct catalog *catalog, const char *id, int64_t next_run_ns,
                       struct error *err);

/* This process may start the run that is due at `due_ns`: 1, and next_run_ns is planned; 0 when
 * another one was quicker. */
int schedules_take(struct catalog *catalog, const char *id, int64_t due_ns, int64_t next_run_ns,
                   struct error *err);

/* A run ended. */
int schedules_count(struct catalog *catalog, const char *id, bool success, struct error *err);

#endif
