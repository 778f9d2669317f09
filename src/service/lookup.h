/*
 * Which backup is meant: a number, a ULID or its prefix, a file name or path, "latest[:TARGET]".
 */
#ifndef KEDGE_SERVICE_LOOKUP_H
#define KEDGE_SERVICE_LOOKUP_H

#include "base/text.h"
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
    /* The one of the two that BACKUP is the name of; NULL: the backup is meant. */
    const char *named;
    char *second_checksum;  /* of the second file, or NULL */
    struct text_list seals; /* of the manifests that kedge wrote for the two */
};

void located_clear(struct located *located);

/* Looked for in this order: a path with a folder in it that leads to a file, number, ULID, its
 * prefix, latest, file name in the catalogue, a file in the working folder, base name in `from` or
 * the default destination (`from` may be NULL). The result is to be cleared. ERROR_NOT_FOUND
 * "backup file not found: NAME" (the doors add the list of what there is). */
int lookup_backup(struct service *service, const char *name, const char *from,
                  struct located *ret_located, struct error *err);

/* ERROR_CORRUPT when the catalogue knows `file`, one of the two, by another SHA-256 than
 * `checksum`, which is what it has or its manifest says: somebody put another file in its place. */
int located_check(const struct located *located, const char *file, const char *checksum,
                  struct error *err);

/* ERROR_CORRUPT when the catalogue knows what the manifests of the backup are sealed with, and
 * `seal` ("": none that holds) is nothing of it: somebody changed the manifest of `file`. */
int located_check_seal(const struct located *located, const char *file, const char *seal,
                       struct error *err);

#endif
