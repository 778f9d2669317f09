#include "db/pq_wire.h"

#include "base/error.h"
#include "base/library.h"
#include "base/os.h"
#include "base/stop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DRAIN_TIMEOUT_MS 10000
#define POLL_SLICE_US 200000
#define QUERY_CANCELED "57014" /* for a time-out too */

/* ---- libpq ---- */

#define PQ_SYMBOL(name) {#name, (void **)&pq_library.name##_},

struct pq_library pq_library;

/* clang-format off */
static const struct library_symbol symbols[] = {
    PQ_FUNCTIONS(PQ_SYMBOL)
    {NULL, NULL},
};
/* clang-format on */
static struct library library = {"libpq.so.5", "libpq5", symbols, false};

int wire_load(struct error *err)
{
    return library_load(&library, err);
}

/* ---- waiting ---- */

void wire_start_clock(struct pq *pq)
{
    pq->deadline_ns =
        pq->timeout_ms ? pq->os->clock_monotonic_ns(pq->os) + pq->timeout_ms * 1000000 : 0;
}

void wire_cancel(PGconn *connection)
{
    PGcancel *cancel = pq_library.PQgetCancel_(connection);
    char reason[256];
    if (cancel)
        pq_library.PQcancel_(cancel, reason, sizeof reason);
    pq_library.PQfreeCancel_(cancel);
}

int wire_poll(struct pq *pq, int fd, short events, int64_t wait_us, struct error *err)
{
    if (!pq->ignore_stop && stop_check(err) < 0)
        return -1;
    if (pq->deadline_ns && pq->os->clock_monotonic_ns(pq->os) > pq->deadline_ns)
        return error_set(err, ERROR_TIMEOUT, "the server did not answer in time");
    struct pollfd wait = {.fd = fd, .events = events};
    struct timespec most = {.tv_sec = wait_us / 1000000, .tv_nsec = wait_us % 1000000 * 1000};
    int ready = ppoll(&wait, 1, &most, NULL);
    if (ready < 0 && errno != EINTR)
        return error_set_errno(err, ERROR_FAILED, errno, "wait for the server");
    return ready > 0;
}

int wire_wait_for(struct pq *pq, int fd, short events, struct error *err)
{
    int ready;
    do {
        ready = wire_poll(pq, fd, events, POLL_SLICE_US, err);
    } while (ready == 0);
    return ready < 0 ? -1 : 0;
}

int wire_wait(struct pq *pq, short events, struct error *err)
{
    return wire_wait_for(pq, pq_library.PQsocket_(pq->connection), events, err);
}

/* ---- what went wrong ---- */

/* The first line of libpq's text: the rest explains what the reader can see for himself. */
int wire_lost(struct pq *pq, struct error *err)
{
    pq->fault.connection_lost = true;
    const char *text = pq_library.PQerrorMessage_(pq->connection);
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
    const char *state = pq_library.PQresultErrorField_(result, PG_DIAG_SQLSTATE);
    const char *position = pq_library.PQresultErrorField_(result, PG_DIAG_STATEMENT_POSITION);
    if (state)
        memccpy(fault->state, state, '\0', sizeof fault->state - 1);
    if (position)
        fault->position = (size_t)strtoull(position, NULL, 10);
    fault->connection_lost = text_starts(fault->state, "57P0") || text_starts(fault->state, "08");
    fault->lock_timeout = strcmp(fault->state, "55P03") == 0 ||
                          strcmp(fault->state, "40P01") == 0 || strcmp(fault->state, "40001") == 0;
}

int wire_refused(struct pq *pq, const PGresult *result, struct error *err)
{
    const char *message = pq_library.PQresultErrorField_(result, PG_DIAG_MESSAGE_PRIMARY);
    if (!message)
        return wire_lost(pq, err);
    fill_fault(&pq->fault, result);
    const char *detail = pq_library.PQresultErrorField_(result, PG_DIAG_MESSAGE_DETAIL);
    const char *place = pq_library.PQresultErrorField_(result, PG_DIAG_CONTEXT);
    enum error_code code = code_of_state(pq->fault.state);
    if (strcmp(pq->fault.state, QUERY_CANCELED) == 0 && atomic_load(&pq->cancelled))
        code = ERROR_INTERRUPTED;
    error_set(err, code, "%s%s%s%s%s%s", message, detail ? " (" : "", detail ? detail : "",
              detail ? ")" : "", place && text_starts(place, "COPY ") ? ", in " : "",
              place && text_starts(place, "COPY ") ? place : "");
    const char *hint = pq_library.PQresultErrorField_(result, PG_DIAG_MESSAGE_HINT);
    if (hint)
        error_hint(err, "%s", hint);
    return -1;
}

/* ---- results ---- */

void wire_clear(PGresult *result)
{
    if (result)
        pq_library.PQclear_(result);
}

/* ---- the conversation ---- */

int wire_flush(struct pq *pq, struct error *err)
{
    for (;;) {
        int left = pq_library.PQflush_(pq->connection);
        if (left == 0)
            return 0;
        if (left < 0)
            return wire_lost(pq, err);
        /* The server may be waiting for us to read before it reads. */
        if (wire_wait(pq, POLLIN | POLLOUT, err) < 0)
            return -1;
        if (!pq_library.PQconsumeInput_(pq->connection))
            return wire_lost(pq, err);
    }
}

/* 1 and the next result of the statement, 0 when it is over, -1 on time-out, stop or a lost
 * connection. */
int wire_next(struct pq *pq, PGresult **ret_result, struct error *err)
{
    while (pq_library.PQisBusy_(pq->connection)) {
        if (wire_wait(pq, POLLIN, err) < 0)
            return -1;
        if (!pq_library.PQconsumeInput_(pq->connection))
            return wire_lost(pq, err);
    }
    *ret_result = pq_library.PQgetResult_(pq->connection);
    return *ret_result ? 1 : 0;
}

void wire_wait_for_end(struct pq *pq)
{
    pq->ignore_stop = true;
    pq->deadline_ns = pq->os->clock_monotonic_ns(pq->os) + DRAIN_TIMEOUT_MS * INT64_C(1000000);
}

/* Read what is left of a statement that is over. */
void wire_drain(struct pq *pq)
{
    bool ignored = pq->ignore_stop;
    wire_wait_for_end(pq);
    PGresult *result = NULL;
    while (wire_next(pq, &result, NULL) > 0) {
        ExecStatusType status = pq_library.PQresultStatus_(result);
        wire_clear(result);
        if (status == PGRES_COPY_IN)
            pq_library.PQputCopyEnd_(pq->connection, "abandoned");
        char *row = NULL;
        while (status == PGRES_COPY_OUT && pq_library.PQgetCopyData_(pq->connection, &row, 0) > 0)
            pq_library.PQfreemem_(row);
        if (pq_library.PQstatus_(pq->connection) == CONNECTION_BAD)
            break;
    }
    pq->ignore_stop = ignored;
}

/* Bring the connection back to idle after a call that was left half way. */
void wire_abandon(struct pq *pq)
{
    if (pq_library.PQtransactionStatus_(pq->connection) == PQTRANS_ACTIVE)
        wire_cancel(pq->connection);
    wire_drain(pq);
}

int wire_send(struct pq *pq, const char *sql, const struct pq_parameter *parameters, size_t count,
              bool binary_result)
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
    return pq_library.PQsendQueryParams_(pq->connection, sql, (int)count, NULL, values, lengths,
                                         formats, binary_result);
}

int wire_begin(struct pq *pq, int sent, struct error *err)
{
    if (!sent)
        return wire_lost(pq, err);
    if (wire_flush(pq, err) < 0) {
        wire_abandon(pq);
        return -1;
    }
    return 0;
}

void wire_reset(struct pq *pq)
{
    pq->fault = (struct pq_fault){0};
    atomic_store(&pq->cancelled, false);
    wire_start_clock(pq);
}

bool wire_failed(const PGresult *result)
{
    ExecStatusType status = pq_library.PQresultStatus_(result);
    return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE;
}

/* The rows of a COPY ... TO stdout that nobody wants are dropped, as those of a SELECT are. */
static int skip_copy_out(struct pq *pq, struct error *err)
{
    for (;;) {
        char *row = NULL;
        int size = pq_library.PQgetCopyData_(pq->connection, &row, 1);
        if (size > 0)
            pq_library.PQfreemem_(row);
        if (size < -1)
            return wire_lost(pq, err);
        if (size == -1)
            return 0;
        if (size > 0)
            continue;
        if (wire_wait(pq, POLLIN, err) < 0) {
            wire_abandon(pq);
            return -1;
        }
        if (!pq_library.PQconsumeInput_(pq->connection))
            return wire_lost(pq, err);
    }
}

/* Read the statement to its end. The last result, or the first error. */
int wire_collect(struct pq *pq, struct pq_result **ret_result, struct error *err)
{
    SCOPED(pgresult) PGresult *last = NULL;
    for (;;) {
        PGresult *result = NULL;
        int more = wire_next(pq, &result, err);
        if (more < 0) {
            if (!pq->fault.connection_lost)
                wire_abandon(pq);
            return -1;
        }
        if (!more)
            break;
        ExecStatusType status = pq_library.PQresultStatus_(result);
        if (status == PGRES_COPY_OUT) {
            wire_clear(result);
            if (skip_copy_out(pq, err) < 0)
                return -1;
            continue;
        }
        if (status == PGRES_COPY_IN || status == PGRES_COPY_BOTH) {
            wire_clear(result);
            wire_abandon(pq);
            return error_set(err, ERROR_FAILED, "a COPY where none was expected");
        }
        if (last && wire_failed(last)) {
            wire_clear(result);
            continue;
        }
        wire_clear(last);
        last = result;
    }
    if (!last)
        return wire_lost(pq, err);
    if (wire_failed(last))
        return wire_refused(pq, last, err);
    if (ret_result)
        *ret_result = wire_wrap(STEAL(last));
    return 0;
}
