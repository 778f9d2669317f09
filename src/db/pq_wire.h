/*
 * Beneath db/pq.h: libpq's functions, waiting with a deadline, what went wrong, and the order in
 * which one speaks with a server. Used by db/pq*.c only.
 */
#ifndef KEDGE_DB_PQ_WIRE_H
#define KEDGE_DB_PQ_WIRE_H

#include "db/pq.h"

#include <libpq-fe.h>
#include <stdatomic.h>

struct pq {
    PGconn *connection;
    struct os *os;
    struct pq_fault fault;
    int64_t timeout_ms;
    int64_t deadline_ns;   /* of the call that is running, 0 for none */
    atomic_bool cancelled; /* another thread asked for it */
    bool ignore_stop;
    struct loan *loan; /* of the socket, for the rows of a COPY; NULL before the first */
    char *row;         /* libpq's, lent out until the next is asked for */
    uint64_t rows_out; /* of the COPY that runs */
    enum { FORMAT_BEFORE, FORMAT_ROWS, FORMAT_AFTER } format; /* where one in binary is */
};

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
    X(PQsslInUse)                                                                                  \
    X(PQgssEncInUse)                                                                               \
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
    X(PQputCopyEnd)                                                                                \
    X(PQenterPipelineMode)                                                                         \
    X(PQexitPipelineMode)                                                                          \
    X(PQpipelineSync)

#define PQ_POINTER(name) __typeof__(name) *name##_;

/* Filled by wire_load and the same from then on. */
extern struct pq_library {
    PQ_FUNCTIONS(PQ_POINTER)
} pq_library;

int wire_load(struct error *err);

/* ---- waiting ---- */

/* The time of a call begins. */
void wire_start_clock(struct pq *pq);
/* Ask the server, over a connection of its own, to stop what it runs. */
void wire_cancel(PGconn *connection);
/* 1 when `fd` may be ready, 0 when `wait_us` have passed first; -1 when a stop was requested or the
 * deadline has passed. An fd of -1 only waits. */
int wire_poll(struct pq *pq, int fd, short events, int64_t wait_us, struct error *err);
/* The same without an end of its own: 0 or -1. */
int wire_wait_for(struct pq *pq, int fd, short events, struct error *err);
/* For libpq's socket. */
int wire_wait(struct pq *pq, short events, struct error *err);

/* ---- what went wrong ---- */

/* Raise what libpq says of the connection. -1. */
int wire_lost(struct pq *pq, struct error *err);
/* Raise what the server says against a statement. -1. */
int wire_refused(struct pq *pq, const PGresult *result, struct error *err);
bool wire_failed(const PGresult *result);

/* ---- results ---- */

static inline const PGresult *wire_raw(const struct pq_result *result)
{
    return (const PGresult *)(const void *)result;
}

static inline struct pq_result *wire_wrap(PGresult *result)
{
    return (struct pq_result *)(void *)result;
}

void wire_clear(PGresult *result);

DEFINE_SCOPED(pgresult, PGresult *, wire_clear);

/* ---- the conversation ---- */

/* A call begins: forget the fault of the one before. */
void wire_reset(struct pq *pq);
/* Give a statement to libpq; whether it took it. */
int wire_send(struct pq *pq, const char *sql, const struct pq_parameter *parameters, size_t count,
              bool binary_result);
/* After libpq took a statement (`sent`): hand it to the server. */
int wire_begin(struct pq *pq, int sent, struct error *err);
int wire_flush(struct pq *pq, struct error *err);
/* 1 and the next result of the statement, 0 when it is over, -1 on time-out, stop or a lost
 * connection. */
int wire_next(struct pq *pq, PGresult **ret_result, struct error *err);
/* Read the statement to its end. The last result, or the first error. */
int wire_collect(struct pq *pq, struct pq_result **ret_result, struct error *err);
/* From now on wait for the end of what runs, for a bounded time, whatever is requested. */
void wire_wait_for_end(struct pq *pq);
/* Read what is left of a statement that is over. */
void wire_drain(struct pq *pq);
/* Bring the connection back to idle after a call that was left half way. */
void wire_abandon(struct pq *pq);

#endif
