/*
 * The backup before migrations, and the way back to it.
 *
 * Migrations know nothing of backups: the door gives them `migration_backup_make` to call when they
 * have the lock and something to do, and goes back with `migration_backup_return` when one fails
 * that no transaction holds, or when a person asks for it.
 */
#ifndef KEDGE_SERVICE_MIGRATION_BACKUP_H
#define KEDGE_SERVICE_MIGRATION_BACKUP_H

#include "db/url.h"

#include <stdbool.h>
#include <stdint.h>

struct artifact_keys;
struct backup_report;
struct error;
struct restore_plan;
struct progress;
struct restore_report;
struct service;

/* Borrowed. */
struct migration_backup {
    const char *target;     /* a configured name, or a database URL */
    bool configured;        /* it is a name */
    const char *versions;   /* what it is made before, for its notes */
    const char *passphrase; /* the target's backups are encrypted with; or NULL */
    const struct artifact_keys *keys;
    int jobs;
    int64_t max_wait_ms; /* longest that the writes of others are held up */
    struct progress *progress;
};

/* Can databases of this engine be backed up? ERROR_USAGE when not. */
int migration_backup_check(enum db_engine engine, struct error *err);

/* Back the target up and verify what was written, so that exit 0 means that there is a way back.
 * -1: there is none, and the report is empty. */
int migration_backup_make(struct service *service, const struct migration_backup *backup,
                          struct backup_report *ret_report, struct error *err);

/* Put the target back to the backup `id`; what is there now is kept for undo. No connection of ours
 * to it may be open. `confirm` is that of a restore_request. */
int migration_backup_return(struct service *service, const struct migration_backup *backup,
                            const char *id,
                            int (*confirm)(void *context, const struct restore_plan *plan,
                                           bool production, struct error *err),
                            void *context, struct restore_report *ret_report, struct error *err);

#endif
