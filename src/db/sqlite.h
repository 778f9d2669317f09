/*
 * The SQLite driver behind db.h.
 */
#ifndef KEDGE_DB_SQLITE_H
#define KEDGE_DB_SQLITE_H

#include "db/db.h"

/* A connection to the file url->database. Without options->create a missing file is
 * ERROR_NOT_FOUND. */
int sqlite_open(const struct db_url *url, const struct db_options *options, struct db **ret_db,
                struct error *err);

/* Whether nothing can be written through it, also because the file is not ours to write. */
bool sqlite_is_read_only(struct db *db);

#endif
