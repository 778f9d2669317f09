/*
 * Lists of backups: newest first with filters, and those that a rule may remove.
 */
#ifndef KEDGE_CATALOG_BACKUP_LIST_H
#define KEDGE_CATALOG_BACKUP_LIST_H

#include <stdbool.h>
#include <stdint.h>

struct backup_row;
struct catalog;
struct error;
struct query;

/* NULL, 0 and false: any. */
struct backup_filter {
    const char *status, *app, *target, *type, *destination;
    int64_t since_ns;
    int64_t limit;   /* 0: all */
    int64_t offset;  /* skip so many */
    bool everything; /* also the columns after created_ns */
};

/* `row` lives until `visit` returns; non-zero from it stops and comes back from the list. It
 * may ask the catalogue other things, but not change what is being listed. */
typedef int backup_visit_fn(void *context, const struct backup_row *row, struct error *err);

/* Newest first. */
int backups_list(struct catalog *catalog, const struct backup_filter *filter,
                 backup_visit_fn *visit, void *context, struct error *err);

/* A row that outlives the visit: the texts become its own. */
void backup_row_copy(const struct backup_row *row, struct backup_row *ret_copy);

/* Oldest first: successes past expires_at at `now_ns`, of `target` (NULL: all), that a rule may
 * remove. The newest good one (success and complete) of a target and type never is; nor is the
 * newest of all while no good one exists. */
int backups_list_expired(struct catalog *catalog, const char *target, int64_t now_ns,
                         backup_visit_fn *visit, void *context, struct error *err);

/* 1 when it is the newest good one of its target and type (or the newest of all while no good one
 * exists), which no rule may remove; 0. */
int backups_is_kept(struct catalog *catalog, const struct backup_row *row, struct error *err);

/* ---- for the other files of this table ---- */

/* Visit what a query begun with row_select on backup_columns finds. */
int backups_read(struct catalog *catalog, struct query *query, backup_visit_fn *visit,
                 void *context, struct error *err);

#endif
