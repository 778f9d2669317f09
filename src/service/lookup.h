/*
 * Which backup is meant: a number, a ULID or its prefix, a file name or path, "latest[:TARGET]".
 */
#ifndef KEDGE_SERVICE_LOOKUP_H
#define KEDGE_SERVICE_LOOKUP_H

#include "catalog/backups.h"

#include <stdbool.h>
#include <stdint.h>

struct error;
struct service;
struct store;

struct located {
    bool known;            /* to the catalogue */
    struct backup_row row; /* when known */
    struct store *store;
    char *file;   /* key in the store */
    char *second; /* the other file of a full backup, or NULL */
    const char
        *named; /* the one of the two that BACKUP is the name of; NULL: the backup is meant */
};

void located_clear(struct located *located);

/* Looked for in this order: a path with a folder in it that leads to a file, number, ULID, its
 * prefix, latest, file name in the catalogue, a file in the working folder, base name in `from` or
 * the default destination (`from` may be NULL). The result is to be cleared. ERROR_NOT_FOUND
 * "backup file not found: NAME" (the doors add the list of what there is). */
int lookup_backup(struct service *service, const char *name, const char *from,
                  struct located *ret_located, struct error *err);

/* ERROR_CORRUPT when the catalogue knows the backup by another SHA-256 than `checksum`, which is
 * what its file has or its manifest says: somebody put another file in its place. */
int located_check(const struct located *located, const char *checksum, struct error *err);

#endif
