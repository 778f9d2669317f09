#include "migrate/history.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/moment.h"
#include "base/text.h"
#include "db/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOMENT_LENGTH strlen("2026-01-02 03:04:05")

/* What the engines write differently. */
struct engine_sql {
    const char *moment;      /* type of a moment */
    const char *long_text;   /* type of a long text */
    const char *table_tail;  /* after CREATE TABLE (...) */
    const char *read_moment; /* applied_at, as moment_of reads it */
    const char *columns;     /* names of a table's columns, and of its schema where statements may
                                change the default one; `?` is the schema or NULL, the table */
    const char *schema;      /* where a table would be made; NULL */
    const char *lock_row;    /* after SELECT */
};

static const struct engine_sql engines[] = {
    [DB_SQLITE] = {"TEXT", "TEXT", "", "applied_at",
                   "SELECT name, NULL FROM pragma_table_info(coalesce(?2, ?1))", NULL, ""},
    [DB_POSTGRES] = {"TIMESTAMPTZ", "TEXT", "",
                     "CAST(floor(date_part('epoch', applied_at)) AS bigint)",
                     "SELECT a.attname, n.nspname FROM pg_attribute a "
                     "JOIN pg_class c ON c.oid = a.attrelid "
                     "JOIN pg_namespace n ON n.oid = c.relnamespace "
                     "WHERE a.attrelid = to_regclass(?) AND a.attnum > 0 AND NOT a.attisdropped",
                     "SELECT current_schema()", " FOR UPDATE"},
    [DB_MYSQL] = {"DATETIME(3)", "MEDIUMTEXT", " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
                  "applied_at",
                  "SELECT column_name, table_schema FROM information_schema.columns "
                  "WHERE table_schema = coalesce(?, database()) AND table_name = ?",
                  "SELECT DATABASE()", " FOR UPDATE"},
};

static const struct engine_sql *engine(const struct history *history)
{
    return &engines[history->db->ops->engine];
}

static const char *const status_names[] = {
    [HISTORY_PENDING] = "pending",
    [HISTORY_APPLIED] = "applied",
    [HISTORY_FAILED] = "failed",
    [HISTORY_ROLLBACK] = "rollback",
};

const char *history_status_name(enum history_status status)
{
    return status_names[status];
}

bool history_status_parse(const char *name, enum history_status *ret_status)
{
    for (size_t i = 0; i < ARRAY_SIZE(status_names); i++) {
        if (strcmp(name, status_names[i]) == 0) {
            *ret_status = (enum history_status)i;
            return true;
        }
    }
    return false;
}

/* ---- the table ---- */

void history_init(struct history *history, struct db *db, const char *table)
{
    SCOPED(buf) struct buf quoted = BUF_INIT;
    *history = (struct history){.db = db, .table = mem_string(table ? table : HISTORY_TABLE)};
    const char *dot = strchr(history->table, '.');
    if (dot) {
        SCOPED(string) char *schema = mem_string_n(history->table, (size_t)(dot - history->table));
        db_quote_identifier(db->ops->engine, &quoted, schema);
        buf_append_char(&quoted, '.');
    }
    db_quote_identifier(db->ops->engine, &quoted, dot ? dot + 1 : history->table);
    history->quoted = buf_steal(&quoted);
}

void history_init_beside(struct history *history, const struct history *ours, const char *table)
{
    const char *dot = strchr(table, '.') ? NULL : strchr(ours->table, '.');
    SCOPED(string)
    char *name = dot ? mem_format("%.*s.%s", (int)(dot - ours->table), ours->table, table)
                     : mem_string(table);
    history_init(history, ours->db, name);
}

void history_clear(struct history *history)
{
    free(history->table);
    free(history->quoted);
    *history = HISTORY_INIT;
}

/* A migration may change the default schema; the table stays where it is. */
static void stay_in(struct history *history, const char *schema)
{
    SCOPED(buf) struct buf quoted = BUF_INIT;
    if (!schema || strchr(history->table, '.'))
        return;
    db_quote_identifier(history->db->ops->engine, &quoted, schema);
    buf_append_char(&quoted, '.');
    db_quote_identifier(history->db->ops->engine, &quoted, history->table);
    free(history->quoted);
    history->quoted = buf_steal(&quoted);
}

struct column_reading {
    struct text_list *names;
    char *schema;
};

static int on_column(void *context, const struct db_value *columns, size_t count, struct error *err)
{
    struct column_reading *reading = context;
    (void)count;
    (void)err;
    if (columns[0].text)
        text_list_add(reading->names, columns[0].text);
    if (columns[1].text && !reading->schema)
        reading->schema = mem_string(columns[1].text);
    return 0;
}

int history_columns(struct history *history, struct text_list *columns, struct error *err)
{
    const char *dot = strchr(history->table, '.');
    SCOPED(string)
    char *schema = dot ? mem_string_n(history->table, (size_t)(dot - history->table)) : NULL;
    const struct db_value both[] = {db_text(schema), db_text(dot ? dot + 1 : history->table)};
    const struct db_value whole[] = {db_text(history->quoted)};
    bool regclass = history->db->ops->engine == DB_POSTGRES;
    struct column_reading reading = {.names = columns};
    int result = db_query(history->db, engine(history)->columns, regclass ? whole : both,
                          regclass ? 1 : 2, on_column, &reading, err);
    stay_in(history, reading.schema);
    free(reading.schema);
    return result;
}

int history_find(struct history *history, struct error *err)
{
    static const char *const needed[] = {
        "version",           "name",     "status",   "batch", "checksum", "applied_at",
        "execution_time_ms", "progress", "backup_id"};
    SCOPED(text_list) struct text_list columns = TEXT_LIST_INIT;
    if (history_columns(history, &columns, err) < 0)
        return -1;
    history->exists = columns.count > 0;
    history->missed = !history->exists;
    for (size_t i = 0; history->exists && i < ARRAY_SIZE(needed); i++) {
        if (text_list_has(&columns, needed[i]))
            continue;
        history->exists = false;
        error_set(err, ERROR_FAILED, "the table %s is not kedge's: it has no column %s",
                  history->table, needed[i]);
        return error_hint(err,
                          "take another tool's over with kedge migrate import, or keep one beside "
                          "it with --history-table NAME");
    }
    return history->exists;
}

int history_create(struct history *history, struct error *err)
{
    if (history->exists)
        return 0;
    const struct engine_sql *sql = engine(history);
    SCOPED(string) char *schema = NULL;
    if (sql->schema && db_query_text(history->db, sql->schema, NULL, 0, &schema, err) < 0)
        return -1;
    stay_in(history, schema);
    SCOPED(string)
    char *text = mem_format("CREATE TABLE IF NOT EXISTS %s ("
                            "version VARCHAR(64) NOT NULL PRIMARY KEY, "
                            "name VARCHAR(255) NOT NULL, "
                            "description VARCHAR(255), "
                            "status VARCHAR(16) NOT NULL "
                            "CHECK (status IN ('pending', 'applied', 'failed', 'rollback')), "
                            "batch INTEGER, "
                            "checksum VARCHAR(64), "
                            "applied_at %s NULL, "
                            "rolled_back_at %s NULL, "
                            "execution_time_ms BIGINT, "
                            "statements_total INTEGER, "
                            "statements_done INTEGER, "
                            "progress VARCHAR(128), "
                            "source %s, "
                            "applied_by VARCHAR(255), "
                            "applied_from VARCHAR(255), "
                            "backup_id CHAR(26), "
                            "error_message %s, "
                            "created_at %s NULL, "
                            "updated_at %s NULL)%s",
                            history->quoted, sql->moment, sql->moment, sql->long_text,
                            sql->long_text, sql->moment, sql->moment, sql->table_tail);
    if (db_execute(history->db, text, NULL, 0, NULL, err) < 0)
        return error_prefix(err, "create the table %s", history->table);
    history->exists = true;
    return 0;
}

/* ---- reading ---- */

#define NUMBER_LENGTH 32 /* at least what a number and a moment need */

static bool is_text(const struct db_value *value)
{
    return value->type == DB_TEXT || value->type == DB_BLOB;
}

/* The value as text at `*at`, which moves behind it. */
static const char *put_text(char **at, const struct db_value *value)
{
    char *text = *at;
    if (is_text(value)) {
        memcpy(text, value->text, value->size);
        text[value->size] = '\0';
        *at += value->size + 1;
        return text;
    }
    if (value->type != DB_INTEGER)
        return NULL;
    *at += snprintf(text, NUMBER_LENGTH, "%lld", (long long)value->integer) + 1;
    return text;
}

/* A moment may take more room than the text that it comes as. */
static size_t room_for(const struct db_value *columns, size_t count)
{
    size_t room = NUMBER_LENGTH;
    for (size_t i = 0; i < count; i++)
        if (is_text(&columns[i]))
            room += columns[i].size + 1;
        else if (columns[i].type == DB_INTEGER)
            room += NUMBER_LENGTH;
    return room;
}

/* Drivers may hand numbers on as text. */
static int64_t integer_of(const struct db_value *value, int64_t none)
{
    int64_t number = none;
    if (value->type == DB_INTEGER)
        return value->integer;
    if (value->type == DB_TEXT &&
        text_parse_int(value->text, INT64_MIN, INT64_MAX, &number, NULL) < 0)
        return none;
    return number;
}

/* ISO 8601 in UTC, of seconds since 1970 (PostgreSQL) or "2026-01-02 03:04:05.678" (MySQL): making
 * a text of it is cheaper here than at the server. */
static const char *put_moment(char **at, enum db_engine engine, const struct db_value *value)
{
    char *text = *at;
    if (engine == DB_POSTGRES && value->type == DB_INTEGER) {
        moment_format_iso(value->integer * MOMENT_SECOND, text);
        *at += strlen(text) + 1;
        return text;
    }
    put_text(at, value);
    if (engine != DB_MYSQL || value->type != DB_TEXT || value->size < MOMENT_LENGTH)
        return *at > text ? text : NULL;
    text[strlen("2026-01-02")] = 'T';
    strcpy(text + MOMENT_LENGTH, "Z");
    *at = text + MOMENT_LENGTH + sizeof "Z";
    return text;
}

struct row_reading {
    struct history *history;
    struct history_rows *rows;
};

static int read_status(const struct history *history, const struct history_row *row,
                       const char *name, enum history_status *ret_status, struct error *err)
{
    if (row->version && name && history_status_parse(name, ret_status))
        return 0;
    return error_set(err, ERROR_FAILED, "the table %s: version %s has the status \"%s\"",
                     history->table, row->version ? row->version : "NULL", name ? name : "NULL");
}

static int on_row(void *context, const struct db_value *columns, size_t count, struct error *err)
{
    struct row_reading *reading = context;
    char *memory = mem_resize(NULL, room_for(columns, count), 1);
    char *at = memory;
    struct history_row row = {
        .memory = memory,
        .version = put_text(&at, &columns[0]),
        .name = put_text(&at, &columns[1]),
        .batch = integer_of(&columns[3], 0),
        .checksum = put_text(&at, &columns[4]),
        .applied_at = put_moment(&at, reading->history->db->ops->engine, &columns[5]),
        .execution_time_ms = integer_of(&columns[6], -1),
        .statements_done = integer_of(&columns[7], 0),
        .progress = put_text(&at, &columns[8]),
        .error_message = put_text(&at, &columns[9]),
        .backup_id = put_text(&at, &columns[10]),
    };
    const char *status = put_text(&at, &columns[2]);
    if (read_status(reading->history, &row, status, &row.status, err) < 0) {
        history_row_clear(&row);
        return -1;
    }
    ARRAY_GROW(reading->rows->items, reading->rows->count, reading->rows->capacity);
    reading->rows->items[reading->rows->count++] = row;
    return 0;
}

static char *select_sql(const struct history *history, const char *tail)
{
    return mem_format("SELECT version, name, status, batch, checksum, %s, execution_time_ms, "
                      "statements_done, progress, error_message, backup_id FROM %s%s",
                      engine(history)->read_moment, history->quoted, tail);
}

static int compare_versions(const void *a, const void *b)
{
    const struct history_row *left = a;
    const struct history_row *right = b;
    return strcmp(left->version, right->version);
}

/* Servers sort texts by the rules of some language; ours are found by their bytes. */
static void sort_rows(struct history_rows *rows)
{
    for (size_t i = 1; i < rows->count; i++) {
        if (compare_versions(&rows->items[i - 1], &rows->items[i]) <= 0)
            continue;
        qsort(rows->items, rows->count, sizeof *rows->items, compare_versions);
        return;
    }
}

int history_read(struct history *history, struct history_rows *rows, struct error *err)
{
    struct row_reading reading = {history, rows};
    if (!history->exists)
        return 0;
    SCOPED(string) char *sql = select_sql(history, "");
    if (db_query_whole(history->db, sql, NULL, 0, on_row, &reading, err) < 0)
        return -1;
    sort_rows(rows);
    return 0;
}

/* Whoever can read it has found it. Where that fails, and within a transaction, which a failure
 * would end, it is looked for first. */
int history_load(struct history *history, struct history_rows *rows, struct error *err)
{
    struct db *db = history->db;
    if (!history->exists && !history->missed && !db->ops->in_transaction(db)) {
        struct error ignored = ERROR_INIT;
        history->exists = true;
        if (history_read(history, rows, &ignored) == 0)
            return 0;
        history_rows_clear(rows);
        history->exists = false;
    }
    if (!history->exists && history_find(history, err) < 0)
        return -1;
    return history_read(history, rows, err);
}

int history_read_one(struct history *history, const char *version, struct history_row *ret_row,
                     struct error *err)
{
    SCOPED(history_rows) struct history_rows rows = HISTORY_ROWS_INIT;
    struct row_reading reading = {history, &rows};
    const struct db_value parameter = db_text(version);
    SCOPED(string) char *tail = mem_format(" WHERE version = ?%s", engine(history)->lock_row);
    SCOPED(string) char *sql = select_sql(history, tail);
    if (db_query(history->db, sql, &parameter, 1, on_row, &reading, err) < 0)
        return -1;
    if (rows.count == 0)
        return 0;
    *ret_row = rows.items[0];
    rows.items[0] = (struct history_row){0};
    return 1;
}

int history_source(struct history *history, const char *version, char **ret_source,
                   struct error *err)
{
    const struct db_value parameter = db_text(version);
    SCOPED(string)
    char *sql = mem_format("SELECT source FROM %s WHERE version = ?", history->quoted);
    return db_query_text(history->db, sql, &parameter, 1, ret_source, err);
}

/* ---- rows ---- */

const struct history_row *history_rows_find(const struct history_rows *rows, const char *version)
{
    /* Only compared; nothing is written through it. */
    const struct history_row wanted = {.version = (char *)(uintptr_t)version};
    if (rows->count == 0)
        return NULL;
    return bsearch(&wanted, rows->items, rows->count, sizeof *rows->items, compare_versions);
}

const struct history_row *history_rows_next(const struct history_rows *rows, const char *version,
                                            size_t *next)
{
    if (*next < rows->count && strcmp(rows->items[*next].version, version) == 0)
        return &rows->items[(*next)++];
    const struct history_row *row = history_rows_find(rows, version);
    if (row)
        *next = (size_t)(row - rows->items) + 1;
    return row;
}

int64_t history_last_batch(const struct history_rows *rows)
{
    int64_t last = 0;
    for (size_t i = 0; i < rows->count; i++)
        if (rows->items[i].batch > last)
            last = rows->items[i].batch;
    return last;
}

void history_row_clear(struct history_row *row)
{
    free(row->memory);
    *row = (struct history_row){0};
}

void history_rows_clear(struct history_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        history_row_clear(&rows->items[i]);
    free(rows->items);
    *rows = HISTORY_ROWS_INIT;
}
