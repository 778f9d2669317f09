/*
 * Remove one backup for good: row to `deleting`, manifest, artifact, row gone. Interrupted
 * anywhere, the same call finishes it.
 */
#ifndef KEDGE_SERVICE_REMOVAL_H
#define KEDGE_SERVICE_REMOVAL_H

#include <stdint.h>

struct backup_row;
struct error;
struct service;

/* *ret_bytes (may be NULL): of the files that went. */
int removal_run(struct service *service, const struct backup_row *row, uint64_t *ret_bytes,
                struct error *err);

#endif
