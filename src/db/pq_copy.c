#include "db/pq_wire.h"

#include "base/big_endian.h"
#include "base/error.h"
#include "db/pq_loan.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>

#define COPY_IN_PIECE ((size_t)256 << 10)

static int copy_begin(struct pq *pq, const char *sql, ExecStatusType wanted, struct error *err)
{
    wire_reset(pq);
    if (wire_begin(pq, pq_library.PQsendQuery_(pq->connection, sql), err) < 0)
        return -1;
    SCOPED(pgresult) PGresult *result = NULL;
    int more = wanted == PGRES_COPY_OUT ? loan_begin(pq, err) : 0;
    if (more == 0)
        more = wire_next(pq, &result, err);
    if (more > 0 && pq_library.PQresultStatus_(result) == wanted)
        return 0;
    if (more > 0)
        wire_failed(result) ? wire_refused(pq, result, err)
                            : error_set(err, ERROR_FAILED, "not a COPY as expected");
    else if (more == 0)
        wire_lost(pq, err);
    loan_end(pq);
    if (more < 0)
        wire_abandon(pq);
    else
        wire_drain(pq);
    return -1;
}

/* ---- out ---- */

int pq_copy_out_begin(struct pq *pq, const char *sql, struct error *err)
{
    pq->rows_out = 0;
    pq->format = FORMAT_BEFORE;
    return copy_begin(pq, sql, PGRES_COPY_OUT, err);
}

static void free_row(struct pq *pq)
{
    if (pq->row)
        pq_library.PQfreemem_(pq->row);
    pq->row = NULL;
}

/* 1 and the next row, 0 after the last, -1 on time-out, stop or a lost connection. */
static int libpq_row(struct pq *pq, const char **ret_row, size_t *ret_size, struct error *err)
{
    for (;;) {
        free_row(pq);
        int size = pq_library.PQgetCopyData_(pq->connection, &pq->row, 1);
        if (size > 0) {
            *ret_row = pq->row;
            *ret_size = (size_t)size;
            return 1;
        }
        if (size == -1)
            return 0;
        if (size < -1)
            return wire_lost(pq, err);
        wire_start_clock(pq);
        if (wire_wait(pq, POLLIN, err) < 0) {
            wire_abandon(pq);
            return -1;
        }
        if (!pq_library.PQconsumeInput_(pq->connection))
            return wire_lost(pq, err);
    }
}

/* After the last row: the server has counted too. */
static int end_rows(struct pq *pq, struct error *err)
{
    SCOPED(pq_result) struct pq_result *result = NULL;
    if (wire_collect(pq, &result, err) < 0)
        return -1;
    uint64_t stated = (uint64_t)pq_result_changes(result);
    if (stated != pq->rows_out)
        return error_set(err, ERROR_FAILED,
                         "the server says that it sent %" PRIu64 " rows, and %" PRIu64 " came",
                         stated, pq->rows_out);
    return 0;
}

/* 1 and what the server sent in one message, 0 after the last, -1. */
static int next_message(struct pq *pq, const char **ret_data, size_t *ret_size, struct error *err)
{
    int found = loan_row(pq, ret_data, ret_size, err);
    if (found < 0)
        wire_abandon(pq);
    return found == 0 ? libpq_row(pq, ret_data, ret_size, err) : found;
}

int pq_copy_out_row(struct pq *pq, const char **ret_row, size_t *ret_size, struct error *err)
{
    int found = next_message(pq, ret_row, ret_size, err);
    if (found == 0)
        return end_rows(pq, err);
    if (found < 0)
        return -1;
    pq->rows_out++;
    if ((*ret_row)[*ret_size - 1] != '\n')
        return error_set(err, ERROR_FAILED, "the server sent a row that does not end");
    return 1;
}

/* ---- out, in binary ---- */

static const char SIGNATURE[11] = "PGCOPY\n\377\r\n"; /* its NUL too */
#define FLAGS_THAT_MATTER 0xffff0000u

/* Take the format's beginning off a message: the first row may follow in it. */
static int skip_signature(const char **data, size_t *size, struct error *err)
{
    size_t taken = sizeof SIGNATURE + 8;
    if (*size < taken || memcmp(*data, SIGNATURE, sizeof SIGNATURE) != 0 ||
        (big_endian_32(*data + sizeof SIGNATURE) & FLAGS_THAT_MATTER) != 0 ||
        big_endian_32(*data + taken - 4) > *size - taken)
        return error_set(err, ERROR_FAILED, "the server sent no COPY in binary that we know");
    taken += big_endian_32(*data + taken - 4);
    *data += taken;
    *size -= taken;
    return 0;
}

static bool is_trailer(const char *data, size_t size)
{
    return size == 2 && data[0] == '\xff' && data[1] == '\xff';
}

static int end_format(struct pq *pq, struct error *err)
{
    if (end_rows(pq, err) < 0)
        return -1;
    if (pq->format != FORMAT_AFTER)
        return error_set(err, ERROR_FAILED, "the server sent rows without an end");
    return 0;
}

int pq_copy_out_fields(struct pq *pq, const char **ret_fields, size_t *ret_size, struct error *err)
{
    for (;;) {
        const char *data = NULL;
        size_t size = 0;
        int found = next_message(pq, &data, &size, err);
        if (found <= 0)
            return found < 0 ? -1 : end_format(pq, err);
        if (pq->format == FORMAT_AFTER)
            return error_set(err, ERROR_FAILED, "the server sent rows after their end");
        if (pq->format == FORMAT_BEFORE && skip_signature(&data, &size, err) < 0)
            return -1;
        pq->format = is_trailer(data, size) ? FORMAT_AFTER : FORMAT_ROWS;
        if (pq->format == FORMAT_AFTER || size == 0)
            continue;
        pq->rows_out++;
        *ret_fields = data;
        *ret_size = size;
        return 1;
    }
}

/* ---- in ---- */

int pq_copy_in_begin(struct pq *pq, const char *sql, struct error *err)
{
    return copy_begin(pq, sql, PGRES_COPY_IN, err);
}

/* A COPY the server has ended by itself: its reason is in the result. */
static int copy_in_failed(struct pq *pq, struct error *err)
{
    SCOPED(pgresult) PGresult *result = NULL;
    if (wire_next(pq, &result, err) > 0 && wire_failed(result))
        wire_refused(pq, result, err);
    else
        wire_lost(pq, err);
    wire_drain(pq);
    return -1;
}

static int put_piece(struct pq *pq, const char *data, size_t size, struct error *err)
{
    for (;;) {
        int taken = pq_library.PQputCopyData_(pq->connection, data, (int)size);
        if (taken < 0)
            return copy_in_failed(pq, err);
        /* Flushed here, so that libpq's own buffer stays at one piece. */
        if (wire_flush(pq, err) < 0) {
            if (!pq->fault.connection_lost)
                wire_abandon(pq);
            return -1;
        }
        if (taken > 0)
            return 0;
    }
}

int pq_copy_in_write(struct pq *pq, const void *data, size_t size, struct error *err)
{
    wire_start_clock(pq);
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
    wire_start_clock(pq);
    int ended;
    do {
        ended = pq_library.PQputCopyEnd_(pq->connection, NULL);
        if (ended < 0)
            return copy_in_failed(pq, err);
        if (wire_flush(pq, err) < 0) {
            wire_abandon(pq);
            return -1;
        }
    } while (ended == 0);

    SCOPED(pq_result) struct pq_result *result = NULL;
    if (wire_collect(pq, &result, err) < 0)
        return -1;
    *ret_rows = (uint64_t)pq_result_changes(result);
    return 0;
}
