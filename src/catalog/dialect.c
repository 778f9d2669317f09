#include "catalog/dialect.h"

#include "base/mem.h"
#include "base/moment.h"
#include "db/db.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const sqlite_session[] = {"PRAGMA foreign_keys = ON", NULL};

/* Readers and the one writer do not wait for each other in this mode; it stays with the file. */
static const char *const sqlite_new_file[] = {"PRAGMA journal_mode = WAL", NULL};

static const char *const postgres_session[] = {"SET TimeZone = 'UTC'", "SET search_path = kedge",
                                               NULL};

/* "trigger" is a word of MySQL's own, so names are quoted as elsewhere. */
static const char *const mysql_session[] = {
    "SET SESSION sql_mode = concat(@@sql_mode, ',ANSI_QUOTES')", "SET time_zone = '+00:00'", NULL};

static const char *const nothing[] = {NULL};

static const struct dialect dialects[] = {
    {
        .engine = DB_SQLITE,
        .name = "sqlite",
        .session = sqlite_session,
        .new_file = sqlite_new_file,
        .history_exists = "SELECT count(*) FROM sqlite_master WHERE name = 'schema_migrations'",
        .columns = "SELECT name FROM pragma_table_info(?)",
        .outside = "SELECT type FROM sqlite_master WHERE name = ? AND type IN ('table', 'view')",
        .outside_table = "database_backups",
        .outside_columns = "SELECT name FROM pragma_table_info(?)",
        .integrity = "SELECT integrity_check FROM pragma_integrity_check "
                     "WHERE integrity_check <> 'ok' UNION ALL "
                     "SELECT 'a row of ' || \"table\" || ' points to one of ' || parent || "
                     "' that is not there' FROM pragma_foreign_key_check",
        .title = "SQLite",
        .now = "SELECT datetime('now')",
        .claim = "",
        .time_format = "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
        .nests = true,
        .retries = 0,
    },
    {
        .engine = DB_POSTGRES,
        .name = "postgres",
        .session = postgres_session,
        .new_file = nothing,
        .create = "CREATE SCHEMA IF NOT EXISTS kedge",
        .history_exists = "SELECT count(*) FROM information_schema.tables "
                          "WHERE table_schema = 'kedge' AND table_name = 'schema_migrations'",
        .columns = "SELECT attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
                   "WHERE relnamespace = to_regnamespace('kedge') AND relname = ? AND attnum > 0 "
                   "AND NOT attisdropped ORDER BY attnum",
        .outside = "SELECT CASE relkind WHEN 'v' THEN 'view' ELSE 'table' END FROM pg_class "
                   "WHERE relnamespace = to_regnamespace('public') AND relname = ?",
        .outside_table = "public.database_backups",
        .outside_columns =
            "SELECT attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
            "WHERE relnamespace = to_regnamespace('public') AND relname = ? AND attnum > 0 "
            "AND NOT attisdropped ORDER BY attnum",
        .outside_view = "CREATE VIEW public.%s AS SELECT * FROM kedge.%s",
        .denied = "SELECT 'schema public' WHERE CASE WHEN to_regnamespace('public') IS NULL "
                  "THEN false ELSE NOT has_schema_privilege('public', 'CREATE') END "
                  "UNION ALL SELECT 'schema kedge' FROM pg_namespace WHERE nspname = 'kedge' "
                  "AND NOT (has_schema_privilege(oid, 'CREATE') "
                  "AND has_schema_privilege(oid, 'USAGE')) "
                  "UNION ALL SELECT 'database ' || current_database() "
                  "WHERE NOT has_database_privilege(current_database(), 'CREATE')",
        .title = "PostgreSQL",
        .now = "SELECT to_char(now(), 'YYYY-MM-DD HH24:MI:SS')",
        .claim = " FOR UPDATE SKIP LOCKED",
        .lock = "SELECT CASE WHEN pg_try_advisory_lock(('x' || ?)::bit(64)::bigint) THEN 1 "
                "ELSE 0 END",
        .unlock = "SELECT pg_advisory_unlock(('x' || ?)::bit(64)::bigint)",
        .time_format = "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
        .retries = 5,
    },
    {
        .engine = DB_MYSQL,
        .name = "mysql",
        .session = mysql_session,
        .new_file = nothing,
        .create = "CREATE DATABASE IF NOT EXISTS kedge",
        .place_lock = "SELECT coalesce(get_lock('kedge.install', 10), 0)",
        .place_there =
            "SELECT count(*) FROM information_schema.schemata WHERE schema_name = 'kedge'",
        .place_holds =
            "SELECT (SELECT count(*) FROM information_schema.tables WHERE table_schema = 'kedge') "
            "+ (SELECT count(*) FROM information_schema.routines WHERE routine_schema = 'kedge') "
            "+ (SELECT count(*) FROM information_schema.events WHERE event_schema = 'kedge')",
        .place_drop = "DROP DATABASE kedge",
        .enter = "USE kedge",
        .history_exists = "SELECT count(*) FROM information_schema.tables "
                          "WHERE table_schema = 'kedge' AND table_name = 'schema_migrations'",
        .columns = "SELECT column_name FROM information_schema.columns "
                   "WHERE table_schema = 'kedge' AND table_name = ? ORDER BY ordinal_position",
        .outside = "SELECT CASE table_type WHEN 'VIEW' THEN 'view' ELSE 'table' END "
                   "FROM information_schema.tables "
                   "WHERE table_schema = database() AND table_name = ?",
        .outside_columns = "SELECT column_name FROM information_schema.columns "
                           "WHERE table_schema = database() AND table_name = ?",
        .title = "MySQL",
        .now = "SELECT date_format(now(), '%Y-%m-%d %H:%i:%s')",
        .claim = " FOR UPDATE SKIP LOCKED",
        .lock = "SELECT coalesce(get_lock(concat('kedge.', ?), 0), 0)",
        .unlock = "SELECT release_lock(concat('kedge.', ?))",
        .time_format = "%04d-%02d-%02d %02d:%02d:%02d.%06d",
        .retries = 5,
    },
};

const struct dialect *dialect_of(enum db_engine engine)
{
    for (size_t i = 0; i < ARRAY_SIZE(dialects); i++)
        if (dialects[i].engine == engine)
            return &dialects[i];
    return NULL;
}

static int run(struct db *db, const char *sql, struct error *err)
{
    return sql ? db_execute(db, sql, NULL, 0, NULL, err) : 0;
}

int dialect_create(const struct dialect *dialect, struct db *db, struct error *err)
{
    return run(db, dialect->create, err);
}

int dialect_enter(const struct dialect *dialect, struct db *db, struct error *err)
{
    return run(db, dialect->enter, err);
}

void dialect_format_time(const struct dialect *dialect, int64_t moment_ns,
                         char ret_text[static DIALECT_TIME_SIZE])
{
    time_t seconds = (time_t)(moment_ns / MOMENT_SECOND);
    int microseconds = (int)(moment_ns % MOMENT_SECOND / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    /* The formats are the rows above; each takes the same seven numbers. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(ret_text, DIALECT_TIME_SIZE, dialect->time_format, utc.tm_year + 1900, utc.tm_mon + 1,
             utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, microseconds);
#pragma GCC diagnostic pop
}

/* `count` digits at `text`, or -1. */
static int digits(const char *text, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

/* Days since 1970-01-01 in the Gregorian calendar; March begins the year so that the leap day is
 * its last. */
static int64_t days_since_1970(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t m = month > 2 ? month - 3 : month + 9;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 719469;
}

static bool is_utc(const char *zone)
{
    return strcmp(zone, "") == 0 || strcmp(zone, "Z") == 0 || strcmp(zone, "+00") == 0 ||
           strcmp(zone, "+00:00") == 0;
}

/* The forms that the engines write: a list of a hundred thousand rows reads four of them a row. */
static int parse_ours(const char *text, int64_t *ret_moment_ns)
{
    if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != ' ') ||
        text[13] != ':' || text[16] != ':')
        return -1;
    int year = digits(text, 4), month = digits(text + 5, 2), day = digits(text + 8, 2);
    int hour = digits(text + 11, 2), minute = digits(text + 14, 2), second = digits(text + 17, 2);
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59 || second < 0 || second > 60)
        return -1;
    const char *rest = text + 19;
    int64_t fraction_ns = 0;
    if (*rest == '.')
        for (int64_t scale = MOMENT_SECOND / 10; isdigit((unsigned char)*++rest); scale /= 10)
            fraction_ns += (*rest - '0') * scale;
    if (!is_utc(rest))
        return -1;
    int64_t seconds =
        days_since_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    int64_t moment_ns = 0;
    if (__builtin_mul_overflow(seconds, MOMENT_SECOND, &moment_ns) ||
        __builtin_add_overflow(moment_ns, fraction_ns, &moment_ns))
        return -1;
    *ret_moment_ns = moment_ns;
    return 0;
}

int dialect_parse_time(const char *text, size_t size, int64_t *ret_moment_ns)
{
    if (size >= 19 && parse_ours(text, ret_moment_ns) == 0)
        return 0;
    return moment_parse(text, ret_moment_ns);
}
