/*
 * The running number of a backup that another catalogue, or a table from before kedge, has numbered
 * already: people know it by that number, so it keeps it where it can.
 */
#ifndef KEDGE_CATALOG_BACKUP_NUMBER_H
#define KEDGE_CATALOG_BACKUP_NUMBER_H

#include <stdint.h>

struct catalog;
struct error;

/* `wanted` when it is above 0 and free, else the next one; the counter stays beyond both. Inside a
 * transaction. */
int backup_number_choose(struct catalog *catalog, int64_t wanted, int64_t *ret_number,
                         struct error *err);

#endif
