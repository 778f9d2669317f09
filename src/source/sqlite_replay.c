#include "source/sqlite_replay.h"

#include "base/error.h"
#include "base/segment.h"
#include "base/stop.h"
#include "db/statement.h"
#include "io/progress.h"
#include "source/sqlite_connection.h"
#include "source/source.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* ---- what a dump may do ---- */

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

static int judge_pragma(const char *name, const char *value)
{
    static const char *const allowed[] = {"page_size",         "auto_vacuum",  "encoding",
                                          "foreign_keys",      "user_version", "application_id",
                                          "legacy_alter_table"};
    static const char *const ignored[] = {"journal_mode",       "synchronous",
                                          "cache_size",         "temp_store",
                                          "locking_mode",       "busy_timeout",
                                          "optimize",           "foreign_key_check",
                                          "defer_foreign_keys", "mmap_size",
                                          "secure_delete",      "count_changes",
                                          "wal_autocheckpoint", "ignore_check_constraints"};
    static const char *const switches[] = {"ON", "OFF", "1", "0"};
    if (strcasecmp(name, "writable_schema") == 0)
        return !value || is_one_of(value, switches, ARRAY_SIZE(switches)) ? SQLITE_OK : SQLITE_DENY;
    if (is_one_of(name, allowed, ARRAY_SIZE(allowed)))
        return SQLITE_OK;
    return is_one_of(name, ignored, ARRAY_SIZE(ignored)) ? SQLITE_IGNORE : SQLITE_DENY;
}

/* SQLite asks this for each thing that a statement is about to do. */
static int judge(void *context, int action, const char *first, const char *second,
                 const char *database, const char *trigger)
{
    static const char *const functions[] = {"load_extension", "fts3_tokenizer", "readfile",
                                            "writefile"};
    (void)context;
    (void)database;
    (void)trigger;
    switch (action) {
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
        return SQLITE_DENY;
    case SQLITE_PRAGMA:
        return judge_pragma(first, second);
    case SQLITE_FUNCTION:
        return is_one_of(second, functions, ARRAY_SIZE(functions)) ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_TRANSACTION:
        /* The shell ends a dump that met an error in this way; and there is no journal. */
        return strcasecmp(first, "ROLLBACK") == 0 ? SQLITE_DENY : SQLITE_OK;
    default:
        return SQLITE_OK;
    }
}

/* ---- running it ---- */

static int raise_at(struct sqlite_connection *connection, const struct statement *statement,
                    int code, struct error *err)
{
    size_t line = statement->line;
    size_t column = statement->column;
    int offset = sqlite3_error_offset(connection->handle);
    if (offset > 0)
        statement_locate(statement, (size_t)offset + 1, &line, &column);
    if (stop_check(err) < 0)
        return -1;
    if (code == SQLITE_AUTH)
        return error_set(err, ERROR_CORRUPT, "line %zu: a dump may not do this: %.60s", line,
                         statement->text);
    if ((code & 0xff) == SQLITE_FULL || (code & 0xff) == SQLITE_IOERR)
        return sqlite_connection_raise(connection, code, err);
    return error_set(err, ERROR_CORRUPT, "line %zu, column %zu: %s", line, column,
                     sqlite3_errmsg(connection->handle));
}

static int run(void *context, const struct statement *statement, struct error *err)
{
    struct sqlite_connection *connection = context;
    SCOPED(sqlite_statement) sqlite3_stmt *prepared = NULL;
    int code = sqlite3_prepare_v2(connection->handle, statement->text, (int)statement->size + 1,
                                  &prepared, NULL);
    while (code == SQLITE_OK || code == SQLITE_ROW)
        code = prepared ? sqlite3_step(prepared) : SQLITE_DONE;
    return code == SQLITE_DONE ? 0 : raise_at(connection, statement, code, err);
}

static int push_all(struct statement_reader *reader, struct segment_source *segments,
                    struct progress *progress, struct error *err)
{
    for (;;) {
        struct segment *segment = NULL;
        if (stop_check(err) < 0)
            return -1;
        int more = segments->ops->next(segments, &segment, err);
        if (more < 0)
            return -1;
        if (!more)
            return statement_reader_finish(reader, err);
        int result = statement_reader_push(reader, segment->data, segment->size, err);
        progress_add(progress, segment->size);
        segments->ops->drop(segments, segment);
        if (result < 0)
            return -1;
    }
}

/* Nobody knows the file and a failure throws it away, so it needs no journal. */
static int open_bare(struct os *os, const char *path, struct sqlite_connection **ret_connection,
                     struct error *err)
{
    SCOPED(sqlite_connection) struct sqlite_connection *connection = NULL;
    if (sqlite_connection_open(os, path, 0, &connection, err) < 0 ||
        sqlite_connection_run(connection,
                              "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF;"
                              "PRAGMA synchronous=OFF; PRAGMA cache_size=-65536",
                              err) < 0)
        return -1;
    sqlite3_limit(connection->handle, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_set_authorizer(connection->handle, judge, NULL);
    *ret_connection = STEAL(connection);
    return 0;
}

int sqlite_replay(const char *path, const struct load_options *load,
                  struct segment_source *segments, uint64_t *ret_rows, struct error *err)
{
    SCOPED(sqlite_connection) struct sqlite_connection *connection = NULL;
    if (open_bare(load->os, path, &connection, err) < 0)
        return -1;
    struct statement_options options = {
        .dialect = DB_SQLITE, .name = "dump", .max_statement_bytes = load->max_statement_bytes};
    struct statement_handler handler = {.statement = run, .context = connection};
    SCOPED(statement_reader)
    struct statement_reader *reader = statement_reader_new(&options, &handler);
    if (push_all(reader, segments, load->progress, err) < 0)
        return -1;
    if (!sqlite3_get_autocommit(connection->handle))
        return error_set(err, ERROR_CORRUPT, "the dump ends within its transaction");
    *ret_rows = (uint64_t)sqlite3_total_changes64(connection->handle);
    return 0;
}
