/*
 * The PostgreSQL wire, as thinly as it can be had: libpq, loaded on first use.
 *
 * The driver behind db.h and the PostgreSQL source both stand on this. A connection never blocks
 * past its deadline and leaves its wait when a stop is requested: every call sends, then polls.
 * Whatever the server says against a statement becomes a `struct error` and, for those who must
 * know more, a `struct pq_fault`. One thread at a time per connection; only pq_cancel may come from
 * another.
 *
 * A result is the caller's to free; values borrowed from it live as long as it does.
 */
#ifndef KEDGE_DB_PQ_H
#define KEDGE_DB_PQ_H

#include "base/mem.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct os;
struct db_url;
struct pq;
struct pq_result;

struct pq_options {
    struct os *os;
    int64_t connect_timeout_ms; /* 0: 10 s */
    const char *application;    /* shown by the server; NULL: "kedge" */
    const char *database;       /* instead of the URL's; NULL: the URL's */
    const char *encoding; /* of the client, from the first message on; NULL: as is set there */
    bool ignore_stop;     /* for undoing: see pq_ignore_stop */
};

/* What the server said when the last statement failed. */
struct pq_fault {
    char state[6];   /* SQLSTATE, or "" */
    size_t position; /* 1-based character in the statement, 0 when not told */
    bool connection_lost;
    bool lock_timeout; /* lock_timeout, deadlock, serialization: worth another try */
};

/* A parameter in text, NUL-ended, or in the type's binary form; data NULL is NULL. */
struct pq_parameter {
    const char *data;
    size_t size;
    bool binary;
};

/* ---- connection ---- */

int pq_open(const struct db_url *url, const struct pq_options *options, struct pq **ret_pq,
            struct error *err);
void pq_close(struct pq *pq); /* NULL does nothing */

int pq_server_version(const struct pq *pq); /* 150020 for 15.20 */
const char *pq_parameter_status(const struct pq *pq, const char *name);
const struct pq_fault *pq_fault(const struct pq *pq);
/* Is its SQLSTATE among these, or of a class among them (the first two characters)? */
bool pq_fault_among(const struct pq *pq, const char *const *states, size_t count);
bool pq_in_transaction(const struct pq *pq); /* a failed one counts too */
int pq_backend_pid(const struct pq *pq);

/* Longest that one call may wait for the server; 0: for ever. Then the statement is cancelled and
 * the call fails with ERROR_TIMEOUT. */
void pq_set_timeout(struct pq *pq, int64_t timeout_ms);

/* For the statements that undo: go on although a stop was requested. */
void pq_ignore_stop(struct pq *pq);
/* From here on a stop counts, or does not. How it was. */
bool pq_heed_stop(struct pq *pq, bool heed);

/* Interrupt what another thread is running on `pq`. */
void pq_cancel(struct pq *pq);

/* "NAME=value" for each setting of this connection that libpq reads from the environment, the
 * password left out: for a child that is to connect to the same place. */
void pq_environment(const struct pq *pq, struct text_list *environment);
/* The password it was opened with; borrowed, "" when there is none. */
const char *pq_password(const struct pq *pq);

/* ---- statements ---- */

/* One or more statements in one message. *ret_result (may be NULL) is the last one's. */
int pq_exec(struct pq *pq, const char *sql, struct pq_result **ret_result, struct error *err);
/* The same in two halves, for who has something else to do while the server is at it. After a
 * successful start nothing but pq_finish (and pq_cancel) may be called. */
int pq_start(struct pq *pq, const char *sql, struct error *err);
int pq_finish(struct pq *pq, struct pq_result **ret_result, struct error *err);
int pq_exec_format(struct pq *pq, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One statement with $1, $2, ... `binary_result` asks for values in binary. */
int pq_exec_parameters(struct pq *pq, const char *sql, const struct pq_parameter *parameters,
                       size_t count, bool binary_result, struct pq_result **ret_result,
                       struct error *err);

/* Called with a result of one row. Non-zero stops the query and comes back from pq_stream
 * (negative: err is set). */
typedef int pq_row_fn(void *context, const struct pq_result *row, struct error *err);

/* As pq_exec_parameters, row by row, whatever the size of the whole. *ret_result (may be NULL) is
 * the last, empty one: for pq_result_changes. */
int pq_stream(struct pq *pq, const char *sql, const struct pq_parameter *parameters, size_t count,
              pq_row_fn *row, void *context, struct pq_result **ret_result, struct error *err);

/* One of several; `sql` is NUL-ended, a single statement and no COPY. */
struct pq_statement {
    const char *sql;
    size_t size;
    const struct pq_parameter *parameters;
    size_t parameter_count;
};

/* Run them in their order until one fails, sent together: one round trip, or one for each 256 KiB
 * of text. Rows they return are dropped. *ret_done, always set: how many have run; after a failure
 * the next one is the one that failed, unless the connection was lost. A stop that comes too late
 * to keep the last from running is left for the next call to find. */
int pq_pipeline(struct pq *pq, const struct pq_statement *statements, size_t count,
                size_t *ret_done, struct error *err);

size_t pq_rows(const struct pq_result *result);
size_t pq_columns(const struct pq_result *result);
/* NUL-ended too; NULL for NULL. */
const char *pq_value(const struct pq_result *result, size_t row, size_t column);
size_t pq_value_size(const struct pq_result *result, size_t row, size_t column);
unsigned pq_column_type(const struct pq_result *result, size_t column); /* its OID */
int64_t pq_result_changes(const struct pq_result *result); /* rows changed, 0 when not told */
void pq_result_free(struct pq_result *result);

/* The first value of the first row: 1, 0 when there is no row, -1. *ret_text is to be freed, NULL
 * for NULL. */
int pq_query_text(struct pq *pq, const char *sql, char **ret_text, struct error *err);
/* As text, read as an integer; NULL is 0. */
int pq_query_integer(struct pq *pq, const char *sql, int64_t *ret_value, struct error *err);

/* ---- COPY ---- */

/* `sql` is a COPY ... TO STDOUT. */
int pq_copy_out_begin(struct pq *pq, const char *sql, struct error *err);
/* 1 and the next row with its newline, 0 after the last, -1. The row is borrowed until the next
 * call. */
int pq_copy_out_row(struct pq *pq, const char **ret_row, size_t *ret_size, struct error *err);

/* The same after a COPY ... TO STDOUT (FORMAT binary): the row is its count of columns and its
 * fields as they came; what the format has before the first row and after the last is taken off. */
int pq_copy_out_fields(struct pq *pq, const char **ret_fields, size_t *ret_size, struct error *err);

/* `sql` is a COPY ... FROM STDIN. */
int pq_copy_in_begin(struct pq *pq, const char *sql, struct error *err);
int pq_copy_in_write(struct pq *pq, const void *data, size_t size, struct error *err);
/* *ret_rows: how many rows the server took. */
int pq_copy_in_end(struct pq *pq, uint64_t *ret_rows, struct error *err);

/* ---- quoting, for standard_conforming_strings = on ---- */

void pq_quote_identifier(struct buf *sql, const char *name);
void pq_quote_literal(struct buf *sql, const char *text);

DEFINE_SCOPED(pq, struct pq *, pq_close);
DEFINE_SCOPED(pq_result, struct pq_result *, pq_result_free);

#endif
