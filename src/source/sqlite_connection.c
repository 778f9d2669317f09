#include "source/sqlite_connection.h"

#include "base/error.h"
#include "base/file.h"
#include "base/os.h"
#include "base/stop.h"
#include "db/sqlite_fault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINKS 40

/* Instructions of SQLite between two looks at the stop flag: well below a millisecond. */
#define STOP_INTERVAL 10000

char *sqlite_path_resolve(struct os *os, const char *path, struct error *err)
{
    SCOPED(string) char *at = path_absolute(path);
    for (int links = 0; links < MAX_LINKS; links++) {
        char content[PATH_MAX];
        ssize_t size = os->readlinkat(os, AT_FDCWD, at, content, sizeof content - 1);
        if (size < 0)
            return STEAL(at);
        content[size] = '\0';
        SCOPED(string) char *folder = path_folder(at);
        char *next = content[0] == '/' ? mem_string(content) : path_join(folder, content);
        free(at);
        at = next;
    }
    error_set(err, ERROR_FAILED, "%s: too many levels of symbolic links", path);
    return NULL;
}

/* A writer that commits all the time leaves gaps of microseconds, so ask often. */
static int busy(void *context, int tries)
{
    struct sqlite_connection *connection = context;
    struct os *os = connection->os;
    int64_t now_ns = os->clock_monotonic_ns(os);
    if (tries == 0)
        connection->waiting_since_ns = now_ns;
    if (stop_requested() || now_ns - connection->waiting_since_ns > connection->wait_ms * 1000000)
        return 0;
    os->sleep_ms(os, 1);
    return 1;
}

static int check_is_file(struct os *os, const char *path, struct error *err)
{
    struct stat there;
    int found = file_stat(os, path, &there, err);
    if (found < 0)
        return -1;
    if (!found)
        return error_set(err, ERROR_NOT_FOUND, "%s: no such file", path);
    if (!S_ISREG(there.st_mode))
        return error_set(err, ERROR_FAILED, "%s is not a regular file", path);
    return 0;
}

/* Bytes in the file `path` + `suffix`; 0 when it is not there or cannot be seen. */
static uint64_t sidecar_size(struct sqlite_connection *connection, const char *suffix)
{
    SCOPED(string) char *path = mem_format("%s%s", connection->path, suffix);
    struct stat there;
    if (file_stat(connection->os, path, &there, NULL) <= 0)
        return 0;
    return (uint64_t)there.st_size;
}

int sqlite_connection_open(struct os *os, const char *path, int64_t wait_ms,
                           struct sqlite_connection **ret_connection, struct error *err)
{
    if (check_is_file(os, path, err) < 0)
        return -1;
    SCOPED(sqlite_connection)
    struct sqlite_connection *connection = MEM_NEW(struct sqlite_connection);
    connection->os = os;
    connection->path = mem_string(path);
    connection->wait_ms = wait_ms;
    connection->wal_was_there = sidecar_size(connection, "-wal") > 0;
    /* An absolute path is never taken for a URI, so '?', '%' and '#' in it mean themselves. */
    int code = sqlite3_open_v2(path, &connection->handle, SQLITE_OPEN_READWRITE, NULL);
    if (code != SQLITE_OK)
        return sqlite_connection_raise(connection, code, err);
    sqlite3_extended_result_codes(connection->handle, 1);
    sqlite3_busy_handler(connection->handle, busy, connection);
    sqlite3_db_config(connection->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_db_config(connection->handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    *ret_connection = STEAL(connection);
    return 0;
}

static int is_stopped(void *context)
{
    (void)context;
    return stop_requested();
}

void sqlite_connection_stoppable(struct sqlite_connection *connection, bool stoppable)
{
    sqlite3_progress_handler(connection->handle, STOP_INTERVAL, stoppable ? is_stopped : NULL,
                             NULL);
}

int sqlite_connection_run(struct sqlite_connection *connection, const char *sql, struct error *err)
{
    int code = sqlite3_exec(connection->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : sqlite_connection_raise(connection, code, err);
}

int sqlite_connection_run_format(struct sqlite_connection *connection, struct error *err,
                                 const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *sql = sqlite3_vmprintf(format, args);
    va_end(args);
    int result = sqlite_connection_run(connection, sql, err);
    sqlite3_free(sql);
    return result;
}

int sqlite_connection_prepare(struct sqlite_connection *connection, const char *sql,
                              sqlite3_stmt **ret_statement, struct error *err)
{
    int code = sqlite3_prepare_v2(connection->handle, sql, -1, ret_statement, NULL);
    return code == SQLITE_OK ? 0 : sqlite_connection_raise(connection, code, err);
}

int sqlite_connection_text(struct sqlite_connection *connection, const char *sql, char **ret_text,
                           struct error *err)
{
    SCOPED(sqlite_statement) sqlite3_stmt *statement = NULL;
    if (sqlite_connection_prepare(connection, sql, &statement, err) < 0)
        return -1;
    int code = sqlite3_step(statement);
    if (code == SQLITE_DONE)
        return error_set(err, ERROR_CORRUPT, "%s: no answer to %s", connection->path, sql);
    if (code != SQLITE_ROW)
        return sqlite_connection_raise(connection, code, err);
    *ret_text = mem_string((const char *)sqlite3_column_text(statement, 0));
    return 0;
}

int sqlite_connection_number(struct sqlite_connection *connection, const char *sql,
                             int64_t *ret_value, struct error *err)
{
    SCOPED(string) char *text = NULL;
    if (sqlite_connection_text(connection, sql, &text, err) < 0)
        return -1;
    *ret_value = text ? strtoll(text, NULL, 10) : 0;
    return 0;
}

static int hint_for(int code, const char *path, struct error *err)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_hint(err, "another program holds the lock: let it finish its transaction, or "
                               "wait longer with --max-wait");
    case SQLITE_NOTADB:
        return error_hint(err, "it is not a SQLite database, or it is an encrypted one");
    case SQLITE_CORRUPT:
        return error_hint(
            err, "the database is damaged; sqlite3 %s .recover saves what is readable", path);
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return error_hint(err, "kedge has to be able to read and lock the file and to open what "
                               "lies beside it (-wal, -shm, -journal): run it as the file's owner");
    default:
        return -1;
    }
}

int sqlite_connection_raise(struct sqlite_connection *connection, int code, struct error *err)
{
    if (stop_requested())
        return stop_check(err);
    if (connection->handle && sqlite3_extended_errcode(connection->handle) != SQLITE_OK)
        code = sqlite3_extended_errcode(connection->handle);
    sqlite_raise(connection->handle, code, connection->path, NULL, err);
    return hint_for(code, connection->path, err);
}

void sqlite_connection_close(struct sqlite_connection *connection)
{
    if (!connection)
        return;
    /* SQLite removes an empty `-wal` itself, under its locks, if it may checkpoint. */
    if (connection->handle && !connection->wal_was_there && sidecar_size(connection, "-wal") == 0)
        sqlite3_db_config(connection->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    sqlite3_close(connection->handle);
    free(connection->path);
    free(connection);
}
