#include "db/sqlite.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/stop.h"
#include "base/text.h"
#include "db/sqlite_cache.h"
#include "db/sqlite_fault.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define LOCK_TIMEOUT_MS 10000
/* Once a stop was requested nobody waits long, but the last row still wants to be written. */
#define LOCK_TIMEOUT_STOPPED_MS 1000
/* Virtual machine steps between two looks at the clock. */
#define STEPS_PER_LOOK 10000
/* Longer statements are data of a migration and will not come again. */
#define CACHE_STATEMENT_SIZE 4096
#define FIRST_ATTACHED 2 /* after main and temp */

struct sqlite {
    struct db base;
    sqlite3 *handle;
    char *path;
    struct db_options options; /* its texts are not kept */
    int64_t lock_timeout_ms;
    int64_t lock_since_ns;
    int64_t statement_timeout_ms; /* 0: none */
    int64_t deadline_ns;          /* of the statement that runs */
    bool timed_out;
    bool began_stopped;    /* the statement that runs did, after a stop was asked for */
    atomic_bool cancelled; /* the busy handler cannot see sqlite3_interrupt */
    bool keeps_journal;
    struct sqlite_cache cache;
};

static struct sqlite *sqlite_of(struct db *db)
{
    return (struct sqlite *)db;
}

bool sqlite_is_read_only(struct db *db)
{
    return sqlite3_db_readonly(sqlite_of(db)->handle, "main") == 1;
}

/* ---- errors ---- */

/* SQLite counts bytes of the statement, a fault characters. */
static size_t position_of(sqlite3 *handle, const char *sql)
{
    int offset = sqlite3_error_offset(handle);
    if (offset < 0 || !sql)
        return 0;
    size_t position = 1;
    for (int i = 0; i < offset && sql[i]; i++)
        position += (sql[i] & 0xc0) != 0x80;
    return position;
}

static int raise(struct sqlite *sqlite, const char *sql, int code, struct error *err)
{
    size_t position = position_of(sqlite->handle, sql);
    sqlite_raise(sqlite->handle, code, sqlite->path, &sqlite->base.fault, err);
    sqlite->base.fault.position = position;
    if (sqlite->timed_out && (code & 0xff) == SQLITE_INTERRUPT)
        return error_set(err, ERROR_TIMEOUT, "%s: the statement took longer than %lld ms",
                         sqlite->path, (long long)sqlite->statement_timeout_ms);
    if (sqlite->base.fault.lock_timeout && atomic_load(&sqlite->cancelled))
        return error_set(err, ERROR_INTERRUPTED, "%s: interrupted", sqlite->path);
    if (sqlite->base.fault.lock_timeout)
        error_hint(err, "another process is writing to it; try again");
    return -1;
}

/* ---- waiting ---- */

/* SQLite's own busy handler knows no stop flag. 1: try again. */
static int on_busy(void *context, int tries)
{
    struct sqlite *sqlite = context;
    struct os *os = sqlite->base.os;
    int64_t now_ns = os->clock_monotonic_ns(os);
    if (tries == 0)
        sqlite->lock_since_ns = now_ns;
    int64_t waited_ms = (now_ns - sqlite->lock_since_ns) / 1000000;
    int64_t limit_ms = sqlite->lock_timeout_ms;
    if (stop_requested() && limit_ms > LOCK_TIMEOUT_STOPPED_MS)
        limit_ms = LOCK_TIMEOUT_STOPPED_MS;
    if (waited_ms >= limit_ms || atomic_load(&sqlite->cancelled))
        return 0;
    int64_t rest_ms = tries < 4 ? 1 : tries < 16 ? 5 : 20;
    os->sleep_ms(os, rest_ms < limit_ms - waited_ms ? rest_ms : limit_ms - waited_ms);
    return 1;
}

/* Non-zero interrupts the statement. One that began after the stop was asked for is part of the way
 * out: what was done is being written down. */
static int on_progress(void *context)
{
    struct sqlite *sqlite = context;
    struct os *os = sqlite->base.os;
    if (stop_requested() && !sqlite->began_stopped)
        return 1;
    if (!sqlite->statement_timeout_ms || os->clock_monotonic_ns(os) < sqlite->deadline_ns)
        return 0;
    sqlite->timed_out = true;
    return 1;
}

static void start_deadline(struct sqlite *sqlite)
{
    struct os *os = sqlite->base.os;
    sqlite->timed_out = false;
    sqlite->began_stopped = stop_requested();
    atomic_store(&sqlite->cancelled, false);
    if (sqlite->statement_timeout_ms)
        sqlite->deadline_ns = os->clock_monotonic_ns(os) + sqlite->statement_timeout_ms * 1000000;
}

/* ---- statements ---- */

/* What follows the first statement may be blanks and comments only. */
static int check_tail(struct sqlite *sqlite, const char *tail, const char *end, struct error *err)
{
    while (tail < end) {
        sqlite3_stmt *statement = NULL;
        const char *next = end;
        int code = sqlite3_prepare_v2(sqlite->handle, tail, (int)(end - tail), &statement, &next);
        sqlite3_finalize(statement);
        if (code != SQLITE_OK || statement)
            return error_set(err, ERROR_FAILED, "%s: more than one statement at once",
                             sqlite->path);
        if (next == tail)
            break;
        tail = next;
    }
    return 0;
}

/* *ret_statement is NULL for a text without a statement (blanks, comments). */
static int prepare(struct sqlite *sqlite, const char *sql, size_t size, unsigned flags,
                   sqlite3_stmt **ret_statement, struct error *err)
{
    if (size > INT32_MAX)
        return error_set(err, ERROR_FAILED, "%s: statement longer than 2 GiB", sqlite->path);
    sqlite3_stmt *statement = NULL;
    const char *tail = NULL;
    int code = sqlite3_prepare_v3(sqlite->handle, sql, (int)size, flags, &statement, &tail);
    if (code != SQLITE_OK)
        return raise(sqlite, sql, code, err);
    if (check_tail(sqlite, tail, sql + size, err) < 0) {
        sqlite3_finalize(statement);
        return -1;
    }
    *ret_statement = statement;
    return 0;
}

/* A statement in use: from the cache (then `cached` is set) or its own. */
struct use {
    sqlite3_stmt *statement;
    struct sqlite_cached *cached;
};

/* *ret_cached is NULL when there is no room for it. */
static int take_cached(struct sqlite *sqlite, const char *sql, size_t size,
                       struct sqlite_cached **ret_cached, struct error *err)
{
    struct sqlite_cached *entry = sqlite_cache_find(&sqlite->cache, sql, size);
    if (!entry && (entry = sqlite_cache_room(&sqlite->cache))) {
        if (prepare(sqlite, sql, size, SQLITE_PREPARE_PERSISTENT, &entry->statement, err) < 0)
            return -1;
        entry->sql = mem_string_n(sql, size);
    }
    if (entry)
        sqlite_cache_take(&sqlite->cache, entry);
    *ret_cached = entry;
    return 0;
}

static int use_begin(struct sqlite *sqlite, const char *sql, size_t size, struct use *ret_use,
                     struct error *err)
{
    *ret_use = (struct use){0};
    if (size <= CACHE_STATEMENT_SIZE && take_cached(sqlite, sql, size, &ret_use->cached, err) < 0)
        return -1;
    if (!ret_use->cached)
        return prepare(sqlite, sql, size, 0, &ret_use->statement, err);
    ret_use->statement = ret_use->cached->statement;
    return 0;
}

static void use_end(struct use *use)
{
    if (use->cached)
        sqlite_cache_give_back(use->cached);
    else
        sqlite3_finalize(use->statement);
}

static int bind_value(sqlite3_stmt *statement, int index, const struct db_value *value)
{
    switch (value->type) {
    case DB_INTEGER:
        return sqlite3_bind_int64(statement, index, value->integer);
    case DB_REAL:
        return sqlite3_bind_double(statement, index, value->real);
    case DB_TEXT:
        return sqlite3_bind_text64(statement, index, value->text, value->size, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case DB_BLOB:
        if (value->size == 0)
            return sqlite3_bind_zeroblob(statement, index, 0);
        return sqlite3_bind_blob64(statement, index, value->text, value->size, SQLITE_STATIC);
    case DB_NULL:
        break;
    }
    return sqlite3_bind_null(statement, index);
}

static int bind_all(struct sqlite *sqlite, sqlite3_stmt *statement,
                    const struct db_value *parameters, size_t count, struct error *err)
{
    int wanted = sqlite3_bind_parameter_count(statement);
    if ((size_t)wanted != count)
        return error_set(err, ERROR_FAILED, "%s: statement with %d parameters was given %zu",
                         sqlite->path, wanted, count);
    for (int i = 0; i < wanted; i++) {
        int code = bind_value(statement, i + 1, &parameters[i]);
        if (code != SQLITE_OK)
            return raise(sqlite, NULL, code, err);
    }
    return 0;
}

/* Through sqlite3_value, which takes no lock at each step: a connection has one thread at a time.
 * A long list reads millions of these, so what a type does not use is not written. */
static void read_column(sqlite3_stmt *statement, int column, struct db_value *value)
{
    sqlite3_value *content = sqlite3_column_value(statement, column);
    switch (sqlite3_value_type(content)) {
    case SQLITE_INTEGER:
        value->type = DB_INTEGER;
        value->integer = sqlite3_value_int64(content);
        break;
    case SQLITE_FLOAT:
        value->type = DB_REAL;
        value->real = sqlite3_value_double(content);
        break;
    case SQLITE_TEXT:
        value->type = DB_TEXT;
        value->text = (const char *)sqlite3_value_text(content);
        value->size = (size_t)sqlite3_value_bytes(content);
        break;
    case SQLITE_BLOB:
        value->type = DB_BLOB;
        value->text = sqlite3_value_blob(content);
        value->size = (size_t)sqlite3_value_bytes(content);
        break;
    default:
        value->type = DB_NULL;
        break;
    }
}

/* Step to the end, or until `row` says stop; its answer comes back. */
static int run_rows(struct sqlite *sqlite, const char *sql, sqlite3_stmt *statement, db_row_fn *row,
                    void *context, struct error *err)
{
    int count = sqlite3_column_count(statement);
    SCOPED(memory) void *memory = mem_alloc((size_t)count, sizeof(struct db_value));
    struct db_value *columns = memory;
    int code = SQLITE_DONE;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (!row)
            continue;
        for (int i = 0; i < count; i++)
            read_column(statement, i, &columns[i]);
        int answer = row(context, columns, (size_t)count, err);
        if (answer)
            return answer;
    }
    return code == SQLITE_DONE ? 0 : raise(sqlite, sql, code, err);
}

static int sqlite_query(struct db *db, const char *sql, size_t size,
                        const struct db_value *parameters, size_t parameter_count, db_row_fn *row,
                        void *context, struct error *err)
{
    struct sqlite *sqlite = sqlite_of(db);
    struct use use;
    start_deadline(sqlite);
    if (use_begin(sqlite, sql, size, &use, err) < 0)
        return -1;
    int result = 0;
    if (use.statement)
        result = bind_all(sqlite, use.statement, parameters, parameter_count, err);
    if (use.statement && result == 0)
        result = run_rows(sqlite, sql, use.statement, row, context, err);
    use_end(&use);
    return result;
}

static int sqlite_execute(struct db *db, const char *sql, size_t size,
                          const struct db_value *parameters, size_t parameter_count,
                          int64_t *ret_changes, struct error *err)
{
    sqlite3 *handle = sqlite_of(db)->handle;
    int64_t before = sqlite3_total_changes64(handle);
    if (sqlite_query(db, sql, size, parameters, parameter_count, NULL, NULL, err) < 0)
        return -1;
    /* sqlite3_changes64 keeps the count of an earlier statement when this one changed nothing. */
    if (ret_changes)
        *ret_changes = sqlite3_total_changes64(handle) == before ? 0 : sqlite3_changes64(handle);
    return 0;
}

/* ---- transactions ---- */

static int run(struct db *db, const char *sql, struct error *err)
{
    return sqlite_query(db, sql, strlen(sql), NULL, 0, NULL, NULL, err);
}

static int sqlite_begin(struct db *db, bool for_writing, struct error *err)
{
    return run(db, for_writing ? "BEGIN IMMEDIATE" : "BEGIN", err);
}

static int sqlite_commit(struct db *db, struct error *err)
{
    return run(db, "COMMIT", err);
}

static int sqlite_rollback(struct db *db, struct error *err)
{
    return run(db, "ROLLBACK", err);
}

static int sqlite_in_transaction(struct db *db)
{
    return sqlite3_get_autocommit(sqlite_of(db)->handle) ? 0 : 1;
}

/* Making the journal's file, syncing its folder and removing it again takes longer than all else in
 * a short transaction. A journal that is kept has its head wiped at the commit instead, and synced,
 * which is the same to whoever reads it after a crash. A write-ahead log stays one. */
static int sqlite_series(struct db *db, bool on, struct error *err)
{
    struct sqlite *sqlite = sqlite_of(db);
    SCOPED(string) char *mode = NULL;
    if (!on && !sqlite->keeps_journal)
        return 0;
    if (db_query_text(db, "PRAGMA journal_mode", NULL, 0, &mode, err) < 0)
        return -1;
    if (!text_equal(mode, on ? "delete" : "persist"))
        return 0;
    sqlite->keeps_journal = on;
    return run(db, on ? "PRAGMA journal_mode = PERSIST" : "PRAGMA journal_mode = DELETE", err);
}

static int configure(struct sqlite *sqlite, struct error *err)
{
    sqlite3_extended_result_codes(sqlite->handle, 1);
    sqlite3_busy_handler(sqlite->handle, on_busy, sqlite);
    sqlite3_progress_handler(sqlite->handle, STEPS_PER_LOOK, on_progress, sqlite);
    /* EXTRA is FULL in WAL mode; with a rollback journal it also syncs the folder after the
     * journal is gone, without which a commit may come undone in a power failure. */
    if (sqlite->options.full_synchronous)
        return run(&sqlite->base, "PRAGMA synchronous=EXTRA", err);
    return 0;
}

/* SQLite takes this wish only in a URI; what would end or change its path is written %XX. */
static char *immutable_uri(const char *path)
{
    struct buf uri = BUF_INIT;
    buf_append_text(&uri, path[0] == '/' ? "file://" : "file:");
    for (; *path; path++) {
        if (strchr("?#%", *path))
            buf_append_format(&uri, "%%%02X", (unsigned char)*path);
        else
            buf_append_char(&uri, *path);
    }
    buf_append_text(&uri, "?immutable=1");
    return uri.data;
}

static int open_handle(const struct sqlite *sqlite, sqlite3 **ret_handle)
{
    const struct db_options *options = &sqlite->options;
    int flags = options->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (options->create && !options->read_only)
        flags |= SQLITE_OPEN_CREATE;
    flags |= SQLITE_OPEN_NOMUTEX;
    if (!options->immutable)
        return sqlite3_open_v2(sqlite->path, ret_handle, flags, NULL);
    SCOPED(string) char *uri = immutable_uri(sqlite->path);
    return sqlite3_open_v2(uri, ret_handle, flags | SQLITE_OPEN_URI, NULL);
}

/* Temporary tables, attached files and a dozen of pragmas: another handle has none of them. */
static int sqlite_reset(struct db *db, struct error *err)
{
    struct sqlite *sqlite = sqlite_of(db);
    sqlite3 *handle = NULL;
    if (strcmp(sqlite->path, ":memory:") == 0)
        return 0;
    int code = open_handle(sqlite, &handle);
    if (code != SQLITE_OK) {
        sqlite_raise(handle, code, sqlite->path, NULL, err);
        sqlite3_close_v2(handle);
        return -1;
    }
    sqlite_cache_clear(&sqlite->cache);
    sqlite3_close_v2(sqlite->handle);
    sqlite->handle = handle;
    bool kept = sqlite->keeps_journal;
    sqlite->keeps_journal = false;
    if (configure(sqlite, err) < 0)
        return -1;
    return kept ? sqlite_series(db, true, err) : 0;
}

static void sqlite_cancel(struct db *db)
{
    struct sqlite *sqlite = sqlite_of(db);
    atomic_store(&sqlite->cancelled, true);
    sqlite3_interrupt(sqlite->handle);
}

static int sqlite_version(struct db *db, char **ret_version, struct error *err)
{
    (void)db;
    (void)err;
    *ret_version = mem_string(sqlite3_libversion());
    return 0;
}

static void sqlite_close(struct db *db)
{
    struct sqlite *sqlite = sqlite_of(db);
    sqlite_cache_clear(&sqlite->cache);
    sqlite3_close_v2(sqlite->handle);
    free(sqlite->path);
    free(sqlite);
}

/* Freeing what is known of a thousand tables takes a while. Closing does more where a transaction
 * is open or a write-ahead log is to be brought home. */
static void sqlite_leave(struct db *db)
{
    struct sqlite *sqlite = sqlite_of(db);
    struct error ignored = ERROR_INIT;
    SCOPED(string) char *mode = NULL;
    bool alone = !sqlite3_db_name(sqlite->handle, FIRST_ATTACHED);
    bool idle = alone && !sqlite->keeps_journal && !sqlite_in_transaction(db);
    if (!idle || db_query_text(db, "PRAGMA journal_mode", NULL, 0, &mode, &ignored) <= 0 ||
        !text_equal(mode, "delete"))
        sqlite_close(db);
}

static const struct db_ops sqlite_ops = {
    .engine = DB_SQLITE,
    .capabilities = DB_TRANSACTIONAL_DDL,
    .execute = sqlite_execute,
    .query = sqlite_query,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .in_transaction = sqlite_in_transaction,
    .reset = sqlite_reset,
    .series = sqlite_series,
    .cancel = sqlite_cancel,
    .version = sqlite_version,
    .close = sqlite_close,
    .leave = sqlite_leave,
};

/* ---- opening ---- */

/* SQLite says "unable to open database file" for everything; we know more. */
static int check_path(struct os *os, const char *path, bool create, struct error *err)
{
    struct stat info;
    int found = file_stat(os, path, &info, err);
    if (found < 0)
        return -1;
    if (!found && !create)
        return error_set(err, ERROR_NOT_FOUND, "no database file %s", path);
    if (found && !S_ISREG(info.st_mode))
        return error_set(err, ERROR_USAGE, "%s is not a file", path);
    return 0;
}

/* Nobody asks how much memory SQLite has, and counting it takes a lock for every piece. */
static void count_no_memory(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int sqlite_open(const struct db_url *url, const struct db_options *options, struct db **ret_db,
                struct error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const char *path = url->database ? url->database : "";
    pthread_once(&once, count_no_memory);
    bool memory = strcmp(path, ":memory:") == 0;
    if (!memory && check_path(options->os, path, options->create, err) < 0)
        return -1;
    struct sqlite *sqlite = MEM_NEW(struct sqlite);
    sqlite->base = (struct db){.ops = &sqlite_ops, .os = options->os};
    sqlite->path = mem_string(path);
    sqlite->options = *options;
    sqlite->options.application = NULL;
    sqlite->lock_timeout_ms = options->lock_timeout_ms ? options->lock_timeout_ms : LOCK_TIMEOUT_MS;
    sqlite->statement_timeout_ms = options->statement_timeout_ms;
    SCOPED(db) struct db *db = &sqlite->base;

    int code = open_handle(sqlite, &sqlite->handle);
    if (code != SQLITE_OK)
        return sqlite_raise(sqlite->handle, code, path, NULL, err);
    if (configure(sqlite, err) < 0)
        return -1;
    *ret_db = STEAL(db);
    return 0;
}
