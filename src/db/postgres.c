#include "db/postgres.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/stop.h"
#include "base/text.h"
#include "db/pq.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARED_LOOKS 3
#define SECOND_TIMEOUT_MS 3000

/* Types whose text is read as something else; the numbers are the server's own and never change. */
enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_OID = 26,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701
};

struct postgres {
    struct db base;
    struct pq *pq;
    struct db_url url;         /* for a second connection */
    struct db_options options; /* its texts are not kept */
};

static struct pq *pq_of(struct db *db)
{
    return ((struct postgres *)db)->pq;
}

/* What the wire knows of a failure, for those who ask the connection. */
static int failed(struct db *db, struct error *err)
{
    const struct pq_fault *fault = pq_fault(pq_of(db));
    memcpy(db->fault.state, fault->state, sizeof db->fault.state);
    db->fault.native_code = 0;
    db->fault.position = fault->position;
    db->fault.connection_lost = fault->connection_lost;
    db->fault.lock_timeout = fault->lock_timeout;
    return strcmp(fault->state, "23505") == 0 ? error_recode(err, ERROR_EXISTS) : -1;
}

/* ---- statements ---- */

/* `?` outside of quotes becomes $1, $2, ... */
static void number_parameters(struct buf *out, const char *sql, size_t size)
{
    char quote = '\0';
    size_t count = 0;
    for (size_t i = 0; i < size; i++) {
        if (quote)
            quote = sql[i] == quote ? '\0' : quote;
        else if (sql[i] == '\'' || sql[i] == '"')
            quote = sql[i];
        if (!quote && sql[i] == '?')
            buf_append_format(out, "$%zu", ++count);
        else
            buf_append_char(out, sql[i]);
    }
}

struct bound {
    struct pq_parameter *items;
    struct text_list texts; /* of numbers */
};

static void bind_all(struct bound *bound, const struct db_value *parameters, size_t count)
{
    bound->items = mem_alloc(count ? count : 1, sizeof *bound->items);
    for (size_t i = 0; i < count; i++) {
        const struct db_value *value = &parameters[i];
        struct pq_parameter *item = &bound->items[i];
        if (value->type == DB_INTEGER || value->type == DB_REAL) {
            text_list_give(&bound->texts, value->type == DB_INTEGER
                                              ? mem_format("%" PRId64, value->integer)
                                              : mem_format("%.17g", value->real));
            item->data = bound->texts.items[bound->texts.count - 1];
            item->size = strlen(item->data);
        } else if (value->type != DB_NULL) {
            item->data = value->text ? value->text : "";
            item->size = value->size;
            item->binary = value->type == DB_BLOB;
        }
    }
}

static void bound_clear(struct bound *bound)
{
    text_list_clear(&bound->texts);
    free(bound->items);
}

struct row_passing {
    db_row_fn *row;
    void *context;
};

/* "\x1f8b" as bytes; `memory` owns them. */
static struct db_value bytea_value(const char *text, size_t size, char **memory)
{
    size_t length = size >= 2 ? (size - 2) / 2 : 0;
    *memory = mem_alloc(length + 1, 1);
    if (text_unhex(text + (size >= 2 ? 2 : 0), *memory, length) < 0)
        length = 0;
    return (struct db_value){.type = DB_BLOB, .text = *memory, .size = length};
}

static struct db_value column_value(const struct pq_result *result, size_t row, size_t column,
                                    char **memory)
{
    const char *text = pq_value(result, row, column);
    size_t size = pq_value_size(result, row, column);
    if (!text)
        return DB_VALUE_NULL;
    switch (pq_column_type(result, column)) {
    case OID_BOOL:
        return db_integer(text[0] == 't');
    case OID_INT8:
    case OID_INT4:
    case OID_INT2:
    case OID_OID:
        return db_integer(strtoll(text, NULL, 10));
    case OID_FLOAT4:
    case OID_FLOAT8:
        return (struct db_value){.type = DB_REAL, .real = strtod(text, NULL)};
    case OID_BYTEA:
        return bytea_value(text, size, memory);
    default:
        return (struct db_value){.type = DB_TEXT, .text = text, .size = size};
    }
}

static int pass_one(const struct row_passing *passing, const struct pq_result *result, size_t row,
                    struct db_value *columns, struct error *err)
{
    size_t count = pq_columns(result);
    SCOPED(text_list) struct text_list memory = TEXT_LIST_INIT;
    for (size_t i = 0; i < count; i++) {
        char *bytes = NULL;
        columns[i] = column_value(result, row, i, &bytes);
        if (bytes)
            text_list_give(&memory, bytes);
    }
    return passing->row(passing->context, columns, count, err);
}

/* The rows that have come. */
static int pass_rows(void *context, const struct pq_result *result, struct error *err)
{
    const struct row_passing *passing = context;
    SCOPED(memory) void *values = mem_alloc(pq_columns(result) + 1, sizeof(struct db_value));
    int answer = 0;
    for (size_t i = 0; passing->row && answer == 0 && i < pq_rows(result); i++)
        answer = pass_one(passing, result, i, values, err);
    return answer;
}

static void prepare(const char *sql, size_t size, const struct db_value *parameters, size_t count,
                    struct buf *text, struct bound *bound)
{
    if (count)
        number_parameters(text, sql, size);
    else
        buf_append(text, sql, size);
    bind_all(bound, parameters, count);
}

static int postgres_query(struct db *db, const char *sql, size_t size,
                          const struct db_value *parameters, size_t parameter_count, db_row_fn *row,
                          void *context, struct error *err)
{
    struct row_passing passing = {row, context};
    struct bound bound = {0};
    SCOPED(buf) struct buf text = BUF_INIT;
    prepare(sql, size, parameters, parameter_count, &text, &bound);
    int result = pq_stream(pq_of(db), text.data, bound.items, parameter_count, pass_rows, &passing,
                           NULL, err);
    bound_clear(&bound);
    /* What the caller's own function answered is no fault of the server's. */
    return result == -1 ? failed(db, err) : result;
}

/* The library makes a result of each row that comes on its own, which takes longer than reading
 * it. */
static int postgres_query_whole(struct db *db, const char *sql, size_t size,
                                const struct db_value *parameters, size_t parameter_count,
                                db_row_fn *row, void *context, struct error *err)
{
    struct row_passing passing = {row, context};
    struct bound bound = {0};
    SCOPED(buf) struct buf text = BUF_INIT;
    SCOPED(pq_result) struct pq_result *result = NULL;
    prepare(sql, size, parameters, parameter_count, &text, &bound);
    int done =
        pq_exec_parameters(pq_of(db), text.data, bound.items, parameter_count, false, &result, err);
    bound_clear(&bound);
    return done < 0 ? failed(db, err) : pass_rows(&passing, result, err);
}

/* Without parameters a text may hold several statements, and what CREATE INDEX CONCURRENTLY needs:
 * the simple protocol. */
static int postgres_execute(struct db *db, const char *sql, size_t size,
                            const struct db_value *parameters, size_t parameter_count,
                            int64_t *ret_changes, struct error *err)
{
    SCOPED(pq_result) struct pq_result *result = NULL;
    struct bound bound = {0};
    SCOPED(buf) struct buf text = BUF_INIT;
    int done = 0;
    if (parameter_count) {
        number_parameters(&text, sql, size);
        bind_all(&bound, parameters, parameter_count);
        done = pq_exec_parameters(pq_of(db), text.data, bound.items, parameter_count, false,
                                  &result, err);
        bound_clear(&bound);
    } else {
        buf_append(&text, sql, size);
        done = pq_exec(pq_of(db), text.data, &result, err);
    }
    if (done < 0)
        return failed(db, err);
    if (ret_changes)
        *ret_changes = result ? pq_result_changes(result) : 0;
    return 0;
}

static int postgres_copy_in(struct db *db, const char *sql, const void *rows, size_t rows_size,
                            struct error *err)
{
    uint64_t count = 0;
    if (pq_copy_in_begin(pq_of(db), sql, err) < 0 ||
        pq_copy_in_write(pq_of(db), rows, rows_size, err) < 0 ||
        pq_copy_in_end(pq_of(db), &count, err) < 0)
        return failed(db, err);
    return 0;
}

static int postgres_batch(struct db *db, const struct db_statement *statements, size_t count,
                          size_t *ret_done, struct error *err)
{
    SCOPED(memory) void *wire_memory = mem_alloc(count + 1, sizeof(struct pq_statement));
    SCOPED(memory) void *bound_memory = mem_alloc(count + 1, sizeof(struct bound));
    SCOPED(text_list) struct text_list texts = TEXT_LIST_INIT;
    struct pq_statement *wire = wire_memory;
    struct bound *bound = bound_memory;
    for (size_t i = 0; i < count; i++) {
        const struct db_statement *from = &statements[i];
        wire[i] = (struct pq_statement){.sql = from->sql, .size = from->size};
        bound[i] = (struct bound){0};
        if (!from->parameter_count)
            continue;
        struct buf text = BUF_INIT;
        number_parameters(&text, from->sql, from->size);
        text_list_give(&texts, buf_steal(&text));
        bind_all(&bound[i], from->parameters, from->parameter_count);
        wire[i].sql = texts.items[texts.count - 1];
        wire[i].parameters = bound[i].items;
        wire[i].parameter_count = from->parameter_count;
    }
    int result = pq_pipeline(pq_of(db), wire, count, ret_done, err);
    for (size_t i = 0; i < count; i++)
        bound_clear(&bound[i]);
    return result < 0 ? failed(db, err) : 0;
}

/* ---- transactions ---- */

static int run(struct db *db, const char *sql, struct error *err)
{
    return postgres_execute(db, sql, strlen(sql), NULL, 0, NULL, err);
}

static int postgres_begin(struct db *db, bool for_writing, struct error *err)
{
    (void)for_writing;
    return run(db, "BEGIN", err);
}

/* A transaction in which a statement failed answers COMMIT with a rollback and no error. Once it is
 * on its way a stop comes too late: nobody would know what became of it. */
static int postgres_commit(struct db *db, struct error *err)
{
    if (run(db, "SELECT 1", err) < 0)
        return -1;
    bool heeded = pq_heed_stop(pq_of(db), false);
    int result = run(db, "COMMIT", err);
    pq_heed_stop(pq_of(db), heeded);
    return result;
}

static int postgres_rollback(struct db *db, struct error *err)
{
    if (!pq_in_transaction(pq_of(db)))
        return 0;
    if (stop_requested())
        pq_ignore_stop(pq_of(db));
    return run(db, "ROLLBACK", err);
}

static int postgres_in_transaction(struct db *db)
{
    return pq_in_transaction(pq_of(db)) ? 1 : 0;
}

/* Ask both in turn which process serves them: the same one for two open connections is shared. */
static int postgres_compare(struct pq *one, struct pq *other, struct error *err)
{
    int64_t first = 0;
    for (int i = 0; i < SHARED_LOOKS; i++) {
        int64_t mine = 0;
        int64_t others = 0;
        if (pq_query_integer(one, "SELECT pg_backend_pid()", &mine, err) < 0 ||
            pq_query_integer(other, "SELECT pg_backend_pid()", &others, err) < 0)
            return -1;
        first = first ? first : mine;
        if (mine == others || mine != first)
            return 1;
    }
    return 0;
}

/* A pooler hands out numbers of processes that it makes up. Whether it keeps sessions apart shows
 * only beside a second connection; where none is to be had, they are not given to others. */
static int postgres_is_shared(struct db *db, struct error *err)
{
    const struct pq_options options = {.os = db->os, .connect_timeout_ms = SECOND_TIMEOUT_MS};
    SCOPED(pq) struct pq *second = NULL;
    struct error ignored = ERROR_INIT;
    int64_t process = 0;
    if (pq_query_integer(pq_of(db), "SELECT pg_backend_pid()", &process, err) < 0)
        return failed(db, err);
    if (process == pq_backend_pid(pq_of(db)))
        return 0;
    if (pq_open(&((struct postgres *)db)->url, &options, &second, &ignored) < 0)
        return stop_check(err);
    pq_set_timeout(second, SECOND_TIMEOUT_MS);
    int answer = postgres_compare(pq_of(db), second, &ignored);
    return answer < 0 ? stop_check(err) : answer;
}

static int configure(struct db *db, const struct db_options *options, struct error *err)
{
    SCOPED(buf) struct buf sql = BUF_INIT;
    /* Splitting and quoting count on it. The server says so itself when it is on already. */
    const char *conforming = pq_parameter_status(pq_of(db), "standard_conforming_strings");
    if (!text_equal(conforming, "on"))
        buf_append_text(&sql, "; SET standard_conforming_strings = on");
    if (options->statement_timeout_ms)
        buf_append_format(&sql, "; SET statement_timeout = %" PRId64,
                          options->statement_timeout_ms);
    if (options->lock_timeout_ms)
        buf_append_format(&sql, "; SET lock_timeout = %" PRId64, options->lock_timeout_ms);
    if (options->read_only)
        buf_append_text(&sql, "; SET default_transaction_read_only = on");
    return sql.length ? run(db, sql.data + strlen("; "), err) : 0;
}

/* DISCARD ALL would let the advisory locks go. */
static int postgres_reset(struct db *db, struct error *err)
{
    if (run(db,
            "CLOSE ALL; RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; DEALLOCATE ALL; "
            "UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES",
            err) < 0)
        return -1;
    return configure(db, &((struct postgres *)db)->options, err);
}

static int postgres_own_role(struct db *db, struct error *err)
{
    return run(db, POSTGRES_OWN_SESSION "; " POSTGRES_OWN_ROLE, err);
}

static void postgres_cancel(struct db *db)
{
    pq_cancel(pq_of(db));
}

static int postgres_version(struct db *db, char **ret_version, struct error *err)
{
    (void)err;
    const char *version = pq_parameter_status(pq_of(db), "server_version");
    *ret_version = mem_string(version ? version : "");
    return 0;
}

static void postgres_close(struct db *db)
{
    pq_close(pq_of(db));
    db_url_clear(&((struct postgres *)db)->url);
    free(db);
}

static const struct db_ops postgres_ops = {
    .engine = DB_POSTGRES,
    .capabilities = DB_TRANSACTIONAL_DDL | DB_SCHEMAS | DB_ADVISORY_LOCKS,
    .execute = postgres_execute,
    .query = postgres_query,
    .query_whole = postgres_query_whole,
    .copy_in = postgres_copy_in,
    .batch = postgres_batch,
    .begin = postgres_begin,
    .commit = postgres_commit,
    .rollback = postgres_rollback,
    .in_transaction = postgres_in_transaction,
    .is_shared = postgres_is_shared,
    .reset = postgres_reset,
    .own_role = postgres_own_role,
    .cancel = postgres_cancel,
    .version = postgres_version,
    .close = postgres_close,
};

/* ---- opening ---- */

int postgres_open(const struct db_url *url, const struct db_options *options, struct db **ret_db,
                  struct error *err)
{
    const struct pq_options wire = {
        .os = options->os,
        .connect_timeout_ms = options->connect_timeout_ms,
        .application = options->application,
    };
    struct pq *pq = NULL;
    if (pq_open(url, &wire, &pq, err) < 0)
        return -1;
    struct postgres *postgres = MEM_NEW(struct postgres);
    postgres->base = (struct db){.ops = &postgres_ops, .os = options->os};
    postgres->pq = pq;
    postgres->options = *options;
    postgres->options.application = NULL;
    SCOPED(db) struct db *db = &postgres->base;
    if (db_url_copy(url, &postgres->url) < 0)
        return error_set(err, ERROR_FAILED, "copy the address of the database");
    if (configure(db, options, err) < 0)
        return -1;
    *ret_db = STEAL(db);
    return 0;
}
