#include "source/sqlite_transplant.h"

#include "base/error.h"
#include "base/log.h"
#include "source/sqlite_connection.h"
#include "source/sqlite_literal.h"
#include "source/sqlite_schema.h"

#include <string.h>

/* ---- statements with names in them ---- */

int sqlite_transplant_begin(struct sqlite_connection *connection, const char *path,
                            struct error *err)
{
    sqlite3_db_config(connection->handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(connection->handle, SQLITE_DBCONFIG_ENABLE_FKEY, 0, NULL);
    sqlite3_db_config(connection->handle, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
    return sqlite_connection_run_format(connection, err, "ATTACH %Q AS origin", path);
}

/* ---- one table ---- */

/* The hidden rowid is carried over where both sides have one under the same name. */
static const char *columns_for(const struct sqlite_table *from, const struct sqlite_table *to)
{
    const char *columns = from->columns.data;
    if (!from->rowid || !to || (to->rowid && strcmp(to->rowid, from->rowid) == 0))
        return columns;
    const char *rest = strchr(columns, ',');
    return rest ? rest + 1 : columns;
}

static int insert_rows(struct sqlite_connection *connection, const struct sqlite_table *from,
                       const struct sqlite_table *to, uint64_t *rows, struct error *err)
{
    const char *columns = columns_for(from, to);
    if (!from->column_count)
        return 0;
    if (sqlite_connection_run_format(
            connection, err, "INSERT INTO main.\"%w\"(%s) SELECT %s FROM origin.\"%w\" NOT INDEXED",
            to ? to->name : from->name, columns, columns, from->name) < 0)
        return error_prefix(err, "table %s", from->name);
    *rows += (uint64_t)sqlite3_changes64(connection->handle);
    return 0;
}

/* Indexes and triggers of a table that was not there. */
static int make_objects(struct sqlite_connection *connection, const char *table, struct error *err)
{
    SCOPED(sqlite_statement) sqlite3_stmt *statement = NULL;
    if (sqlite_connection_prepare(connection,
                                  "SELECT sql FROM origin.sqlite_schema WHERE sql IS NOT NULL "
                                  "AND type IN ('index', 'trigger') "
                                  "AND tbl_name = ?1 COLLATE NOCASE ORDER BY type, rowid",
                                  &statement, err) < 0)
        return -1;
    sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        if (sqlite_connection_run(connection, (const char *)sqlite3_column_text(statement, 0),
                                  err) < 0)
            return error_prefix(err, "table %s", table);
    return code == SQLITE_DONE ? 0 : sqlite_connection_raise(connection, code, err);
}

/* Its shadow tables are tables like others and come by themselves. */
static int make_virtual(struct sqlite_connection *connection, const struct sqlite_table *from,
                        struct error *err)
{
    return sqlite_connection_run_format(
        connection, err,
        "PRAGMA writable_schema=ON;"
        "INSERT INTO main.sqlite_schema(type, name, tbl_name, rootpage, sql) "
        "VALUES('table', %Q, %Q, 0, %Q);"
        "PRAGMA writable_schema=OFF",
        from->name, from->name, from->sql);
}

static int fill_table(struct sqlite_connection *connection, const struct sqlite_table *from,
                      const struct sqlite_table *to, uint64_t *rows, struct error *err)
{
    if (from->kind == SQLITE_TABLE_VIRTUAL)
        return to ? 0 : make_virtual(connection, from, err);
    if (to)
        return sqlite_connection_run_format(connection, err, "DELETE FROM main.\"%w\"", to->name) <
                       0
                   ? -1
                   : insert_rows(connection, from, to, rows, err);
    if (sqlite_connection_run(connection, from->sql, err) < 0)
        return error_prefix(err, "table %s", from->name);
    if (insert_rows(connection, from, to, rows, err) < 0)
        return -1;
    return make_objects(connection, from->name, err);
}

/* Where the next AUTOINCREMENT goes on. */
static int copy_sequence(struct sqlite_connection *connection, const struct sqlite_tables *origin,
                         const char *name, struct error *err)
{
    /* Asked afresh: making a table may just have made it. */
    int64_t there = 0;
    if (sqlite_connection_number(connection,
                                 "SELECT count(*) FROM main.sqlite_schema "
                                 "WHERE name = 'sqlite_sequence'",
                                 &there, err) < 0)
        return -1;
    if (!there || !sqlite_tables_find(origin, "sqlite_sequence"))
        return 0;
    return sqlite_connection_run_format(
        connection, err,
        "DELETE FROM main.sqlite_sequence WHERE name = %Q COLLATE NOCASE;"
        "INSERT INTO main.sqlite_sequence(name, seq) "
        "SELECT name, seq FROM origin.sqlite_sequence "
        "WHERE name = %Q COLLATE NOCASE",
        name, name);
}

/* ---- all ---- */

static int transplant_one(struct sqlite_connection *connection, const struct sqlite_tables *main,
                          const struct sqlite_tables *origin, const char *name, uint64_t *rows,
                          struct error *err)
{
    const struct sqlite_table *from = sqlite_tables_find(origin, name);
    if (!from)
        return sqlite_connection_run_format(connection, err, "DROP TABLE IF EXISTS main.\"%w\"",
                                            name);
    if (fill_table(connection, from, sqlite_tables_find(main, name), rows, err) < 0)
        return -1;
    return copy_sequence(connection, origin, name, err);
}

int sqlite_transplant(struct sqlite_connection *connection, const struct text_list *names,
                      uint64_t *ret_rows, struct error *err)
{
    SCOPED(sqlite_tables) struct sqlite_tables main = SQLITE_TABLES_INIT;
    SCOPED(sqlite_tables) struct sqlite_tables origin = SQLITE_TABLES_INIT;
    uint64_t rows = 0;
    if (sqlite_tables_list(connection, "main", &main, err) < 0 ||
        sqlite_tables_list(connection, "origin", &origin, err) < 0)
        return -1;
    for (size_t i = 0; i < names->count; i++)
        if (transplant_one(connection, &main, &origin, names->items[i], &rows, err) < 0)
            return -1;
    *ret_rows = rows;
    return 0;
}

/* ---- keys ---- */

#define VIOLATIONS                                                                                 \
    "SELECT k.\"table\", k.rowid AS row, k.parent, k.fkid FROM main.sqlite_schema m, "             \
    "pragma_foreign_key_check(m.name, 'main') k WHERE m.type = 'table' "                           \
    "AND m.sql NOT LIKE 'CREATE VIRTUAL%'"

int sqlite_transplant_note_keys(struct sqlite_connection *connection, struct error *err)
{
    struct error broken = ERROR_INIT;
    if (sqlite_connection_run(connection, "CREATE TEMP TABLE kedge_broken_keys AS " VIOLATIONS,
                              &broken) == 0)
        return 0;
    if (broken.code != ERROR_FAILED) {
        if (err)
            *err = broken;
        return -1;
    }
    /* A key that refers to no unique column breaks every check, SQLite's own included. */
    log_warning("foreign keys cannot be checked: %s", broken.message);
    return 0;
}

int sqlite_transplant_check_keys(struct sqlite_connection *connection, struct error *err)
{
    int64_t noted = 0;
    if (sqlite_connection_number(connection,
                                 "SELECT count(*) FROM temp.sqlite_schema "
                                 "WHERE name = 'kedge_broken_keys'",
                                 &noted, err) < 0)
        return -1;
    if (!noted)
        return 0;
    SCOPED(sqlite_statement) sqlite3_stmt *statement = NULL;
    if (sqlite_connection_prepare(connection,
                                  VIOLATIONS " EXCEPT SELECT * FROM temp.kedge_broken_keys LIMIT 1",
                                  &statement, err) < 0)
        return -1;
    int code = sqlite3_step(statement);
    if (code == SQLITE_DONE)
        return 0;
    if (code != SQLITE_ROW)
        return sqlite_connection_raise(connection, code, err);
    error_set(err, ERROR_RESTORE, "row %s of table %s would refer to a row of %s that is not there",
              sqlite3_column_text(statement, 1) ? (const char *)sqlite3_column_text(statement, 1)
                                                : "?",
              (const char *)sqlite3_column_text(statement, 0),
              (const char *)sqlite3_column_text(statement, 2));
    return error_hint(err,
                      "restore that table with it (--table %s), or with --cascade all that "
                      "refer to what is restored",
                      (const char *)sqlite3_column_text(statement, 0));
}
