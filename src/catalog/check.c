#include "catalog/check.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "catalog/schema.h"
#include "catalog/state.h"
#include "db/db.h"

#include <string.h>

struct check {
    struct catalog *catalog;
    struct text_list *problems;
    size_t tables;
};

/* One row: the name of a table or view and one of its columns, in a fresh catalogue. */
#define COLUMNS_QUERY                                                                              \
    "SELECT m.type, m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c "             \
    "WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid"

static int has_column(struct check *check, const char *table, const char *column, struct error *err)
{
    const struct db_value parameters[] = {db_text(table), db_text(column)};
    int64_t count = 0;
    if (db_query_integer(check->catalog->db,
                         "SELECT count(*) FROM pragma_table_info(?) WHERE name = ?", parameters, 2,
                         &count, err) < 0)
        return -1;
    return count > 0;
}

static int has_table(struct check *check, const char *table, struct error *err)
{
    const struct db_value parameter = db_text(table);
    int64_t count = 0;
    if (db_query_integer(check->catalog->db, "SELECT count(*) FROM sqlite_master WHERE name = ?",
                         &parameter, 1, &count, err) < 0)
        return -1;
    return count > 0;
}

static int look_at(void *context, const struct db_value *columns, size_t count, struct error *err)
{
    (void)count;
    struct check *check = context;
    const char *table = columns[1].text;
    const char *column = columns[2].text;
    int there = has_column(check, table, column, err);
    if (there != 0)
        return there < 0 ? -1 : 0;
    int table_there = has_table(check, table, err);
    if (table_there < 0)
        return -1;
    SCOPED(string)
    char *problem =
        table_there
            ? mem_format("Required column %s is missing from %s %s", column, table, columns[0].text)
            : mem_format("%s %s is missing", columns[0].text, table);
    if (!text_list_has(check->problems, problem))
        text_list_add(check->problems, problem);
    return 0;
}

static int count_table(void *context, const struct db_value *columns, size_t count,
                       struct error *err)
{
    (void)columns;
    (void)count;
    (void)err;
    struct check *check = context;
    check->tables++;
    return 0;
}

static int note_damage(void *context, const struct db_value *columns, size_t count,
                       struct error *err)
{
    (void)count;
    (void)err;
    struct check *check = context;
    if (!text_equal(columns[0].text, "ok"))
        text_list_add(check->problems, columns[0].text);
    return 0;
}

/* What a fresh one looks like, kept in memory. */
static int compare_with_fresh(struct check *check, struct error *err)
{
    struct catalog fresh = *check->catalog;
    struct db_url url = {.engine = DB_SQLITE};
    SCOPED(string) char *memory = mem_string(":memory:");
    url.database = memory;
    const struct db_options options = {.os = fresh.os, .create = true};
    SCOPED(db) struct db *db = NULL;
    if (db_open(&url, &options, &db, err) < 0)
        return -1;
    fresh.db = db;
    if (schema_update(&fresh, err) < 0)
        return -1;
    if (db_query(db, "SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view')", NULL, 0,
                 count_table, check, err) < 0)
        return -1;
    return db_query(db, COLUMNS_QUERY, NULL, 0, look_at, check, err);
}

int catalog_check(struct catalog *catalog, struct text_list *problems, size_t *ret_tables,
                  struct error *err)
{
    struct check check = {.catalog = catalog, .problems = problems};
    if (catalog->db->ops->engine != DB_SQLITE)
        return error_set(err, ERROR_USAGE, "a catalogue in %s cannot be checked yet",
                         db_engine_name(catalog->db->ops->engine));
    if (db_query(catalog->db, "PRAGMA integrity_check(20)", NULL, 0, note_damage, &check, err) < 0)
        return -1;
    if (compare_with_fresh(&check, err) < 0)
        return -1;
    *ret_tables = check.tables;
    return 0;
}
