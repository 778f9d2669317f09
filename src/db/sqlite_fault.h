/*
 * What a result code of SQLite is to kedge: an error, and the fault beside it. For the driver and
 * for those who speak to SQLite themselves.
 */
#ifndef KEDGE_DB_SQLITE_FAULT_H
#define KEDGE_DB_SQLITE_FAULT_H

struct db_fault;
struct error;
struct sqlite3;

/* Turn the result code `code` of a call on `handle` (may be NULL) into an error that names `path`,
 * and fill *ret_fault when that is not NULL. Returns -1. */
int sqlite_raise(struct sqlite3 *handle, int code, const char *path, struct db_fault *ret_fault,
                 struct error *err);

#endif
