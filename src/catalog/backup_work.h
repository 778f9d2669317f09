/*
 * Backups and the processes that work on them: claiming one that waits, and settling what processes
 * that were killed left behind.
 */
#ifndef KEDGE_CATALOG_BACKUP_WORK_H
#define KEDGE_CATALOG_BACKUP_WORK_H

#include "catalog/backup_list.h"

/* The pending row without a worker that is due and most urgent becomes ours and running: 1 and the
 * row, 0 when there is none. Two workers never get the same one. */
int backups_claim(struct catalog *catalog, const char *worker_id, struct backup_row *ret_row,
                  struct error *err);

/* Mark the pending and running rows failed whose worker is dead ("interrupted: ..."). `visit` (may
 * be NULL) is called with each of them afterwards. */
int backups_settle_dead(struct catalog *catalog, backup_visit_fn *visit, void *context,
                        struct error *err);

#endif
