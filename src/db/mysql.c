#include "db/mysql.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/library.h"
#include "base/os.h"
#include "base/stop.h"
#include "db/answer.h"
#include "db/mysql_values.h"

#include <errno.h>
#include <inttypes.h>
#include <mysql.h>
#include <nss.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONNECT_TIMEOUT_MS 10000
#define POLL_SLICE_MS 200
#define BINARY_CHARSET 63

/* Errors that decide what is done next. */
enum {
    DENIED_DATABASE = 1044,
    DENIED = 1045,
    NO_DATABASE = 1049,
    DUPLICATE = 1062,
    DENIED_TABLE = 1142,
    LOCK_WAIT_TIMEOUT = 1205,
    DEADLOCK = 1213,
    DENIED_PRIVILEGE = 1227,
    INTERRUPTED = 1317,
    STATEMENT_TIMEOUT = 1969,
    GONE = 2006,
    LOST = 2013,
};

static struct {
    MYSQL *(*init)(MYSQL *);
    int (*options)(MYSQL *, enum mysql_option, const void *);
    MYSQL *(*real_connect)(MYSQL *, const char *, const char *, const char *, const char *,
                           unsigned, const char *, unsigned long);
    void (*close)(MYSQL *);
    int (*send_query)(MYSQL *, const char *, unsigned long);
    my_bool (*read_query_result)(MYSQL *);
    MYSQL_RES *(*use_result)(MYSQL *);
    MYSQL_ROW (*fetch_row)(MYSQL_RES *);
    unsigned long *(*fetch_lengths)(MYSQL_RES *);
    MYSQL_FIELD *(*fetch_fields)(MYSQL_RES *);
    unsigned (*num_fields)(MYSQL_RES *);
    void (*free_result)(MYSQL_RES *);
    int (*next_result)(MYSQL *);
    unsigned (*field_count)(MYSQL *);
    my_ulonglong (*affected_rows)(MYSQL *);
    unsigned (*error_number)(MYSQL *);
    const char *(*error_text)(MYSQL *);
    const char *(*sqlstate)(MYSQL *);
    unsigned long (*escape)(MYSQL *, char *, const char *, unsigned long);
    unsigned long (*thread_id)(MYSQL *);
    const char *(*server_info)(MYSQL *);
    my_socket (*socket)(MYSQL *);
    const char *(*cipher)(MYSQL *);
} my;

static const struct library_symbol symbols[] = {
    {"mysql_init", (void **)&my.init},
    {"mysql_options", (void **)&my.options},
    {"mysql_real_connect", (void **)&my.real_connect},
    {"mysql_close", (void **)&my.close},
    {"mysql_send_query", (void **)&my.send_query},
    {"mysql_read_query_result", (void **)&my.read_query_result},
    {"mysql_use_result", (void **)&my.use_result},
    {"mysql_fetch_row", (void **)&my.fetch_row},
    {"mysql_fetch_lengths", (void **)&my.fetch_lengths},
    {"mysql_fetch_fields", (void **)&my.fetch_fields},
    {"mysql_num_fields", (void **)&my.num_fields},
    {"mysql_free_result", (void **)&my.free_result},
    {"mysql_next_result", (void **)&my.next_result},
    {"mysql_field_count", (void **)&my.field_count},
    {"mysql_affected_rows", (void **)&my.affected_rows},
    {"mysql_errno", (void **)&my.error_number},
    {"mysql_error", (void **)&my.error_text},
    {"mysql_sqlstate", (void **)&my.sqlstate},
    {"mysql_real_escape_string", (void **)&my.escape},
    {"mysql_thread_id", (void **)&my.thread_id},
    {"mysql_get_server_info", (void **)&my.server_info},
    {"mysql_get_socket", (void **)&my.socket},
    {"mysql_get_ssl_cipher", (void **)&my.cipher},
    {NULL, NULL},
};

static struct library library = {"libmariadb.so.3", "libmariadb3", symbols, false};

struct mysql {
    struct db base;
    MYSQL *handle;
    struct db_url url; /* for the connection that kills */
    unsigned long thread;
    int64_t statement_timeout_ms;
    int64_t deadline_ns;       /* of the statement that runs; 0 for none */
    enum error_code ended_for; /* why we ended the statement that runs; ERROR_NONE: we did not */
    bool ignore_stop;
};

static struct mysql *mysql_of(struct db *db)
{
    return (struct mysql *)db;
}

/* ---- errors ---- */

static enum error_code code_of(unsigned number)
{
    switch (number) {
    case DENIED_DATABASE:
    case DENIED:
    case DENIED_TABLE:
    case DENIED_PRIVILEGE:
        return ERROR_PERMISSION;
    case NO_DATABASE:
        return ERROR_NOT_FOUND;
    case DUPLICATE:
        return ERROR_EXISTS;
    case LOCK_WAIT_TIMEOUT:
    case STATEMENT_TIMEOUT:
        return ERROR_TIMEOUT;
    case INTERRUPTED:
        return ERROR_INTERRUPTED;
    default:
        return ERROR_FAILED;
    }
}

/* "... at line 3": the first character of that line of the statement. */
static size_t position_of(const char *message, const char *sql, size_t size)
{
    const char *at = NULL;
    for (const char *next = strstr(message, " at line "); next;
         next = strstr(next + 1, " at line "))
        at = next;
    if (!at || !sql)
        return 0;
    unsigned long line = strtoul(at + strlen(" at line "), NULL, 10);
    size_t position = 1;
    for (size_t i = 0; i < size && line > 1; i++) {
        line -= sql[i] == '\n';
        position += ((unsigned char)sql[i] & 0xC0) != 0x80;
    }
    return line == 1 ? position : 0;
}

static int raise(struct mysql *mysql, const char *sql, size_t size, struct error *err)
{
    unsigned number = my.error_number(mysql->handle);
    const char *text = my.error_text(mysql->handle);
    struct db_fault *fault = &mysql->base.fault;
    *fault = (struct db_fault){
        .native_code = (int)number,
        .position = position_of(text, sql, size),
        .connection_lost = number == GONE || number == LOST,
        .lock_timeout = number == LOCK_WAIT_TIMEOUT || number == DEADLOCK,
    };
    memccpy(fault->state, my.sqlstate(mysql->handle), '\0', sizeof fault->state - 1);
    if (mysql->ended_for == ERROR_TIMEOUT)
        return error_set(err, ERROR_TIMEOUT, "the statement took too long");
    if (mysql->ended_for != ERROR_NONE)
        return error_set(err, mysql->ended_for, "interrupted");
    return error_set(err, code_of(number), "%s", *text ? text : "the connection was lost");
}

/* ---- waiting ---- */

static MYSQL *connect_to(const struct db_url *url, int64_t timeout_ms);

static void kill_statement(struct mysql *mysql)
{
    char sql[64];
    MYSQL *second = connect_to(&mysql->url, CONNECT_TIMEOUT_MS);
    if (!second)
        return;
    int size = snprintf(sql, sizeof sql, "KILL QUERY %lu", mysql->thread);
    if (my.send_query(second, sql, (unsigned long)size) == 0)
        my.read_query_result(second);
    my.close(second);
}

/* A stop or the deadline kills the statement; its answer is then that it was interrupted. */
static void end_late(struct mysql *mysql)
{
    struct os *os = mysql->base.os;
    if (mysql->ended_for != ERROR_NONE)
        return;
    if (stop_requested() && !mysql->ignore_stop)
        mysql->ended_for = ERROR_INTERRUPTED;
    else if (mysql->deadline_ns && os->clock_monotonic_ns(os) > mysql->deadline_ns)
        mysql->ended_for = ERROR_TIMEOUT;
    if (mysql->ended_for != ERROR_NONE)
        kill_statement(mysql);
}

/* Until the server answers. */
static void wait_answer(struct mysql *mysql)
{
    struct pollfd wait = {.fd = my.socket(mysql->handle), .events = POLLIN};
    if (answer_comes_soon(wait.fd))
        return;
    for (;;) {
        int ready = poll(&wait, 1, POLL_SLICE_MS);
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return;
        end_late(mysql);
    }
}

/* ---- statements ---- */

static size_t escape(void *context, char *to, const char *text, size_t size)
{
    struct mysql *mysql = context;
    return my.escape(mysql->handle, to, text, (unsigned long)size);
}

static int send_statement(struct mysql *mysql, const char *sql, size_t size, struct error *err)
{
    struct os *os = mysql->base.os;
    mysql->ended_for = ERROR_NONE;
    mysql->deadline_ns = mysql->statement_timeout_ms
                             ? os->clock_monotonic_ns(os) + mysql->statement_timeout_ms * 1000000
                             : 0;
    if (!mysql->ignore_stop && stop_check(err) < 0)
        return -1;
    if (my.send_query(mysql->handle, sql, (unsigned long)size))
        return raise(mysql, sql, size, err);
    wait_answer(mysql);
    return my.read_query_result(mysql->handle) == 0 ? 0 : raise(mysql, sql, size, err);
}

static struct db_value column_value(const MYSQL_FIELD *field, const char *text, size_t size)
{
    if (!text)
        return DB_VALUE_NULL;
    switch (field->type) {
    case MYSQL_TYPE_LONGLONG:
        if ((field->flags & UNSIGNED_FLAG) && strtoull(text, NULL, 10) > INT64_MAX)
            break;
        return db_integer(strtoll(text, NULL, 10));
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_YEAR:
        return db_integer(strtoll(text, NULL, 10));
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE:
        return (struct db_value){.type = DB_REAL, .real = strtod(text, NULL)};
    case MYSQL_TYPE_TINY_BLOB:
    case MYSQL_TYPE_MEDIUM_BLOB:
    case MYSQL_TYPE_LONG_BLOB:
    case MYSQL_TYPE_BLOB:
    case MYSQL_TYPE_BIT:
        if (field->charsetnr == BINARY_CHARSET)
            return (struct db_value){.type = DB_BLOB, .text = text, .size = size};
        break;
    default:
        break;
    }
    return (struct db_value){.type = DB_TEXT, .text = text, .size = size};
}

/* The rows of one result, to the end even when `row` has had enough: the connection needs it. Of a
 * statement that was ended some are still on their way. */
static int pass_rows(struct mysql *mysql, MYSQL_RES *result, db_row_fn *row, void *context,
                     struct error *err)
{
    unsigned count = my.num_fields(result);
    const MYSQL_FIELD *fields = my.fetch_fields(result);
    SCOPED(memory) void *memory = mem_alloc(count + 1, sizeof(struct db_value));
    struct db_value *columns = memory;
    int answer = 0;
    MYSQL_ROW values = NULL;
    while ((values = my.fetch_row(result)) != NULL) {
        const unsigned long *lengths = my.fetch_lengths(result);
        for (unsigned i = 0; i < count; i++)
            columns[i] = column_value(&fields[i], values[i], lengths[i]);
        end_late(mysql);
        if (row && answer == 0 && mysql->ended_for == ERROR_NONE)
            answer = row(context, columns, count, err);
    }
    if (answer == 0 && mysql->ended_for != ERROR_NONE)
        return raise(mysql, NULL, 0, err);
    if (answer == 0 && my.error_number(mysql->handle))
        return raise(mysql, NULL, 0, err);
    return answer;
}

/* Every result of a statement; a CALL has several. `row` gets those of the first. */
static int take_results(struct mysql *mysql, const char *sql, size_t size, db_row_fn *row,
                        void *context, int64_t *changes, struct error *err)
{
    int answer = 0;
    int more = 0;
    do {
        MYSQL_RES *result = my.use_result(mysql->handle);
        if (result) {
            int passed = pass_rows(mysql, result, row, context, err);
            answer = answer ? answer : passed;
            my.free_result(result);
            row = NULL;
        } else if (my.field_count(mysql->handle)) {
            return raise(mysql, sql, size, err);
        } else {
            *changes = (int64_t)my.affected_rows(mysql->handle);
        }
        more = my.next_result(mysql->handle);
    } while (more == 0);
    return more > 0 ? raise(mysql, sql, size, err) : answer;
}

static int run_statement(struct db *db, const char *sql, size_t size,
                         const struct db_value *parameters, size_t count, db_row_fn *row,
                         void *context, int64_t *changes, struct error *err)
{
    struct mysql *mysql = mysql_of(db);
    SCOPED(buf) struct buf text = BUF_INIT;
    if (count) {
        const struct mysql_values values = {parameters, count, escape, mysql};
        if (mysql_put_values(&values, sql, size, &text, err) < 0)
            return -1;
        sql = text.data;
        size = text.length;
    }
    if (send_statement(mysql, sql, size, err) < 0)
        return -1;
    return take_results(mysql, sql, size, row, context, changes, err);
}

static int mysql_driver_query(struct db *db, const char *sql, size_t size,
                              const struct db_value *parameters, size_t parameter_count,
                              db_row_fn *row, void *context, struct error *err)
{
    int64_t changes = 0;
    return run_statement(db, sql, size, parameters, parameter_count, row, context, &changes, err);
}

static int mysql_driver_execute(struct db *db, const char *sql, size_t size,
                                const struct db_value *parameters, size_t parameter_count,
                                int64_t *ret_changes, struct error *err)
{
    int64_t changes = 0;
    if (run_statement(db, sql, size, parameters, parameter_count, NULL, NULL, &changes, err) < 0)
        return -1;
    if (ret_changes)
        *ret_changes = changes;
    return 0;
}

/* ---- transactions ---- */

static int run(struct db *db, const char *sql, struct error *err)
{
    return mysql_driver_execute(db, sql, strlen(sql), NULL, 0, NULL, err);
}

static int mysql_driver_begin(struct db *db, bool for_writing, struct error *err)
{
    (void)for_writing;
    return run(db, "START TRANSACTION", err);
}

static int mysql_driver_commit(struct db *db, struct error *err)
{
    return run(db, "COMMIT", err);
}

static int mysql_driver_rollback(struct db *db, struct error *err)
{
    mysql_of(db)->ignore_stop = true;
    int result = run(db, "ROLLBACK", err);
    mysql_of(db)->ignore_stop = false;
    return result;
}

static int mysql_driver_in_transaction(struct db *db)
{
    return (mysql_of(db)->handle->server_status & SERVER_STATUS_IN_TRANS) != 0;
}

/* The server's own values are what a session begins with. Settings that only some servers have or
 * only some users may set are not among these. */
static int mysql_driver_reset(struct db *db, struct error *err)
{
    SCOPED(buf) struct buf use = BUF_INIT;
    const char *database = mysql_of(db)->url.database;
    if (run(db, "UNLOCK TABLES", err) < 0 ||
        run(db,
            "SET SESSION autocommit = DEFAULT, SESSION sql_mode = DEFAULT, "
            "SESSION foreign_key_checks = DEFAULT, SESSION unique_checks = DEFAULT, "
            "SESSION time_zone = DEFAULT, SESSION sql_safe_updates = DEFAULT, "
            "SESSION sql_notes = DEFAULT, SESSION sql_select_limit = DEFAULT, "
            "SESSION group_concat_max_len = DEFAULT, SESSION default_storage_engine = DEFAULT",
            err) < 0 ||
        run(db, "SET NAMES utf8mb4", err) < 0)
        return -1;
    if (!database || !*database)
        return 0;
    buf_append_text(&use, "USE ");
    db_quote_identifier(DB_MYSQL, &use, database);
    return run(db, use.data, err);
}

static void mysql_driver_cancel(struct db *db)
{
    kill_statement(mysql_of(db));
}

static int mysql_driver_version(struct db *db, char **ret_version, struct error *err)
{
    (void)err;
    *ret_version = mem_string(my.server_info(mysql_of(db)->handle));
    return 0;
}

static void mysql_driver_close(struct db *db)
{
    struct mysql *mysql = mysql_of(db);
    if (mysql->handle)
        my.close(mysql->handle);
    db_url_clear(&mysql->url);
    free(mysql);
}

static const struct db_ops mysql_ops = {
    .engine = DB_MYSQL,
    .capabilities = DB_ADVISORY_LOCKS,
    .execute = mysql_driver_execute,
    .query = mysql_driver_query,
    .begin = mysql_driver_begin,
    .commit = mysql_driver_commit,
    .rollback = mysql_driver_rollback,
    .in_transaction = mysql_driver_in_transaction,
    .reset = mysql_driver_reset,
    .cancel = mysql_driver_cancel,
    .version = mysql_driver_version,
    .close = mysql_driver_close,
};

/* ---- opening ---- */

/* sslmode as PostgreSQL has it, or MySQL's own names; "" when it is not said. */
static const char *encryption_mode(const struct db_url *url)
{
    const char *mode = db_url_parameter(url, "sslmode");
    mode = mode ? mode : db_url_parameter(url, "ssl-mode");
    return mode ? mode : "";
}

static bool mode_verifies(const char *mode)
{
    return strncasecmp(mode, "verify", strlen("verify")) == 0;
}

static bool mode_requires(const char *mode)
{
    return mode_verifies(mode) || strncasecmp(mode, "require", strlen("require")) == 0;
}

static void set_encryption(MYSQL *handle, const struct db_url *url)
{
    const char *mode = encryption_mode(url);
    const char *ca = db_url_parameter(url, "sslrootcert");
    ca = ca ? ca : db_url_parameter(url, "ssl-ca");
    if (ca)
        my.options(handle, MYSQL_OPT_SSL_CA, ca);
    my_bool on = 1;
    if (mode_requires(mode))
        my.options(handle, MYSQL_OPT_SSL_ENFORCE, &on);
    if (mode_verifies(mode))
        my.options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
}

/* Always a handle, connected or with its error. */
static MYSQL *connect_try(const struct db_url *url, int64_t timeout_ms, bool *ret_connected)
{
    MYSQL *handle = my.init(NULL);
    unsigned seconds = (unsigned)((timeout_ms + 999) / 1000);
    if (!handle)
        abort();
    my.options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    my.options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    set_encryption(handle, url);
    /* Rows found rather than changed: what other engines count. */
    *ret_connected = my.real_connect(handle, url->host, url->user, url->password, url->database,
                                     (unsigned)url->port, url->socket,
                                     CLIENT_FOUND_ROWS | CLIENT_MULTI_RESULTS) != NULL;
    return handle;
}

static MYSQL *connect_to(const struct db_url *url, int64_t timeout_ms)
{
    bool connected = false;
    MYSQL *handle = connect_try(url, timeout_ms, &connected);
    if (connected)
        return handle;
    my.close(handle);
    return NULL;
}

static int configure(struct db *db, const struct db_options *options, struct error *err)
{
    SCOPED(buf) struct buf sql = BUF_INIT;
    int64_t seconds = (options->lock_timeout_ms + 999) / 1000;
    if (options->lock_timeout_ms) {
        buf_append_format(&sql,
                          "SET SESSION lock_wait_timeout = %" PRId64
                          ", SESSION innodb_lock_wait_timeout = %" PRId64,
                          seconds, seconds);
        if (run(db, sql.data, err) < 0)
            return -1;
    }
    return options->read_only ? run(db, "SET SESSION TRANSACTION READ ONLY", err) : 0;
}

/* When it begins, the library asks what port the services call "mysql", whatever port it is given.
 * By default that goes through a hundred places where a module for a database of services is not;
 * the file alone is read at once. */
static void ask_services_file(void)
{
    __nss_configure_lookup("services", "files");
}

int mysql_driver_open(const struct db_url *url, const struct db_options *options,
                      struct db **ret_db, struct error *err)
{
    static pthread_once_t asked = PTHREAD_ONCE_INIT;
    bool connected = false;
    pthread_once(&asked, ask_services_file);
    if (library_load(&library, err) < 0)
        return -1;
    struct mysql *mysql = MEM_NEW(struct mysql);
    mysql->base = (struct db){.ops = &mysql_ops, .os = options->os};
    mysql->statement_timeout_ms = options->statement_timeout_ms;
    SCOPED(db) struct db *db = &mysql->base;
    if (db_url_copy(url, &mysql->url) < 0)
        return error_set(err, ERROR_FAILED, "copy the address of the database");
    int64_t timeout_ms =
        options->connect_timeout_ms ? options->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    mysql->handle = connect_try(url, timeout_ms, &connected);
    if (!connected) {
        SCOPED(string) char *place = db_url_display(url);
        raise(mysql, NULL, 0, err);
        return error_prefix(err, "%s", place);
    }
    /* The library goes on in the clear with a server that has no encryption. */
    if (mode_requires(encryption_mode(url)) && !my.cipher(mysql->handle)) {
        SCOPED(string) char *place = db_url_display(url);
        return error_set(err, ERROR_FAILED, "%s: the server has no encryption, and sslmode=%s",
                         place, encryption_mode(url));
    }
    mysql->thread = my.thread_id(mysql->handle);
    if (configure(db, options, err) < 0)
        return -1;
    *ret_db = STEAL(db);
    return 0;
}
