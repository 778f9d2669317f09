/*
 * The content of a SQLite database as SQL that the sqlite3 shell reads back to the same content.
 *
 * `pre` makes the tables, `data` fills them, `post` makes indexes, views and triggers, sets what
 * AUTOINCREMENT and ANALYZE had noted, and registers virtual tables, whose shadow tables were
 * filled like all others. All of it is one transaction. Rowids are kept.
 */
#ifndef KEDGE_SOURCE_SQLITE_SQL_H
#define KEDGE_SOURCE_SQLITE_SQL_H

#include <stdint.h>

struct dump_options;
struct error;
struct segment_sink;
struct sqlite_snapshot;

/* Write the database pinned by `snapshot`; *ret_rows counts the rows. ERROR_SOURCE when it cannot
 * be read, ERROR_NOT_FOUND for a table that was named and is not there. */
int sqlite_sql_dump(struct sqlite_snapshot *snapshot, const struct dump_options *options,
                    struct segment_sink *sink, uint64_t *ret_rows, struct error *err);

#endif
