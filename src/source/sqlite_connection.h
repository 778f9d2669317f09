/*
 * A connection to a database file of somebody else, for reading it or taking it over.
 *
 * It leaves things as it found them: it waits for locks with a deadline, never checkpoints and
 * never removes a `-wal` that holds anything, and takes away the empty `-wal` and `-shm` that its
 * own reading of a cleanly closed database made. There is never a descriptor of ours on the file
 * beside SQLite's: closing it would drop the locks of every connection in the process.
 */
#ifndef KEDGE_SOURCE_SQLITE_CONNECTION_H
#define KEDGE_SOURCE_SQLITE_CONNECTION_H

#include "base/mem.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct error;
struct os;

struct sqlite_connection {
    sqlite3 *handle;
    struct os *os;
    char *path;
    int64_t wait_ms;
    int64_t waiting_since_ns; /* of the lock that is waited for now */
    bool wal_was_there;
};

/* `path` made absolute, and followed if it is a symbolic link (as SQLite does to name the `-wal`).
 * To be freed; NULL with an error for a link that leads in circles. What it names need not exist.
 */
char *sqlite_path_resolve(struct os *os, const char *path, struct error *err);

/* Open an existing file, for writing if we may. ERROR_NOT_FOUND when it is not there. `path` is
 * resolved. */
int sqlite_connection_open(struct os *os, const char *path, int64_t wait_ms,
                           struct sqlite_connection **ret_connection, struct error *err);

/* Run statements that return nothing worth having. */
int sqlite_connection_run(struct sqlite_connection *connection, const char *sql, struct error *err);

/* The same with texts put in as sqlite3_mprintf does: %Q a literal, %w within a quoted name. */
int sqlite_connection_run_format(struct sqlite_connection *connection, struct error *err,
                                 const char *format, ...);

/* The first column of the first row; -1 with ERROR_CORRUPT when there is none. */
int sqlite_connection_number(struct sqlite_connection *connection, const char *sql,
                             int64_t *ret_value, struct error *err);
/* The same as text, to be freed; *ret_text is NULL for NULL. */
int sqlite_connection_text(struct sqlite_connection *connection, const char *sql, char **ret_text,
                           struct error *err);

int sqlite_connection_prepare(struct sqlite_connection *connection, const char *sql,
                              sqlite3_stmt **ret_statement, struct error *err);

/* From now on a request to stop ends the statement that runs, with ERROR_INTERRUPTED; false takes
 * that back, for what has to be finished or rolled back nevertheless. */
void sqlite_connection_stoppable(struct sqlite_connection *connection, bool stoppable);

/* Fill `err` from SQLite's answer, with the hint that helps. Returns -1. */
int sqlite_connection_raise(struct sqlite_connection *connection, int code, struct error *err);

void sqlite_connection_close(struct sqlite_connection *connection);

DEFINE_SCOPED(sqlite_connection, struct sqlite_connection *, sqlite_connection_close);

static inline void sqlite_statement_free(sqlite3_stmt *statement)
{
    sqlite3_finalize(statement);
}

DEFINE_SCOPED(sqlite_statement, sqlite3_stmt *, sqlite_statement_free);

#endif
