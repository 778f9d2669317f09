/*
 * The SQLite source: sqlite_dump.h on the way out, sqlite_load.h on the way back.
 */
#ifndef KEDGE_SOURCE_SQLITE_H
#define KEDGE_SOURCE_SQLITE_H

struct source_ops;

extern const struct source_ops source_sqlite;

#endif
