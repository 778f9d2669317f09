/*
 * Values of SQLite as text that reads back to the same value.
 */
#ifndef KEDGE_SOURCE_SQLITE_LITERAL_H
#define KEDGE_SOURCE_SQLITE_LITERAL_H

#include <sqlite3.h>

struct buf;

/* The value in `column` of the statement's row. `encoding` is the header's (1, 2, 3): text that
 * cannot be written between quotes goes as the bytes that the database holds. A literal is one
 * line. */
void sqlite_literal_append(struct buf *sql, sqlite3_stmt *statement, int column, int encoding);

/* "name", quotes doubled. */
void sqlite_name_append(struct buf *sql, const char *name);

#endif
