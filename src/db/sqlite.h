/*
 * The SQLite driver, and what others that speak to SQLite themselves can use of it.
 */
#ifndef KEDGE_DB_SQLITE_H
#define KEDGE_DB_SQLITE_H

#include "db/db.h"

struct sqlite3;

/* A connection to the file url->database. Without options->create a missing file is
 * ERROR_NOT_FOUND. */
int sqlite_open(const struct db_url *url, const struct db_options *options, struct db **ret_db,
                struct error *err);

/* Whether nothing can be written through it, also because the file is not ours to write. */
bool sqlite_is_read_only(struct db *db);

/* Turn the result code `code` of a call on `handle` (may be NULL) into an error that names `path`,
 * and fill *ret_fault when that is not NULL. Returns -1. */
int sqlite_raise(struct sqlite3 *handle, int code, const char *path, struct db_fault *ret_fault,
                 struct error *err);

#endif
