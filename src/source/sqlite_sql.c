#include "source/sqlite_sql.h"

#include "base/error.h"
#include "base/text.h"
#include "source/row_digest.h"
#include "source/source.h"
#include "source/sqlite_connection.h"
#include "source/sqlite_literal.h"
#include "source/sqlite_schema.h"
#include "source/sqlite_script.h"
#include "source/sqlite_snapshot.h"

#include <string.h>
#include <strings.h>

/* Rows go into one INSERT up to this size: fewer statements to parse, and none that is long. */
#define STATEMENT_SIZE 65536

struct sql_dump {
    struct sqlite_snapshot *snapshot;
    struct sqlite_connection *connection;
    const struct dump_options *options;
    struct sqlite_tables tables;
    struct sqlite_script script;
    struct buf text; /* the statement that grows */
    struct buf row;
    int encoding;
    uint64_t rows;
};

/* ---- what was asked for ---- */

static bool matches(const struct text_list *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (sqlite3_stricmp(names->items[i], name) == 0 || text_glob(names->items[i], name))
            return true;
    return false;
}

static bool is_named(const struct sql_dump *dump, const char *name)
{
    const struct dump_options *options = dump->options;
    return (!options->tables.count || matches(&options->tables, name)) &&
           !matches(&options->exclude_tables, name);
}

/* Shadow tables go with the table that they belong to. */
static bool is_wanted(const struct sql_dump *dump, const struct sqlite_table *table)
{
    for (size_t i = 0; i < dump->tables.count; i++)
        if (sqlite_table_is_shadow(table, &dump->tables.items[i]))
            return is_named(dump, dump->tables.items[i].name);
    return is_named(dump, table->name);
}

static bool is_wanted_name(const struct sql_dump *dump, const char *name)
{
    const struct sqlite_table *table = name ? sqlite_tables_find(&dump->tables, name) : NULL;
    return table ? is_wanted(dump, table) : !dump->options->tables.count;
}

static int check_names(const struct sql_dump *dump, struct error *err)
{
    for (size_t i = 0; i < dump->options->tables.count; i++) {
        const char *name = dump->options->tables.items[i];
        if (!strpbrk(name, "*?[") && !sqlite_tables_find(&dump->tables, name))
            return error_set(err, ERROR_NOT_FOUND, "%s has no table %s", dump->connection->path,
                             name);
    }
    return 0;
}

/* ---- text ---- */

static int write_text(struct sql_dump *dump, struct error *err)
{
    int result = sqlite_script_write(&dump->script, dump->text.data, dump->text.length, 0, err);
    buf_reset(&dump->text);
    return result;
}

/* A definition as it was typed may end in a comment, which would swallow the semicolon. */
static void append_definition(struct buf *text, const char *sql)
{
    size_t start = text->length;
    buf_append_text(text, sql);
    buf_append_char(text, ';');
    if (!sqlite3_complete(text->data + start)) {
        text->data[--text->length] = '\0';
        buf_append_text(text, "\n;");
    }
    buf_append_char(text, '\n');
}

static void append_text_literal(struct buf *text, const char *value)
{
    char *quoted = sqlite3_mprintf("%Q", value);
    buf_append_text(text, quoted);
    sqlite3_free(quoted);
}

/* ---- pre ---- */

static int write_head(struct sql_dump *dump, struct error *err)
{
    static const char *const encodings[] = {"", "", "UTF-16le", "UTF-16be"};
    const struct sqlite_header *header = sqlite_snapshot_header(dump->snapshot);
    struct buf *text = &dump->text;
    buf_append_format(text, "-- SQLite %s, written by kedge " KEDGE_VERSION "\n",
                      sqlite3_libversion());
    if (header->page_size)
        buf_append_format(text, "PRAGMA page_size=%u;\n", header->page_size);
    if (header->auto_vacuum)
        buf_append_format(text, "PRAGMA auto_vacuum=%d;\n", header->auto_vacuum);
    if (dump->encoding > 1)
        buf_append_format(text, "PRAGMA encoding='%s';\n", encodings[dump->encoding]);
    buf_append_text(text, "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n");
    return write_text(dump, err);
}

static int write_tables(struct sql_dump *dump, struct error *err)
{
    for (size_t i = 0; i < dump->tables.count; i++) {
        const struct sqlite_table *table = &dump->tables.items[i];
        if (table->kind != SQLITE_TABLE_ORDINARY || !is_wanted(dump, table))
            continue;
        append_definition(&dump->text, table->sql);
        if (write_text(dump, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- data ---- */

static void begin_insert(struct sql_dump *dump, const struct sqlite_table *table)
{
    buf_append_text(&dump->text, "INSERT INTO ");
    sqlite_name_append(&dump->text, table->name);
    buf_append_format(&dump->text, "(%s) VALUES", table->columns.data);
}

static int end_insert(struct sql_dump *dump, uint64_t rows, struct error *err)
{
    if (!rows)
        return 0;
    buf_append_text(&dump->text, ";\n");
    int result = sqlite_script_write(&dump->script, dump->text.data, dump->text.length, rows, err);
    buf_reset(&dump->text);
    return result;
}

static void build_row(struct sql_dump *dump, sqlite3_stmt *statement)
{
    buf_reset(&dump->row);
    int count = sqlite3_column_count(statement);
    for (int i = 0; i < count; i++) {
        buf_append_char(&dump->row, i ? ',' : '(');
        sqlite_literal_append(&dump->row, statement, i, dump->encoding);
    }
    buf_append_char(&dump->row, ')');
}

static int select_rows(struct sql_dump *dump, const struct sqlite_table *table,
                       const char *condition, sqlite3_stmt **ret_statement, struct error *err)
{
    struct buf sql = BUF_INIT;
    buf_append_format(&sql, "SELECT %s FROM ", table->columns.data);
    sqlite_name_append(&sql, table->name);
    /* An index that covers all columns would be read in its own order. */
    buf_append_format(&sql, " NOT INDEXED%s", condition);
    int result = sqlite_connection_prepare(dump->connection, sql.data, ret_statement, err);
    buf_clear(&sql);
    return result;
}

static int write_rows(struct sql_dump *dump, const struct sqlite_table *table,
                      const char *condition, struct row_digest *digest, struct error *err)
{
    SCOPED(sqlite_statement) sqlite3_stmt *statement = NULL;
    if (select_rows(dump, table, condition, &statement, err) < 0)
        return error_recode(err, ERROR_SOURCE);
    uint64_t rows = 0;
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        build_row(dump, statement);
        if (!rows)
            begin_insert(dump, table);
        buf_append_text(&dump->text, rows ? ",\n" : "\n");
        buf_append(&dump->text, dump->row.data, dump->row.length);
        row_digest_add(digest, dump->row.data, dump->row.length, dump->row.length + 2);
        rows++;
        if (dump->text.length < STATEMENT_SIZE)
            continue;
        if (end_insert(dump, rows, err) < 0 ||
            sqlite_snapshot_check_writers(dump->snapshot, err) < 0)
            return -1;
        rows = 0;
    }
    if (code != SQLITE_DONE) {
        sqlite_connection_raise(dump->connection, code, err);
        return error_recode(err, ERROR_SOURCE);
    }
    return end_insert(dump, rows, err);
}

static int write_table_rows(struct sql_dump *dump, const struct sqlite_table *table,
                            struct error *err)
{
    struct row_digest digest = {0};
    char digest_text[ROW_DIGEST_TEXT];
    if (sqlite_script_section(&dump->script, SECTION_DATA, table->name, err) < 0 ||
        (table->column_count && write_rows(dump, table, "", &digest, err) < 0) ||
        sqlite_script_flush(&dump->script, err) < 0)
        return -1;
    dump->rows += digest.rows;
    row_digest_format(&digest, digest_text);
    struct segment_table facts = {
        .name = table->name, .rows = digest.rows, .bytes = digest.bytes, .digest = digest_text};
    return dump->script.sink->ops->table(dump->script.sink, &facts, err);
}

static int write_data(struct sql_dump *dump, struct error *err)
{
    for (size_t i = 0; i < dump->tables.count; i++) {
        const struct sqlite_table *table = &dump->tables.items[i];
        if (table->kind == SQLITE_TABLE_ORDINARY && is_wanted(dump, table) &&
            write_table_rows(dump, table, err) < 0)
            return error_prefix(err, "table %s", table->name);
    }
    return 0;
}

/* ---- post ---- */

static int write_objects(struct sql_dump *dump, struct error *err)
{
    SCOPED(sqlite_statement) sqlite3_stmt *statement = NULL;
    if (sqlite_connection_prepare(
            dump->connection,
            "SELECT sql, tbl_name FROM sqlite_schema WHERE type <> 'table' AND sql IS NOT NULL "
            "ORDER BY CASE type WHEN 'index' THEN 1 WHEN 'view' THEN 2 ELSE 3 END, rowid",
            &statement, err) < 0)
        return error_recode(err, ERROR_SOURCE);
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (!is_wanted_name(dump, (const char *)sqlite3_column_text(statement, 1)))
            continue;
        append_definition(&dump->text, (const char *)sqlite3_column_text(statement, 0));
        if (write_text(dump, err) < 0)
            return -1;
    }
    if (code == SQLITE_DONE)
        return 0;
    sqlite_connection_raise(dump->connection, code, err);
    return error_recode(err, ERROR_SOURCE);
}

/* " WHERE <column> IN (…)" when only some tables are wanted. */
static void append_condition(const struct sql_dump *dump, const char *column, struct buf *condition)
{
    const char *before = " IN (";
    if (!dump->options->tables.count && !dump->options->exclude_tables.count)
        return;
    buf_append_format(condition, " WHERE %s", column);
    for (size_t i = 0; i < dump->tables.count; i++) {
        const struct sqlite_table *table = &dump->tables.items[i];
        if (!is_wanted(dump, table))
            continue;
        buf_append_text(condition, before);
        append_text_literal(condition, table->name);
        before = ",";
    }
    buf_append_text(condition, before[0] == ',' ? ")" : " IN ()");
}

/* What SQLite keeps for itself about AUTOINCREMENT and ANALYZE. Its tables are there once they are
 * needed: the first after a table with AUTOINCREMENT, the others after an ANALYZE. */
static int write_notes(struct sql_dump *dump, enum sqlite_table_kind kind, const char *column,
                       const char *head, struct error *err)
{
    bool begun = false;
    for (size_t i = 0; i < dump->tables.count; i++) {
        const struct sqlite_table *table = &dump->tables.items[i];
        struct row_digest ignored = {0};
        struct buf condition = BUF_INIT;
        if (table->kind != kind || (strcasecmp(table->name, "sqlite_stat4") == 0 &&
                                    !sqlite3_compileoption_used("ENABLE_STAT4")))
            continue;
        if (!begun)
            buf_append_text(&dump->text, head);
        begun = true;
        append_condition(dump, column, &condition);
        int result = dump->text.length ? write_text(dump, err) : 0;
        if (result == 0)
            result = write_rows(dump, table, condition.data, &ignored, err);
        buf_clear(&condition);
        if (result < 0)
            return -1;
    }
    return 0;
}

static bool makes_sequence(const struct sql_dump *dump)
{
    for (size_t i = 0; i < dump->tables.count; i++)
        if (dump->tables.items[i].kind == SQLITE_TABLE_ORDINARY &&
            is_wanted(dump, &dump->tables.items[i]) &&
            sqlite3_strlike("%AUTOINCREMENT%", dump->tables.items[i].sql, 0) == 0)
            return true;
    return false;
}

/* Making a virtual table would make its shadow tables, which are there already; it is entered into
 * the schema instead. This also needs no module. */
static int write_virtual_tables(struct sql_dump *dump, struct error *err)
{
    bool begun = false;
    struct buf *text = &dump->text;
    for (size_t i = 0; i < dump->tables.count; i++) {
        const struct sqlite_table *table = &dump->tables.items[i];
        if (table->kind != SQLITE_TABLE_VIRTUAL || !is_wanted(dump, table))
            continue;
        if (!begun)
            buf_append_text(text, "PRAGMA writable_schema=ON;\n");
        begun = true;
        buf_append_text(text, "INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql) "
                              "VALUES('table',");
        append_text_literal(text, table->name);
        buf_append_char(text, ',');
        append_text_literal(text, table->name);
        buf_append_text(text, ",0,");
        append_text_literal(text, table->sql);
        buf_append_text(text, ");\n");
    }
    if (begun)
        buf_append_text(text, "PRAGMA writable_schema=OFF;\n");
    return begun ? write_text(dump, err) : 0;
}

static int write_tail(struct sql_dump *dump, struct error *err)
{
    const struct sqlite_header *header = sqlite_snapshot_header(dump->snapshot);
    if (header->user_version)
        buf_append_format(&dump->text, "PRAGMA user_version=%d;\n", header->user_version);
    if (header->application_id)
        buf_append_format(&dump->text, "PRAGMA application_id=%d;\n", (int)header->application_id);
    buf_append_text(&dump->text, "COMMIT;\n");
    return write_text(dump, err);
}

static int write_post(struct sql_dump *dump, struct error *err)
{
    if (write_objects(dump, err) < 0 ||
        (makes_sequence(dump) && write_notes(dump, SQLITE_TABLE_SEQUENCE, "name",
                                             "DELETE FROM sqlite_sequence;\n", err) < 0) ||
        write_notes(dump, SQLITE_TABLE_STATISTICS, "tbl", "ANALYZE sqlite_schema;\n", err) < 0 ||
        write_virtual_tables(dump, err) < 0)
        return -1;
    return write_tail(dump, err);
}

/* ---- all ---- */

static int write_sections(struct sql_dump *dump, struct error *err)
{
    if (sqlite_script_section(&dump->script, SECTION_PRE, NULL, err) < 0 ||
        write_head(dump, err) < 0 || write_tables(dump, err) < 0 || write_data(dump, err) < 0 ||
        sqlite_script_section(&dump->script, SECTION_POST, NULL, err) < 0 ||
        write_post(dump, err) < 0)
        return -1;
    return sqlite_script_flush(&dump->script, err);
}

int sqlite_sql_dump(struct sqlite_snapshot *snapshot, const struct dump_options *options,
                    struct segment_sink *sink, uint64_t *ret_rows, struct error *err)
{
    struct sql_dump dump = {
        .snapshot = snapshot,
        .connection = sqlite_snapshot_connection(snapshot),
        .options = options,
        .tables = SQLITE_TABLES_INIT,
        .script = {.sink = sink, .progress = options->progress},
        .text = BUF_INIT,
        .row = BUF_INIT,
        .encoding = sqlite_snapshot_header(snapshot)->encoding,
    };
    int result = sqlite_tables_list(dump.connection, "main", &dump.tables, err);
    if (result < 0)
        error_recode(err, ERROR_SOURCE);
    if (result == 0)
        result = check_names(&dump, err);
    if (result == 0)
        result = write_sections(&dump, err);
    if (result == 0)
        *ret_rows = dump.rows;
    sqlite_script_clear(&dump.script);
    sqlite_tables_clear(&dump.tables);
    buf_clear(&dump.text);
    buf_clear(&dump.row);
    return result;
}
