/*
 * Which backup is meant.
 */
#ifndef KEDGE_CATALOG_BACKUP_FIND_H
#define KEDGE_CATALOG_BACKUP_FIND_H

#include <stdbool.h>
#include <stdint.h>

struct backup_row;
struct catalog;
struct error;

/* All answer 1 and the whole row (backup_row_clear it), 0 when there is none. */
int backups_get(struct catalog *catalog, const char *id, struct backup_row *ret_row,
                struct error *err);
int backups_get_number(struct catalog *catalog, int64_t number, struct backup_row *ret_row,
                       struct error *err);

/* By the name or key of one of its files; the newest when several have it. */
int backups_get_file(struct catalog *catalog, const char *file, struct backup_row *ret_row,
                     struct error *err);

/* The newest success of `target` (NULL: of all), `type` (NULL: any). Incomplete ones count only
 * when `or_incomplete` is set. */
int backups_get_latest(struct catalog *catalog, const char *target, const char *type,
                       bool or_incomplete, struct backup_row *ret_row, struct error *err);

/* As people name one: a running number (all digits), a ULID or its prefix, "latest" or
 * "latest:TARGET" (complete ones only), the name of a file. */
int backups_find(struct catalog *catalog, const char *text, struct backup_row *ret_row,
                 struct error *err);

#endif
