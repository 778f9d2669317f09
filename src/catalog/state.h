/*
 * What an open catalogue is made of: for the files of this folder only.
 */
#ifndef KEDGE_CATALOG_STATE_H
#define KEDGE_CATALOG_STATE_H

#include "db/url.h"

#include <stdbool.h>

struct db;
struct dialect;
struct error;
struct os;

struct catalog {
    struct os *os;
    struct db *db;
    const struct dialect *dialect;
    struct db_url url;
    char *folder; /* where lock files are */
    char *name;   /* for messages: no password */
    bool read_only;
};

/* The file at `path` before SQLite opens it, so that it is never readable by others, and the folder
 * above it. *ret_created: it was not there. */
int catalog_make_file(struct os *os, const char *path, bool *ret_created, struct error *err);

#endif
