#include "db/pq_wire.h"

#include "base/error.h"

#include <stdlib.h>

/* ---- results ---- */

size_t pq_rows(const struct pq_result *result)
{
    return (size_t)pq_library.PQntuples_(wire_raw(result));
}

size_t pq_columns(const struct pq_result *result)
{
    return (size_t)pq_library.PQnfields_(wire_raw(result));
}

const char *pq_value(const struct pq_result *result, size_t row, size_t column)
{
    if (pq_library.PQgetisnull_(wire_raw(result), (int)row, (int)column))
        return NULL;
    return pq_library.PQgetvalue_(wire_raw(result), (int)row, (int)column);
}

size_t pq_value_size(const struct pq_result *result, size_t row, size_t column)
{
    return (size_t)pq_library.PQgetlength_(wire_raw(result), (int)row, (int)column);
}

unsigned pq_column_type(const struct pq_result *result, size_t column)
{
    return pq_library.PQftype_(wire_raw(result), (int)column);
}

int64_t pq_result_changes(const struct pq_result *result)
{
    /* libpq takes it without const but only reads. */
    PGresult *mutable = (PGresult *)(uintptr_t)(const void *)result;
    return strtoll(pq_library.PQcmdTuples_(mutable), NULL, 10);
}

void pq_result_free(struct pq_result *result)
{
    wire_clear((PGresult *)(void *)result);
}

/* ---- statements ---- */

int pq_start(struct pq *pq, const char *sql, struct error *err)
{
    wire_reset(pq);
    return wire_begin(pq, pq_library.PQsendQuery_(pq->connection, sql), err);
}

int pq_finish(struct pq *pq, struct pq_result **ret_result, struct error *err)
{
    return wire_collect(pq, ret_result, err);
}

int pq_exec(struct pq *pq, const char *sql, struct pq_result **ret_result, struct error *err)
{
    return pq_start(pq, sql, err) < 0 ? -1 : pq_finish(pq, ret_result, err);
}

int pq_exec_format(struct pq *pq, struct error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    SCOPED(string) char *sql = mem_format_v(format, args);
    va_end(args);
    return pq_exec(pq, sql, NULL, err);
}

int pq_exec_parameters(struct pq *pq, const char *sql, const struct pq_parameter *parameters,
                       size_t count, bool binary_result, struct pq_result **ret_result,
                       struct error *err)
{
    wire_reset(pq);
    if (wire_begin(pq, wire_send(pq, sql, parameters, count, binary_result), err) < 0)
        return -1;
    return wire_collect(pq, ret_result, err);
}

int pq_stream(struct pq *pq, const char *sql, const struct pq_parameter *parameters, size_t count,
              pq_row_fn *row, void *context, struct pq_result **ret_result, struct error *err)
{
    wire_reset(pq);
    if (wire_begin(pq, wire_send(pq, sql, parameters, count, false), err) < 0)
        return -1;
    pq_library.PQsetSingleRowMode_(pq->connection);
    for (;;) {
        SCOPED(pgresult) PGresult *result = NULL;
        int more = wire_next(pq, &result, err);
        if (more <= 0) {
            if (more < 0 && !pq->fault.connection_lost)
                wire_abandon(pq);
            return more < 0 ? -1 : wire_lost(pq, err);
        }
        if (pq_library.PQresultStatus_(result) == PGRES_SINGLE_TUPLE) {
            int answer = row ? row(context, wire_wrap(result), err) : 0;
            if (answer) {
                wire_abandon(pq);
                return answer;
            }
            continue;
        }
        int answer = wire_failed(result) ? wire_refused(pq, result, err) : 0;
        if (answer == 0 && ret_result)
            *ret_result = wire_wrap(STEAL(result));
        wire_drain(pq);
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
