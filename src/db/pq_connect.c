#include "db/pq_wire.h"

#include "base/error.h"
#include "base/os.h"
#include "base/text.h"
#include "db/pq_loan.h"
#include "db/url.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 10000

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
    add_keyword(&keywords, "client_encoding", options->encoding);
    PGconn *connection = pq_library.PQconnectStartParams_(keywords.names, keywords.values, 0);
    free(keywords.names);
    free(keywords.values);
    return connection;
}

static int connect_finish(struct pq *pq, struct error *err)
{
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED || pq_library.PQstatus_(pq->connection) == CONNECTION_BAD)
            return wire_lost(pq, err);
        if (wire_wait(pq, state == PGRES_POLLING_READING ? POLLIN : POLLOUT, err) < 0)
            return -1;
        state = pq_library.PQconnectPoll_(pq->connection);
    }
    return 0;
}

int pq_open(const struct db_url *url, const struct pq_options *options, struct pq **ret_pq,
            struct error *err)
{
    if (wire_load(err) < 0)
        return -1;
    SCOPED(pq) struct pq *pq = MEM_NEW(struct pq);
    pq->os = options->os;
    pq->ignore_stop = options->ignore_stop;
    pq->timeout_ms = options->connect_timeout_ms ? options->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    pq->connection = connect_start(url, options);
    if (!pq->connection)
        return error_set(err, ERROR_FAILED, "no memory for a connection");
    pq_library.PQsetNoticeReceiver_(pq->connection, no_notice, NULL);
    wire_start_clock(pq);
    if (connect_finish(pq, err) < 0) {
        SCOPED(string) char *where = db_url_display(url);
        return error_prefix(err, "connect to %s", where);
    }
    pq_library.PQsetnonblocking_(pq->connection, 1);
    pq->timeout_ms = 0;
    *ret_pq = STEAL(pq);
    return 0;
}

void pq_close(struct pq *pq)
{
    if (!pq)
        return;
    loan_free(pq);
    if (pq->row)
        pq_library.PQfreemem_(pq->row);
    if (pq->connection)
        pq_library.PQfinish_(pq->connection);
    free(pq);
}

int pq_server_version(const struct pq *pq)
{
    return pq_library.PQserverVersion_(pq->connection);
}

const char *pq_parameter_status(const struct pq *pq, const char *name)
{
    return pq_library.PQparameterStatus_(pq->connection, name);
}

const struct pq_fault *pq_fault(const struct pq *pq)
{
    return &pq->fault;
}

bool pq_fault_among(const struct pq *pq, const char *const *states, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text_starts(pq->fault.state, states[i]))
            return true;
    return false;
}

bool pq_in_transaction(const struct pq *pq)
{
    PGTransactionStatusType status = pq_library.PQtransactionStatus_(pq->connection);
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}

int pq_backend_pid(const struct pq *pq)
{
    return pq_library.PQbackendPID_(pq->connection);
}

void pq_set_timeout(struct pq *pq, int64_t timeout_ms)
{
    pq->timeout_ms = timeout_ms;
}

void pq_ignore_stop(struct pq *pq)
{
    pq->ignore_stop = true;
}

bool pq_heed_stop(struct pq *pq, bool heed)
{
    bool heeded = !pq->ignore_stop;
    pq->ignore_stop = !heed;
    return heeded;
}

void pq_cancel(struct pq *pq)
{
    atomic_store(&pq->cancelled, true);
    wire_cancel(pq->connection);
}

void pq_environment(const struct pq *pq, struct text_list *environment)
{
    PQconninfoOption *options = pq_library.PQconninfo_(pq->connection);
    for (PQconninfoOption *option = options; option && option->keyword; option++) {
        bool secret = strcmp(option->keyword, "password") == 0 ||
                      strcmp(option->keyword, "sslpassword") == 0 ||
                      strcmp(option->keyword, "passfile") == 0;
        if (option->envvar && option->val && *option->val && !secret)
            text_list_give(environment, mem_format("%s=%s", option->envvar, option->val));
    }
    pq_library.PQconninfoFree_(options);
}

const char *pq_password(const struct pq *pq)
{
    const char *password = pq_library.PQpass_(pq->connection);
    return password ? password : "";
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
