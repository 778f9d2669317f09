#include "source/sqlite_schema.h"

#include "base/error.h"
#include "source/sqlite_connection.h"
#include "source/sqlite_literal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static enum sqlite_table_kind kind_of(const char *name, const char *sql)
{
    if (strcasecmp(name, "sqlite_sequence") == 0)
        return SQLITE_TABLE_SEQUENCE;
    if (strcasecmp(name, "sqlite_stat1") == 0 || strcasecmp(name, "sqlite_stat4") == 0)
        return SQLITE_TABLE_STATISTICS;
    if (strncasecmp(name, "sqlite_", 7) == 0)
        return SQLITE_TABLE_INTERNAL;
    return sqlite3_strlike("CREATE VIRTUAL TABLE%", sql, 0) == 0 ? SQLITE_TABLE_VIRTUAL
                                                                 : SQLITE_TABLE_ORDINARY;
}

/* `sql` prepared, with ?1 the schema and ?2 the table. */
static int prepare(struct sqlite_connection *connection, const char *sql, const char *schema,
                   const char *table, sqlite3_stmt **ret_statement, struct error *err)
{
    if (sqlite_connection_prepare(connection, sql, ret_statement, err) < 0)
        return -1;
    sqlite3_bind_text(*ret_statement, 1, schema, -1, SQLITE_STATIC);
    sqlite3_bind_text(*ret_statement, 2, table, -1, SQLITE_STATIC);
    return 0;
}

/* The one name of the rowid that no column has taken. */
static const char *free_rowid_name(const struct text_list *columns)
{
    static const char *const names[] = {"rowid", "_rowid_", "oid"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        bool taken = false;
        for (size_t j = 0; j < columns->count; j++)
            taken = taken || strcasecmp(columns->items[j], names[i]) == 0;
        if (!taken)
            return names[i];
    }
    return NULL;
}

static bool has_rowid(struct sqlite_connection *connection, const char *schema, const char *table,
                      const char *rowid)
{
    SCOPED(sqlite_statement) sqlite3_stmt *statement = NULL;
    char *sql = sqlite3_mprintf("SELECT %s FROM \"%w\".\"%w\"", rowid, schema, table);
    int result = sqlite_connection_prepare(connection, sql, &statement, NULL);
    sqlite3_free(sql);
    return result == 0;
}

/* An INTEGER PRIMARY KEY is the rowid itself, unless SQLite made an index for it (DESC). */
static int key_has_index(struct sqlite_connection *connection, const char *schema,
                         const char *table, bool *ret_has, struct error *err)
{
    SCOPED(sqlite_statement) sqlite3_stmt *statement = NULL;
    if (prepare(connection, "SELECT 1 FROM pragma_index_list(?2, ?1) WHERE origin = 'pk'", schema,
                table, &statement, err) < 0)
        return -1;
    *ret_has = sqlite3_step(statement) == SQLITE_ROW;
    return 0;
}

struct column_facts {
    struct text_list names; /* all, generated ones too */
    struct text_list written;
    int keys;
    bool integer_key;
};

static int read_columns(struct sqlite_connection *connection, const char *schema, const char *table,
                        struct column_facts *facts, struct error *err)
{
    SCOPED(sqlite_statement) sqlite3_stmt *statement = NULL;
    if (prepare(connection, "SELECT name, type, pk, hidden FROM pragma_table_xinfo(?2, ?1)", schema,
                table, &statement, err) < 0)
        return -1;
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        const char *type = (const char *)sqlite3_column_text(statement, 1);
        text_list_add(&facts->names, name);
        if (sqlite3_column_int(statement, 3) == 0)
            text_list_add(&facts->written, name);
        if (sqlite3_column_int(statement, 2) == 0)
            continue;
        facts->keys++;
        facts->integer_key = type && strcasecmp(type, "INTEGER") == 0;
    }
    return code == SQLITE_DONE ? 0 : sqlite_connection_raise(connection, code, err);
}

static void write_column_list(struct sqlite_table *table, const struct column_facts *facts)
{
    table->columns = BUF_INIT;
    table->column_count = facts->written.count + (table->rowid ? 1 : 0);
    if (table->rowid)
        buf_append_text(&table->columns, table->rowid);
    for (size_t i = 0; i < facts->written.count; i++) {
        if (table->columns.length)
            buf_append_char(&table->columns, ',');
        sqlite_name_append(&table->columns, facts->written.items[i]);
    }
}

static int describe_table(struct sqlite_connection *connection, const char *schema,
                          struct sqlite_table *table, struct error *err)
{
    struct column_facts facts = {.names = TEXT_LIST_INIT, .written = TEXT_LIST_INIT};
    bool indexed = false;
    int result = read_columns(connection, schema, table->name, &facts, err);
    if (result == 0 && facts.keys == 1 && facts.integer_key)
        result = key_has_index(connection, schema, table->name, &indexed, err);
    if (result == 0) {
        bool alias = facts.keys == 1 && facts.integer_key && !indexed;
        const char *rowid = free_rowid_name(&facts.names);
        if (!alias && rowid && has_rowid(connection, schema, table->name, rowid))
            table->rowid = rowid;
        write_column_list(table, &facts);
    }
    text_list_clear(&facts.names);
    text_list_clear(&facts.written);
    return result;
}

static bool is_described(enum sqlite_table_kind kind)
{
    return kind != SQLITE_TABLE_VIRTUAL && kind != SQLITE_TABLE_INTERNAL;
}

int sqlite_tables_list(struct sqlite_connection *connection, const char *schema,
                       struct sqlite_tables *ret_tables, struct error *err)
{
    SCOPED(sqlite_tables) struct sqlite_tables tables = SQLITE_TABLES_INIT;
    SCOPED(sqlite_statement) sqlite3_stmt *statement = NULL;
    char *list = sqlite3_mprintf(
        "SELECT name, sql FROM \"%w\".sqlite_schema WHERE type = 'table' ORDER BY rowid", schema);
    int result = sqlite_connection_prepare(connection, list, &statement, err);
    sqlite3_free(list);
    if (result < 0)
        return -1;
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        const char *sql = (const char *)sqlite3_column_text(statement, 1);
        if (!name || !sql)
            continue;
        ARRAY_GROW(tables.items, tables.count, tables.capacity);
        struct sqlite_table *table = &tables.items[tables.count++];
        *table = (struct sqlite_table){.kind = kind_of(name, sql),
                                       .name = mem_string(name),
                                       .sql = mem_string(sql),
                                       .columns = BUF_INIT};
        if (is_described(table->kind) && describe_table(connection, schema, table, err) < 0)
            return error_prefix(err, "table %s", name);
    }
    if (code != SQLITE_DONE)
        return sqlite_connection_raise(connection, code, err);
    *ret_tables = tables;
    tables = SQLITE_TABLES_INIT;
    return 0;
}

void sqlite_tables_clear(struct sqlite_tables *tables)
{
    for (size_t i = 0; i < tables->count; i++) {
        free(tables->items[i].name);
        free(tables->items[i].sql);
        buf_clear(&tables->items[i].columns);
    }
    free(tables->items);
    *tables = SQLITE_TABLES_INIT;
}

const struct sqlite_table *sqlite_tables_find(const struct sqlite_tables *tables, const char *name)
{
    for (size_t i = 0; i < tables->count; i++)
        if (sqlite3_stricmp(tables->items[i].name, name) == 0)
            return &tables->items[i];
    return NULL;
}

bool sqlite_table_is_shadow(const struct sqlite_table *table, const struct sqlite_table *owner)
{
    size_t length = strlen(owner->name);
    return owner->kind == SQLITE_TABLE_VIRTUAL && table->kind == SQLITE_TABLE_ORDINARY &&
           sqlite3_strnicmp(table->name, owner->name, (int)length) == 0 &&
           table->name[length] == '_';
}
