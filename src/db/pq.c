#include "db/pq.h"

#include "base/error.h"
#include "base/library.h"
#include "base/os.h"
#include "base/stop.h"
#include "db/url.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 10000
#define DRAIN_TIMEOUT_MS 10000
#define POLL_SLICE_MS 200
#define COPY_IN_PIECE ((size_t)256 << 10)

struct pq {
    PGconn *connection;
    struct os *os;
    struct pq_fault fault;
    int64_t timeout_ms;
    int64_t deadline_ns; /* of the call that is running, 0 for none */
    bool ignore_stop;
};

/* ---- libpq ---- */

#define PQ_FUNCTIONS(X)                                                                            \
    X(PQconnectStartParams)                                                                        \
    X(PQconnectPoll)                                                                               \
    X(PQfinish)                                                                                    \
    X(PQstatus)                                                                                    \
    X(PQsocket)                                                                                    \
    X(PQerrorMessage)                                                                              \
    X(PQserverVersion)                                                                             \
    X(PQparameterStatus)                                                                           \
    X(PQtransactionStatus)                                                                         \
    X(PQbackendPID)                                                                                \
    X(PQsetnonblocking)                                                                            \
    X(PQsetNoticeReceiver)                                                                         \
    X(PQconninfo)                                                                                  \
    X(PQconninfoFree)                                                                              \
    X(PQpass)                                                                                      \
    X(PQgetCancel)                                                                                 \
    X(PQcancel)                                                                                    \
    X(PQfreeCancel)                                                                                \
    X(PQsendQuery)                                                                                 \
    X(PQsendQueryParams)                                                                           \
    X(PQsetSingleRowMode)                                                                          \
    X(PQflush)                                                                                     \
    X(PQconsumeInput)                                                                              \
    X(PQisBusy)                                                                                    \
    X(PQgetResult)                                                                                 \
    X(PQresultStatus)                                                                              \
    X(PQresultErrorField)                                                                          \
    X(PQresultErrorMessage)                                                                        \
    X(PQclear)                                                                                     \
    X(PQntuples)                                                                                   \
    X(PQnfields)                                                                                   \
    X(PQftype)                                                                                     \
    X(PQgetvalue)                                                                                  \
    X(PQgetlength)                                                                                 \
    X(PQgetisnull)                                                                                 \
    X(PQcmdTuples)                                                                                 \
    X(PQgetCopyData)                                                                               \
    X(PQfreemem)                                                                                   \
    X(PQputCopyData)                                                                               \
    X(PQputCopyEnd)

#define PQ_POINTER(name) __typeof__(name) *name##_;
#define PQ_SYMBOL(name) {#name, (void **)&lib.name##_},

static struct {
    PQ_FUNCTIONS(PQ_POINTER)
} lib;

/* clang-format off */
static const struct library_symbol symbols[] = {
    PQ_FUNCTIONS(PQ_SYMBOL)
    {NULL, NULL},
};
/* clang-format on */
static struct library library = {"libpq.so.5", "libpq5", symbols, false};

/* ---- waiting ---- */

static void start_clock(struct pq *pq)
{
    pq->deadline_ns =
        pq->timeout_ms ? pq->os->clock_monotonic_ns(pq->os) + pq->timeout_ms * 1000000 : 0;
}

static void send_cancel(PGconn *connection)
{
    PGcancel *cancel = lib.PQgetCancel_(connection);
    char reason[256];
    if (cancel)
        lib.PQcancel_(cancel, reason, sizeof reason);
    lib.PQfreeCancel_(cancel);
}

/* 0 when the socket may be ready; -1 when a stop was requested or the deadline has passed. */
static int wait_socket(struct pq *pq, short events, struct error *err)
{
    struct pollfd wait = {.fd = lib.PQsocket_(pq->connection), .events = events};
    for (;;) {
        if (!pq->ignore_stop && stop_check(err) < 0)
            return -1;
        if (pq->deadline_ns && pq->os->clock_monotonic_ns(pq->os) > pq->deadline_ns)
            return error_set(err, ERROR_TIMEOUT, "the server did not answer in time");
        int ready = poll(&wait, 1, POLL_SLICE_MS);
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return error_set_errno(err, ERROR_FAILED, errno, "wait for the server");
    }
}

/* ---- what went wrong ---- */

/* The first line of libpq's text: the rest explains what the reader can see for himself. */
static int set_connection_error(struct pq *pq, struct error *err)
{
    pq->fault.connection_lost = true;
    const char *text = lib.PQerrorMessage_(pq->connection);
    size_t length = strcspn(text, "\n");
    if (!length)
        return error_set(err, ERROR_FAILED, "the connection to the server was lost");
    return error_set(err, ERROR_FAILED, "%.*s", (int)length, text);
}

static enum error_code code_of_state(const char *state)
{
    static const struct {
        const char *prefix;
        enum error_code code;
    } kinds[] = {
        {"42501", ERROR_PERMISSION}, {"28", ERROR_PERMISSION}, {"53100", ERROR_NO_SPACE},
        {"55P03", ERROR_TIMEOUT},    {"57014", ERROR_TIMEOUT}, {"3D000", ERROR_NOT_FOUND},
        {"42P04", ERROR_EXISTS},
    };
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (text_starts(state, kinds[i].prefix))
            return kinds[i].code;
    return ERROR_FAILED;
}

static void fill_fault(struct pq_fault *fault, const PGresult *result)
{
    const char *state = lib.PQresultErrorField_(result, PG_DIAG_SQLSTATE);
    const char *position = lib.PQresultErrorField_(result, PG_DIAG_STATEMENT_POSITION);
    if (state)
        memccpy(fault->state, state, '\0', sizeof fault->state - 1);
    if (position)
        fault->position = (size_t)strtoull(position, NULL, 10);
    fault->connection_lost = text_starts(fault->state, "57P0") || text_starts(fault->state, "08");
    fault->lock_timeout = strcmp(fault->state, "55P03") == 0 ||
                          strcmp(fault->state, "40P01") == 0 || strcmp(fault->state, "40001") == 0;
}

static int set_server_error(struct pq *pq, const PGresult *result, struct error *err)
{
    const char *message = lib.PQresultErrorField_(result, PG_DIAG_MESSAGE_PRIMARY);
    if (!message)
        return set_connection_error(pq, err);
    fill_fault(&pq->fault, result);
    const char *detail = lib.PQresultErrorField_(result, PG_DIAG_MESSAGE_DETAIL);
    const char *place = lib.PQresultErrorField_(result, PG_DIAG_CONTEXT);
    error_set(err, code_of_state(pq->fault.state), "%s%s%s%s%s%s", message, detail ? " (" : "",
              detail ? detail : "", detail ? ")" : "",
              place && text_starts(place, "COPY ") ? ", in " : "",
              place && text_starts(place, "COPY ") ? place : "");
    const char *hint = lib.PQresultErrorField_(result, PG_DIAG_MESSAGE_HINT);
    if (hint)
        error_hint(err, "%s", hint);
    return -1;
}

/* ---- connection ---- */

static void no_notice(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

struct keywords {
    const char **names;
    const char **values;
    size_t count;
    size_t capacity;
};

static void add_keyword(struct keywords *keywords, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    size_t capacity = keywords->capacity;
    ARRAY_GROW(keywords->names, keywords->count + 1, keywords->capacity);
    ARRAY_GROW(keywords->values, keywords->count + 1, capacity);
    keywords->names[keywords->count] = name;
    keywords->values[keywords->count] = value;
    keywords->count++;
    keywords->names[keywords->count] = NULL;
    keywords->values[keywords->count] = NULL;
}

static PGconn *connect_start(const struct db_url *url, const struct pq_options *options)
{
    struct keywords keywords = {0};
    char port[16] = "";
    if (url->port)
        snprintf(port, sizeof port, "%d", url->port);
    add_keyword(&keywords, "fallback_application_name", "kedge");
    for (size_t i = 0; i < url->parameter_count; i++)
        add_keyword(&keywords, url->parameters[i].name, url->parameters[i].value);
    add_keyword(&keywords, "host", url->host);
    add_keyword(&keywords, "port", port);
    add_keyword(&keywords, "user", url->user);
    add_keyword(&keywords, "password", url->password);
    add_keyword(&keywords, "dbname", options->database ? options->database : url->database);
    add_keyword(&keywords, "application_name", options->application);
    PGconn *connection = lib.PQconnectStartParams_(keywords.names, keywords.values, 0);
    free(keywords.names);
    free(keywords.values);
    return connection;
}

static int connect_finish(struct pq *pq, struct error *err)
{
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED || lib.PQstatus_(pq->connection) == CONNECTION_BAD)
            return set_connection_error(pq, err);
        if (wait_socket(pq, state == PGRES_POLLING_READING ? POLLIN : POLLOUT, err) < 0)
            return -1;
        state = lib.PQconnectPoll_(pq->connection);
    }
    return 0;
}

int pq_open(const struct db_url *url, const struct pq_options *options, struct pq **ret_pq,
            struct error *err)
{
    if (library_load(&library, err) < 0)
        return -1;
    SCOPED(pq) struct pq *pq = MEM_NEW(struct pq);
    pq->os = options->os;
    pq->ignore_stop = options->ignore_stop;
    pq->timeout_ms = options->connect_timeout_ms ? options->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    pq->connection = connect_start(url, options);
    if (!pq->connection)
        return error_set(err, ERROR_FAILED, "no memory for a connection");
    lib.PQsetNoticeReceiver_(pq->connection, no_notice, NULL);
    start_clock(pq);
    if (connect_finish(pq, err) < 0) {
        SCOPED(string) char *where = db_url_display(url);
        return error_prefix(err, "connect to %s", where);
    }
    lib.PQsetnonblocking_(pq->connection, 1);
    pq->timeout_ms = 0;
    *ret_pq = STEAL(pq);
    return 0;
}

void pq_close(struct pq *pq)
{
    if (!pq)
        return;
    if (pq->connection)
        lib.PQfinish_(pq->connection);
    free(pq);
}

int pq_server_version(const struct pq *pq)
{
    return lib.PQserverVersion_(pq->connection);
}

const char *pq_parameter_status(const struct pq *pq, const char *name)
{
    return lib.PQparameterStatus_(pq->connection, name);
}

const struct pq_fault *pq_fault(const struct pq *pq)
{
    return &pq->fault;
}

bool pq_in_transaction(const struct pq *pq)
{
    PGTransactionStatusType status = lib.PQtransactionStatus_(pq->connection);
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}

int pq_backend_pid(const struct pq *pq)
{
    return lib.PQbackendPID_(pq->connection);
}

void pq_set_timeout(struct pq *pq, int64_t timeout_ms)
{
    pq->timeout_ms = timeout_ms;
}

void pq_ignore_stop(struct pq *pq)
{
    pq->ignore_stop = true;
}

void pq_cancel(struct pq *pq)
{
    send_cancel(pq->connection);
}

void pq_environment(const struct pq *pq, struct text_list *environment)
{
    PQconninfoOption *options = lib.PQconninfo_(pq->connection);
    for (PQconninfoOption *option = options; option && option->keyword; option++) {
        bool secret = strcmp(option->keyword, "password") == 0 ||
                      strcmp(option->keyword, "sslpassword") == 0 ||
                      strcmp(option->keyword, "passfile") == 0;
        if (option->envvar && option->val && *option->val && !secret)
            text_list_give(environment, mem_format("%s=%s", option->envvar, option->val));
    }
    lib.PQconninfoFree_(options);
}

const char *pq_password(const struct pq *pq)
{
    const char *password = lib.PQpass_(pq->connection);
    return password ? password : "";
}

/* ---- results ---- */

static const PGresult *raw(const struct pq_result *result)
{
    return (const PGresult *)(const void *)result;
}

static struct pq_result *wrap(PGresult *result)
{
    return (struct pq_result *)(void *)result;
}

static void clear(PGresult *result)
{
    if (result)
        lib.PQclear_(result);
}

DEFINE_SCOPED(pgresult, PGresult *, clear);

size_t pq_rows(const struct pq_result *result)
{
    return (size_t)lib.PQntuples_(raw(result));
}

size_t pq_columns(const struct pq_result *result)
{
    return (size_t)lib.PQnfields_(raw(result));
}

const char *pq_value(const struct pq_result *result, size_t row, size_t column)
{
    if (lib.PQgetisnull_(raw(result), (int)row, (int)column))
        return NULL;
    return lib.PQgetvalue_(raw(result), (int)row, (int)column);
}

size_t pq_value_size(const struct pq_result *result, size_t row, size_t column)
{
    return (size_t)lib.PQgetlength_(raw(result), (int)row, (int)column);
}

unsigned pq_column_type(const struct pq_result *result, size_t column)
{
    return lib.PQftype_(raw(result), (int)column);
}

int64_t pq_result_changes(const struct pq_result *result)
{
    /* libpq takes it without const but only reads. */
    PGresult *mutable = (PGresult *)(uintptr_t)(const void *)result;
    return strtoll(lib.PQcmdTuples_(mutable), NULL, 10);
}

void pq_result_free(struct pq_result *result)
{
    clear((PGresult *)(void *)result);
}

/* ---- the conversation ---- */

static int flush(struct pq *pq, struct error *err)
{
    for (;;) {
        int left = lib.PQflush_(pq->connection);
        if (left == 0)
            return 0;
        if (left < 0)
            return set_connection_error(pq, err);
        /* The server may be waiting for us to read before it reads. */
        if (wait_socket(pq, POLLIN | POLLOUT, err) < 0)
            return -1;
        if (!lib.PQconsumeInput_(pq->connection))
            return set_connection_error(pq, err);
    }
}

/* 1 and the next result of the statement, 0 when it is over, -1 on time-out, stop or a lost
 * connection. */
static int next_result(struct pq *pq, PGresult **ret_result, struct error *err)
{
    while (lib.PQisBusy_(pq->connection)) {
        if (wait_socket(pq, POLLIN, err) < 0)
            return -1;
        if (!lib.PQconsumeInput_(pq->connection))
            return set_connection_error(pq, err);
    }
    *ret_result = lib.PQgetResult_(pq->connection);
    return *ret_result ? 1 : 0;
}

/* Read what is left of a statement that is over. */
static void drain(struct pq *pq)
{
    bool ignored = pq->ignore_stop;
    pq->ignore_stop = true;
    pq->deadline_ns = pq->os->clock_monotonic_ns(pq->os) + DRAIN_TIMEOUT_MS * INT64_C(1000000);
    PGresult *result = NULL;
    while (next_result(pq, &result, NULL) > 0) {
        ExecStatusType status = lib.PQresultStatus_(result);
        clear(result);
        if (status == PGRES_COPY_IN)
            lib.PQputCopyEnd_(pq->connection, "abandoned");
        char *row = NULL;
        while (status == PGRES_COPY_OUT && lib.PQgetCopyData_(pq->connection, &row, 0) > 0)
            lib.PQfreemem_(row);
        if (lib.PQstatus_(pq->connection) == CONNECTION_BAD)
            break;
    }
    pq->ignore_stop = ignored;
}

/* Bring the connection back to idle after a call that was left half way. */
static void abandon(struct pq *pq)
{
    if (lib.PQtransactionStatus_(pq->connection) == PQTRANS_ACTIVE)
        send_cancel(pq->connection);
    drain(pq);
}

static int begin_call(struct pq *pq, int sent, struct error *err)
{
    if (!sent)
        return set_connection_error(pq, err);
    if (flush(pq, err) < 0) {
        abandon(pq);
        return -1;
    }
    return 0;
}

static void reset_call(struct pq *pq)
{
    pq->fault = (struct pq_fault){0};
    start_clock(pq);
}

static bool failed(const PGresult *result)
{
    ExecStatusType status = lib.PQresultStatus_(result);
    return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE;
}

/* Read the statement to its end. The last result, or the first error. */
static int collect(struct pq *pq, struct pq_result **ret_result, struct error *err)
{
    SCOPED(pgresult) PGresult *last = NULL;
    for (;;) {
        PGresult *result = NULL;
        int more = next_result(pq, &result, err);
        if (more < 0) {
            if (!pq->fault.connection_lost)
                abandon(pq);
            return -1;
        }
        if (!more)
            break;
        ExecStatusType status = lib.PQresultStatus_(result);
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
            clear(result);
            abandon(pq);
            return error_set(err, ERROR_FAILED, "a COPY where none was expected");
        }
        if (last && failed(last)) {
            clear(result);
            continue;
        }
        clear(last);
        last = result;
    }
    if (!last)
        return set_connection_error(pq, err);
    if (failed(last))
        return set_server_error(pq, last, err);
    if (ret_result)
        *ret_result = wrap(STEAL(last));
    return 0;
}

int pq_exec(struct pq *pq, const char *sql, struct pq_result **ret_result, struct error *err)
{
    reset_call(pq);
    if (begin_call(pq, lib.PQsendQuery_(pq->connection, sql), err) < 0)
        return -1;
    return collect(pq, ret_result, err);
}

int pq_exec_format(struct pq *pq, struct error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    SCOPED(string) char *sql = mem_format_v(format, args);
    va_end(args);
    return pq_exec(pq, sql, NULL, err);
}

static int send_parameters(struct pq *pq, const char *sql, const struct pq_parameter *parameters,
                           size_t count, bool binary_result)
{
    SCOPED(memory) void *memory = mem_alloc(count + 1, sizeof(char *) + 2 * sizeof(int));
    const char **values = memory;
    int *lengths = (int *)(void *)(values + count + 1);
    int *formats = lengths + count;
    for (size_t i = 0; i < count; i++) {
        values[i] = parameters[i].data;
        lengths[i] = (int)parameters[i].size;
        formats[i] = parameters[i].binary;
    }
    return lib.PQsendQueryParams_(pq->connection, sql, (int)count, NULL, values, lengths, formats,
                                  binary_result);
}

int pq_exec_parameters(struct pq *pq, const char *sql, const struct pq_parameter *parameters,
                       size_t count, bool binary_result, struct pq_result **ret_result,
                       struct error *err)
{
    reset_call(pq);
    if (begin_call(pq, send_parameters(pq, sql, parameters, count, binary_result), err) < 0)
        return -1;
    return collect(pq, ret_result, err);
}

int pq_stream(struct pq *pq, const char *sql, const struct pq_parameter *parameters, size_t count,
              pq_row_fn *row, void *context, struct pq_result **ret_result, struct error *err)
{
    reset_call(pq);
    if (begin_call(pq, send_parameters(pq, sql, parameters, count, false), err) < 0)
        return -1;
    lib.PQsetSingleRowMode_(pq->connection);
    for (;;) {
        SCOPED(pgresult) PGresult *result = NULL;
        int more = next_result(pq, &result, err);
        if (more <= 0) {
            if (more < 0 && !pq->fault.connection_lost)
                abandon(pq);
            return more < 0 ? -1 : set_connection_error(pq, err);
        }
        if (lib.PQresultStatus_(result) == PGRES_SINGLE_TUPLE) {
            int answer = row ? row(context, wrap(result), err) : 0;
            if (answer) {
                abandon(pq);
                return answer;
            }
            continue;
        }
        int answer = failed(result) ? set_server_error(pq, result, err) : 0;
        if (answer == 0 && ret_result)
            *ret_result = wrap(STEAL(result));
        drain(pq);
        return answer;
    }
}

int pq_query_text(struct pq *pq, const char *sql, char **ret_text, struct error *err)
{
    SCOPED(pq_result) struct pq_result *result = NULL;
    if (pq_exec(pq, sql, &result, err) < 0)
        return -1;
    if (pq_rows(result) == 0 || pq_columns(result) == 0)
        return 0;
    *ret_text = mem_string(pq_value(result, 0, 0));
    return 1;
}

int pq_query_integer(struct pq *pq, const char *sql, int64_t *ret_value, struct error *err)
{
    SCOPED(string) char *text = NULL;
    int found = pq_query_text(pq, sql, &text, err);
    if (found > 0)
        *ret_value = text ? strtoll(text, NULL, 10) : 0;
    return found;
}

/* ---- COPY ---- */

static int copy_begin(struct pq *pq, const char *sql, ExecStatusType wanted, struct error *err)
{
    reset_call(pq);
    if (begin_call(pq, lib.PQsendQuery_(pq->connection, sql), err) < 0)
        return -1;
    SCOPED(pgresult) PGresult *result = NULL;
    int more = next_result(pq, &result, err);
    if (more > 0 && lib.PQresultStatus_(result) == wanted)
        return 0;
    if (more > 0)
        failed(result) ? set_server_error(pq, result, err)
                       : error_set(err, ERROR_FAILED, "not a COPY as expected");
    else if (more == 0)
        set_connection_error(pq, err);
    if (more < 0)
        abandon(pq);
    else
        drain(pq);
    return -1;
}

int pq_copy_out_begin(struct pq *pq, const char *sql, struct error *err)
{
    return copy_begin(pq, sql, PGRES_COPY_OUT, err);
}

int pq_copy_out_row(struct pq *pq, char **ret_row, size_t *ret_size, struct error *err)
{
    for (;;) {
        int size = lib.PQgetCopyData_(pq->connection, ret_row, 1);
        if (size > 0) {
            *ret_size = (size_t)size;
            return 1;
        }
        if (size == -1)
            return collect(pq, NULL, err) < 0 ? -1 : 0;
        if (size < -1) {
            set_connection_error(pq, err);
            return -1;
        }
        start_clock(pq);
        if (wait_socket(pq, POLLIN, err) < 0) {
            abandon(pq);
            return -1;
        }
        if (!lib.PQconsumeInput_(pq->connection))
            return set_connection_error(pq, err);
    }
}

void pq_copy_out_free(char *row)
{
    if (row)
        lib.PQfreemem_(row);
}

int pq_copy_in_begin(struct pq *pq, const char *sql, struct error *err)
{
    return copy_begin(pq, sql, PGRES_COPY_IN, err);
}

/* A COPY the server has ended by itself: its reason is in the result. */
static int copy_in_failed(struct pq *pq, struct error *err)
{
    SCOPED(pgresult) PGresult *result = NULL;
    if (next_result(pq, &result, err) > 0 && failed(result))
        set_server_error(pq, result, err);
    else
        set_connection_error(pq, err);
    drain(pq);
    return -1;
}

static int put_piece(struct pq *pq, const char *data, size_t size, struct error *err)
{
    for (;;) {
        int taken = lib.PQputCopyData_(pq->connection, data, (int)size);
        if (taken < 0)
            return copy_in_failed(pq, err);
        /* Flushed here, so that libpq's own buffer stays at one piece. */
        if (flush(pq, err) < 0) {
            if (!pq->fault.connection_lost)
                abandon(pq);
            return -1;
        }
        if (taken > 0)
            return 0;
    }
}

int pq_copy_in_write(struct pq *pq, const void *data, size_t size, struct error *err)
{
    start_clock(pq);
    const char *from = data;
    while (size) {
        size_t piece = size < COPY_IN_PIECE ? size : COPY_IN_PIECE;
        if (put_piece(pq, from, piece, err) < 0)
            return -1;
        from += piece;
        size -= piece;
    }
    return 0;
}

int pq_copy_in_end(struct pq *pq, uint64_t *ret_rows, struct error *err)
{
    start_clock(pq);
    int ended;
    do {
        ended = lib.PQputCopyEnd_(pq->connection, NULL);
        if (ended < 0)
            return copy_in_failed(pq, err);
        if (flush(pq, err) < 0) {
            abandon(pq);
            return -1;
        }
    } while (ended == 0);

    SCOPED(pq_result) struct pq_result *result = NULL;
    if (collect(pq, &result, err) < 0)
        return -1;
    *ret_rows = (uint64_t)pq_result_changes(result);
    return 0;
}

/* ---- quoting ---- */

static void append_quoted(struct buf *sql, const char *text, char quote)
{
    buf_append_char(sql, quote);
    for (; *text; text++) {
        if (*text == quote)
            buf_append_char(sql, quote);
        buf_append_char(sql, *text);
    }
    buf_append_char(sql, quote);
}

void pq_quote_identifier(struct buf *sql, const char *name)
{
    append_quoted(sql, name, '"');
}

void pq_quote_literal(struct buf *sql, const char *text)
{
    append_quoted(sql, text, '\'');
}
