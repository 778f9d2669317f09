/*
 * The tables of a SQLite database, as dumps and restores of single ones need them.
 */
#ifndef KEDGE_SOURCE_SQLITE_SCHEMA_H
#define KEDGE_SOURCE_SQLITE_SCHEMA_H

#include "base/buf.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct error;
struct sqlite_connection;

enum sqlite_table_kind {
    SQLITE_TABLE_ORDINARY,
    SQLITE_TABLE_VIRTUAL, /* what it holds is in its shadow tables, which are ordinary */
    SQLITE_TABLE_SEQUENCE,
    SQLITE_TABLE_STATISTICS,
    SQLITE_TABLE_INTERNAL, /* nobody may write to it */
};

struct sqlite_table {
    enum sqlite_table_kind kind;
    char *name;
    char *sql;          /* its definition */
    const char *rowid;  /* by what name its hidden rowid is reached; NULL: it has none to keep */
    struct buf columns; /* ordinary: "a","b": those that can be written, the rowid first */
    size_t column_count;
};

struct sqlite_tables {
    struct sqlite_table *items;
    size_t count;
    size_t capacity;
};

#define SQLITE_TABLES_INIT ((struct sqlite_tables){0})

/* All tables of `schema` ("main" or the name of an attached database), in the order in which they
 * were made. */
int sqlite_tables_list(struct sqlite_connection *connection, const char *schema,
                       struct sqlite_tables *ret_tables, struct error *err);
void sqlite_tables_clear(struct sqlite_tables *tables);

/* By name, in any case; NULL when there is none. */
const struct sqlite_table *sqlite_tables_find(const struct sqlite_tables *tables, const char *name);

/* Is `table` one of those that the virtual table `owner` keeps its content in? */
bool sqlite_table_is_shadow(const struct sqlite_table *table, const struct sqlite_table *owner);

static inline void scoped_sqlite_tables_cleanup(struct sqlite_tables *tables)
{
    sqlite_tables_clear(tables);
}

#endif
