#include "migrate/peer.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "migrate/naming.h"

#include <stdlib.h>
#include <string.h>

#define VERSION_MAXIMUM 64 /* the history's column */

/* The columns that every query answers with, as text. */
enum column {
    COLUMN_VERSION,
    COLUMN_NAME,
    COLUMN_GOOD, /* "1" or "0" */
    COLUMN_MOMENT,
    COLUMN_TIME,
    COLUMN_BATCH,
    COLUMN_CHECKSUM,
    COLUMN_TYPE,
    COLUMNS,
};

struct peer {
    const char *name;
    const char *table;
    const char *columns; /* that it has, separated by blanks */
    bool exact;          /* and no others */
    /* With {s:column} for its text, {h:column} in lower-case hex, {b:condition}, {t:moment} in the
     * time zone of the session or its own, {u:moment} in UTC; {T} is the table. */
    const char *query;
    int64_t time_divisor; /* of COLUMN_TIME, to milliseconds */
    enum peer_sum sum;    /* what COLUMN_CHECKSUM is */
    /* Turn what was read into a row; false when it says nothing. */
    bool (*read)(const char *const texts[static COLUMNS], struct peer_row *row);
};

/* ---- what each tool means ---- */

static char *copy(const char *text)
{
    return text ? mem_string(text) : NULL;
}

static bool is_good(const char *const texts[static COLUMNS])
{
    return texts[COLUMN_GOOD] && strcmp(texts[COLUMN_GOOD], "1") == 0;
}

/* Version 0 stands for the empty database. */
static bool read_goose(const char *const texts[static COLUMNS], struct peer_row *row)
{
    row->version = copy(texts[COLUMN_VERSION]);
    row->state = is_good(texts) ? PEER_APPLIED : PEER_UNDONE;
    return row->version && strcmp(row->version, "0") != 0;
}

static bool read_version(const char *const texts[static COLUMNS], struct peer_row *row)
{
    row->version = copy(texts[COLUMN_VERSION]);
    return row->version != NULL;
}

/* One row, of the version that was reached; -1 is before the first. */
static bool read_golang_migrate(const char *const texts[static COLUMNS], struct peer_row *row)
{
    row->version = copy(texts[COLUMN_VERSION]);
    row->state = is_good(texts) ? PEER_REACHED : PEER_UNFINISHED;
    return row->version && row->version[0] != '-';
}

/* "create users" as it stands in the name of the file. */
static char *name_of(const char *description)
{
    char *name = copy(description);
    for (char *c = name; c && *c; c++)
        if (*c == ' ')
            *c = '_';
    return name;
}

static bool read_sqlx(const char *const texts[static COLUMNS], struct peer_row *row)
{
    row->version = copy(texts[COLUMN_VERSION]);
    row->name = name_of(texts[COLUMN_NAME]);
    row->state = is_good(texts) ? PEER_APPLIED : PEER_FAILED;
    row->sum = copy(texts[COLUMN_CHECKSUM]);
    return row->version != NULL;
}

static enum peer_state flyway_state(const char *type, bool good)
{
    if (text_starts(type, "UNDO") && good)
        return PEER_UNDONE;
    if (strcmp(type, "DELETE") == 0)
        return PEER_UNDONE;
    if (strstr(type, "BASELINE"))
        return PEER_BASELINE;
    return good ? PEER_APPLIED : PEER_FAILED;
}

/* A repeatable one has no version, but a script; what made the schema has neither. */
static bool read_flyway(const char *const texts[static COLUMNS], struct peer_row *row)
{
    const char *type = texts[COLUMN_TYPE] ? texts[COLUMN_TYPE] : "";
    const char *script = texts[COLUMN_NAME] ? path_base(texts[COLUMN_NAME]) : "";
    SCOPED(arena) struct arena memory = ARENA_INIT;
    struct naming naming = {0};
    if (strcmp(type, "SCHEMA") == 0)
        return false;
    if (naming_parse(script, &memory, &naming)) {
        row->name = mem_string(naming.name);
        row->version = naming.repeatable ? mem_string(naming.version) : NULL;
    }
    if (texts[COLUMN_VERSION]) {
        free(row->version);
        row->version = mem_string(texts[COLUMN_VERSION]);
    }
    row->state = flyway_state(type, is_good(texts));
    row->sum = copy(texts[COLUMN_CHECKSUM]);
    return row->version != NULL;
}

/* 2014_10_12_000000_create_users has the version 20141012000000. */
static bool read_laravel(const char *const texts[static COLUMNS], struct peer_row *row)
{
    static const char shape[] = "dddd_dd_dd_dddddd_";
    const char *name = texts[COLUMN_VERSION];
    SCOPED(buf) struct buf version = BUF_INIT;
    size_t i = 0;
    for (; name && shape[i] && name[i]; i++) {
        bool digit = name[i] >= '0' && name[i] <= '9';
        if (digit != (shape[i] == 'd') || (!digit && name[i] != '_'))
            break;
        if (digit)
            buf_append_char(&version, name[i]);
    }
    if (!name || shape[i])
        return false;
    row->version = buf_steal(&version);
    row->name = mem_string(name + i);
    return true;
}

/* A name beside the version, in whatever letters. */
static bool read_named(const char *const texts[static COLUMNS], struct peer_row *row)
{
    row->version = copy(texts[COLUMN_VERSION]);
    row->name = name_of(texts[COLUMN_NAME]);
    return row->version != NULL;
}

/* The name of the file. */
static bool read_sql_migrate(const char *const texts[static COLUMNS], struct peer_row *row)
{
    SCOPED(arena) struct arena memory = ARENA_INIT;
    struct naming naming = {0};
    if (!texts[COLUMN_VERSION] || !naming_parse(texts[COLUMN_VERSION], &memory, &naming))
        return false;
    row->version = mem_string(naming.version);
    row->name = mem_string(naming.name);
    return true;
}

#define FLYWAY_QUERY                                                                               \
    "SELECT {s:version}, {s:script}, {b:success}, {t:installed_on}, {s:execution_time}, NULL, "    \
    "{s:checksum}, {s:type} FROM {T} ORDER BY installed_rank"

static const struct peer peers[] = {
    {"goose", "goose_db_version", "id version_id is_applied tstamp", false,
     "SELECT {s:version_id}, NULL, {b:is_applied}, {t:tstamp}, NULL, NULL, NULL, NULL FROM {T} "
     "ORDER BY id",
     1, PEER_SUM_NONE, read_goose},
    {"dbmate", "schema_migrations", "version", true,
     "SELECT {s:version}, NULL, '1', NULL, NULL, NULL, NULL, NULL FROM {T} ORDER BY version", 1,
     PEER_SUM_NONE, read_version},
    {"golang-migrate", "schema_migrations", "version dirty", true,
     "SELECT {s:version}, NULL, {b:NOT dirty}, NULL, NULL, NULL, NULL, NULL FROM {T}", 1,
     PEER_SUM_NONE, read_golang_migrate},
    {"sqlx", "_sqlx_migrations", "version description installed_on success checksum execution_time",
     false,
     "SELECT {s:version}, {s:description}, {b:success}, {t:installed_on}, {s:execution_time}, "
     "NULL, {h:checksum}, NULL FROM {T} ORDER BY version",
     1000000, PEER_SUM_SQLX, read_sqlx},
    {"flyway", "flyway_schema_history",
     "installed_rank version description type script checksum installed_on execution_time success",
     false, FLYWAY_QUERY, 1, PEER_SUM_FLYWAY, read_flyway},
    {"flyway", "schema_version", /* before version 5 */
     "installed_rank version description type script checksum installed_on execution_time success",
     false, FLYWAY_QUERY, 1, PEER_SUM_FLYWAY, read_flyway},
    {"laravel", "migrations", "migration batch", false,
     "SELECT {s:migration}, NULL, '1', NULL, NULL, {s:batch}, NULL, NULL FROM {T} "
     "ORDER BY batch, migration",
     1, PEER_SUM_NONE, read_laravel},
    {"sql-migrate", "gorp_migrations", "id applied_at", true,
     "SELECT {s:id}, NULL, '1', {u:applied_at}, NULL, NULL, NULL, NULL FROM {T} ORDER BY id", 1,
     PEER_SUM_NONE, read_sql_migrate},
    {"rails", "schema_migrations", "version", true, /* where nobody says otherwise it is dbmate's */
     "SELECT {s:version}, NULL, '1', NULL, NULL, NULL, NULL, NULL FROM {T} ORDER BY version", 1,
     PEER_SUM_NONE, read_version},
    {"refinery", "refinery_schema_history", "version name applied_on checksum", true,
     "SELECT {s:version}, {s:name}, '1', {u:applied_on}, NULL, NULL, NULL, NULL FROM {T} "
     "ORDER BY version",
     1, PEER_SUM_NONE, read_named},
    {"diesel", "__diesel_schema_migrations", "version run_on", true,
     "SELECT {s:version}, NULL, '1', {t:run_on}, NULL, NULL, NULL, NULL FROM {T} ORDER BY version",
     1, PEER_SUM_NONE, read_version},
    {"phinx", "phinxlog", "version migration_name end_time", false,
     "SELECT {s:version}, {s:migration_name}, '1', {t:end_time}, NULL, NULL, NULL, NULL FROM {T} "
     "ORDER BY version",
     1, PEER_SUM_NONE, read_named},
};

/* ---- the table ---- */

const struct peer *peer_next(const struct peer *peer)
{
    if (!peer)
        return peers;
    return peer + 1 < peers + ARRAY_SIZE(peers) ? peer + 1 : NULL;
}

const struct peer *peer_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
        if (strcmp(peers[i].name, name) == 0)
            return &peers[i];
    return NULL;
}

const char *peer_name(const struct peer *peer)
{
    return peer->name;
}

const char *peer_table(const struct peer *peer)
{
    return peer->table;
}

enum peer_sum peer_sum_kind(const struct peer *peer)
{
    return peer->sum;
}

bool peer_fits(const struct peer *peer, const struct text_list *columns)
{
    SCOPED(string) char *names = mem_string(peer->columns);
    size_t count = 0;
    char *rest = names;
    for (char *name = strsep(&rest, " "); name; name = strsep(&rest, " ")) {
        if (!text_list_has(columns, name))
            return false;
        count++;
    }
    return !peer->exact || count == columns->count;
}

/* ---- reading ---- */

/* What a token of the query is on the engine; %s is the column. */
static const char *const expressions[][4] = {
    [DB_SQLITE] = {"CAST(%s AS TEXT)", "strftime('%Y-%m-%dT%H:%M:%SZ', %s)",
                   "strftime('%Y-%m-%dT%H:%M:%SZ', %s)", "lower(hex(%s))"},
    [DB_POSTGRES] =
        {"CAST(%s AS TEXT)",
         "to_char(CAST(%s AS TIMESTAMPTZ) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
         "to_char(CAST(%s AS TIMESTAMPTZ) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
         "encode(%s, 'hex')"},
    [DB_MYSQL] = {"CAST(%s AS CHAR)",
                  "DATE_FORMAT(CONVERT_TZ(%s, @@session.time_zone, '+00:00'), "
                  "'%Y-%m-%dT%H:%i:%sZ')",
                  "DATE_FORMAT(%s, '%Y-%m-%dT%H:%i:%sZ')", "LOWER(HEX(%s))"},
};

/* The first %s of the pattern, replaced. */
static void append_expression(struct buf *sql, const char *pattern, const char *column, size_t size)
{
    const char *place = strstr(pattern, "%s");
    buf_append(sql, pattern, (size_t)(place - pattern));
    buf_append(sql, column, size);
    buf_append_text(sql, place + 2);
}

static void append_token(struct buf *sql, enum db_engine engine, const char *token, size_t size,
                         const char *table)
{
    static const char condition[] = "CASE WHEN %s THEN '1' ELSE '0' END";
    const char *pattern = token[0] == 's'   ? expressions[engine][0]
                          : token[0] == 't' ? expressions[engine][1]
                          : token[0] == 'u' ? expressions[engine][2]
                          : token[0] == 'h' ? expressions[engine][3]
                                            : condition;
    if (token[0] == 'T')
        buf_append_text(sql, table);
    else
        append_expression(sql, pattern, token + 2, size - 2);
}

static char *query_of(const struct peer *peer, enum db_engine engine, const char *table)
{
    SCOPED(buf) struct buf sql = BUF_INIT;
    const char *at = peer->query;
    while (*at) {
        size_t size = strcspn(at, "{");
        buf_append(&sql, at, size);
        at += size;
        if (!*at)
            break;
        size = strcspn(at, "}");
        append_token(&sql, engine, at + 1, size - 1, table);
        at += size + 1;
    }
    return buf_steal(&sql);
}

struct reading {
    const struct peer *peer;
    struct peer_rows *rows;
};

static int64_t number_of(const char *text, int64_t none)
{
    int64_t number = none;
    return text && text_parse_int(text, INT64_MIN, INT64_MAX, &number, NULL) == 0 ? number : none;
}

static void row_clear(struct peer_row *row)
{
    free(row->version);
    free(row->name);
    free(row->applied_at);
    free(row->sum);
}

static int on_row(void *context, const struct db_value *columns, size_t count, struct error *err)
{
    struct reading *reading = context;
    struct peer_row row = {0};
    const char *texts[COLUMNS] = {NULL};
    for (size_t i = 0; i < count && i < COLUMNS; i++)
        texts[i] = columns[i].type == DB_NULL ? NULL : columns[i].text;
    bool counts = reading->peer->read(texts, &row);
    if (counts && strlen(row.version) > VERSION_MAXIMUM) {
        error_set(err, ERROR_FAILED, "the version %s in the table of %s is too long", row.version,
                  reading->peer->name);
        row_clear(&row);
        return -1;
    }
    if (!counts) {
        if (!row.version && texts[COLUMN_VERSION])
            text_list_add(&reading->rows->passed_over, texts[COLUMN_VERSION]);
        row_clear(&row);
        return 0;
    }
    int64_t time = number_of(texts[COLUMN_TIME], -1);
    row.execution_time_ms = time < 0 ? -1 : time / reading->peer->time_divisor;
    row.batch = number_of(texts[COLUMN_BATCH], 0);
    row.applied_at = copy(texts[COLUMN_MOMENT]);
    ARRAY_GROW(reading->rows->items, reading->rows->count, reading->rows->capacity);
    reading->rows->items[reading->rows->count++] = row;
    return 0;
}

int peer_read(const struct peer *peer, struct db *db, const char *table, struct peer_rows *rows,
              struct error *err)
{
    struct reading reading = {peer, rows};
    SCOPED(string) char *sql = query_of(peer, db->ops->engine, table);
    if (db_query(db, sql, NULL, 0, on_row, &reading, err) < 0)
        return error_prefix(err, "read the history of %s", peer->name);
    return 0;
}

void peer_rows_clear(struct peer_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        row_clear(&rows->items[i]);
    free(rows->items);
    text_list_clear(&rows->passed_over);
    *rows = PEER_ROWS_INIT;
}
