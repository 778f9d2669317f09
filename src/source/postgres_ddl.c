#include "source/postgres_ddl.h"

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/text.h"
#include "db/pq.h"
#include "db/statement.h"
#include "io/process.h"
#include "source/postgres_catalog.h"
#include "source/postgres_own.h"
#include "source/postgres_program.h"
#include "source/postgres_words.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the parts ---- */

struct splitter {
    struct postgres_ddl *ddl;
    const struct postgres_tables *tables;
    struct buf preamble; /* settings before the first definition */
    struct buf watchers; /* event triggers, which would fire for what is still to come */
    char *tablespace;    /* the last SET of each, as it stands when the parts divide */
    char *access_method;
    bool defining;  /* the first definition was seen */
    bool following; /* in the second part */
};

static void append_statement(struct buf *script, const char *text)
{
    buf_append_text(script, text);
    buf_append_text(script, ";\n\n");
}

static bool is_setting(const char *text)
{
    return text_starts(text, "SET ") || text_starts(text, "SELECT pg_catalog.set_config(");
}

static void keep(char **slot, const char *text)
{
    free(*slot);
    *slot = mem_string(text);
}

static void note_tablespace(struct splitter *splitter, const char *text)
{
    keep(&splitter->tablespace, text);
    SCOPED(string) char *name = NULL;
    struct text_list *noted = &splitter->ddl->tablespaces;
    if (words_tablespace(text, &name) && !text_list_has(noted, name))
        text_list_add(noted, name);
}

static void begin_following(struct splitter *splitter)
{
    splitter->following = true;
    struct buf *post = &splitter->ddl->post;
    buf_append(post, splitter->preamble.data, splitter->preamble.length);
    if (splitter->tablespace)
        append_statement(post, splitter->tablespace);
    if (splitter->access_method)
        append_statement(post, splitter->access_method);
}

static bool is_left_out(const struct postgres_tables *tables, const char *schema, const char *name)
{
    for (size_t i = 0; i < tables->count; i++)
        if (tables->items[i].left_out && strcmp(tables->items[i].name, name) == 0 &&
            text_equal(tables->items[i].schema, schema))
            return true;
    return false;
}

/* Does it refer from rows that are in the backup to rows that are not? */
static bool dangles(const struct splitter *splitter, const char *statement)
{
    SCOPED(string) char *schema = NULL;
    SCOPED(string) char *name = NULL;
    SCOPED(string) char *other_schema = NULL;
    SCOPED(string) char *other = NULL;
    struct words words = {statement};
    return words_post_kind(statement, &schema, &name) == POST_FOREIGN &&
           !is_left_out(splitter->tables, schema, name) && words_seek(&words, "REFERENCES") &&
           words_name(&words, &other_schema, &other) &&
           is_left_out(splitter->tables, other_schema, other) && !words_seek(&words, "NOT VALID");
}

/* The server takes no NOT VALID key of a partitioned table. */
static bool is_partitioned(const struct postgres_tables *tables, const char *statement)
{
    SCOPED(string) char *schema = NULL;
    SCOPED(string) char *name = NULL;
    words_post_kind(statement, &schema, &name);
    for (size_t i = 0; name && i < tables->count; i++)
        if (tables->items[i].partitioned && strcmp(tables->items[i].name, name) == 0 &&
            text_equal(tables->items[i].schema, schema))
            return true;
    return false;
}

static bool concerns_event_trigger(const char *statement)
{
    static const char *const beginnings[] = {"CREATE EVENT TRIGGER", "ALTER EVENT TRIGGER",
                                             "COMMENT ON EVENT TRIGGER"};
    for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
        if (text_starts(statement, beginnings[i]))
            return true;
    struct words words = {statement};
    return words_take(&words, "SECURITY LABEL") && words_seek(&words, "ON EVENT TRIGGER");
}

/* The first definition comes: what pg_dump has set so far holds for rows too, and this besides.
 * Amounts of money are written and read as a locale says, arrays with NULL as a setting does. */
static void begin_defining(struct splitter *splitter)
{
    static const char *const ours[] = {"SET lc_monetary = 'C'", "SET array_nulls = on",
                                       "SET default_transaction_read_only = off"};
    for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
        append_statement(&splitter->preamble, ours[i]);
        append_statement(&splitter->ddl->pre, ours[i]);
    }
    splitter->defining = true;
    splitter->ddl->head = splitter->ddl->pre.length;
}

static void take_setting(struct splitter *splitter, const char *text)
{
    bool tablespace = text_starts(text, "SET default_tablespace");
    bool access_method = text_starts(text, "SET default_table_access_method");
    /* These are of the definition that follows; a tablespace may have to be made before. */
    if (!splitter->defining && (tablespace || access_method))
        begin_defining(splitter);
    if (!splitter->defining)
        append_statement(&splitter->preamble, text);
    if (tablespace)
        note_tablespace(splitter, text);
    if (access_method)
        keep(&splitter->access_method, text);
}

static int take_statement(void *context, const struct statement *statement, struct error *err)
{
    (void)err;
    struct splitter *splitter = context;
    /* Newer than some servers that this is restored into, and of no use there. */
    if (text_starts(statement->text, "SET transaction_timeout"))
        return 0;
    if (is_setting(statement->text)) {
        take_setting(splitter, statement->text);
    } else {
        if (!splitter->defining)
            begin_defining(splitter);
        if (!splitter->following && words_post_kind(statement->text, NULL, NULL) != POST_NONE)
            begin_following(splitter);
    }
    if (splitter->following && dangles(splitter, statement->text) &&
        is_partitioned(splitter->tables, statement->text)) {
        log_warning("left out, as rows that it refers to are not in the backup: %.*s",
                    (int)statement->size, statement->text);
        return 0;
    }
    struct buf *part = splitter->following ? &splitter->ddl->post : &splitter->ddl->pre;
    if (splitter->following && concerns_event_trigger(statement->text))
        part = &splitter->watchers;
    if (splitter->following && dangles(splitter, statement->text)) {
        buf_append_text(part, statement->text);
        append_statement(part, " NOT VALID");
    } else {
        append_statement(part, statement->text);
    }
    return 0;
}

static struct statement_reader *splitter_reader(struct splitter *splitter)
{
    struct statement_options options = {.dialect = DB_POSTGRES, .name = "pg_dump"};
    struct statement_handler handler = {.statement = take_statement, .context = splitter};
    return statement_reader_new(&options, &handler);
}

static void splitter_clear(struct splitter *splitter)
{
    buf_clear(&splitter->preamble);
    buf_clear(&splitter->watchers);
    free(splitter->tablespace);
    free(splitter->access_method);
}

static int splitter_finish(struct splitter *splitter, struct statement_reader *reader,
                           struct error *err)
{
    if (statement_reader_finish(reader, err) < 0)
        return -1;
    if (!splitter->defining)
        begin_defining(splitter);
    if (!splitter->following)
        begin_following(splitter);
    buf_append(&splitter->ddl->post, splitter->watchers.data, splitter->watchers.length);
    return 0;
}

int postgres_ddl_split(const char *script, size_t size, const struct postgres_tables *tables,
                       struct postgres_ddl *ddl, struct error *err)
{
    struct splitter splitter = {
        .ddl = ddl, .tables = tables, .preamble = BUF_INIT, .watchers = BUF_INIT};
    SCOPED(statement_reader) struct statement_reader *reader = splitter_reader(&splitter);
    int result = statement_reader_push(reader, script, size, err);
    if (result == 0)
        result = splitter_finish(&splitter, reader, err);
    splitter_clear(&splitter);
    return result;
}

void postgres_ddl_clear(struct postgres_ddl *ddl)
{
    buf_clear(&ddl->pre);
    buf_clear(&ddl->post);
    text_list_clear(&ddl->tablespaces);
}

/* ---- running it ---- */

/* A line of a password file for whatever place the child connects to. */
static int password_file(const char *password, struct error *err)
{
    struct buf line = BUF_INIT;
    buf_append_text(&line, "*:*:*:*:");
    for (; *password; password++) {
        if (*password == ':' || *password == '\\')
            buf_append_char(&line, '\\');
        buf_append_char(&line, *password);
    }
    buf_append_char(&line, '\n');
    int fd = process_secret_file(line.data, line.length, err);
    mem_wipe(line.data, line.length);
    buf_clear(&line);
    return fd;
}

static void add_environment(const struct pq *pq, struct text_list *environment)
{
    static const char *const passed[] = {"HOME", "KRB5CCNAME", "PGPASSFILE", "PGSYSCONFDIR"};
    for (size_t i = 0; i < ARRAY_SIZE(passed); i++) {
        const char *value = getenv(passed[i]);
        bool ours = strcmp(passed[i], "PGPASSFILE") == 0 && *pq_password(pq);
        if (value && !ours)
            text_list_give(environment, mem_format("%s=%s", passed[i], value));
    }
    if (*pq_password(pq))
        text_list_add(environment, "PGPASSFILE=" PROCESS_SECRET_PATH);
    text_list_add(environment, "LC_ALL=C");
    text_list_add(environment, "PGAPPNAME=kedge");
    pq_environment(pq, environment);
}

/* The views have one of four names that are ours: no name of anybody else's is told. */
static void leave_out_ours(const struct postgres_tables *tables, struct text_list *list)
{
    if (tables->has_ours)
        text_list_add(list, "--exclude-schema=" POSTGRES_OWN_SCHEMA);
    for (size_t i = 0; i < tables->ours.count; i++)
        text_list_give(list, mem_format("--exclude-table=public.%s", tables->ours.items[i]));
}

/* pg_dump writes as its session reads. A role or database that has strings with escapes would make
 * the whole file's strings such; an amount of money is to be read under the locale that we set. It
 * takes a statement's time limit away, but not before its first statement. The option is only sent
 * where it is needed: poolers refuse it. */
static const char SESSION_SQL[] =
    "SELECT string_agg(format(' -c %s=%s', s.name, v.wanted), '') FROM (VALUES "
    "('standard_conforming_strings', 'on', true), ('lc_monetary', 'C', "
    "EXISTS (SELECT FROM pg_attribute WHERE atttypid IN (790, 791)) OR "
    "EXISTS (SELECT FROM pg_type WHERE typbasetype IN (790, 791))), ('statement_timeout', '0', "
    "(SELECT reset_val::bigint < 1000 FROM pg_settings WHERE name = 'statement_timeout'))) "
    "AS v (name, wanted, matters) "
    "JOIN pg_settings s ON s.name = v.name WHERE v.matters AND s.reset_val <> v.wanted";

static int add_session_options(struct pq *pq, struct text_list *environment, struct error *err)
{
    SCOPED(string) char *options = NULL;
    if (pq_query_text(pq, SESSION_SQL, &options, err) < 0)
        return error_prefix(err, "read the settings of the session");
    if (!options || !*options)
        return 0;
    for (size_t i = 0; i < environment->count; i++) {
        char **item = &environment->items[i];
        if (!text_starts(*item, "PGOPTIONS="))
            continue;
        char *joined = mem_format("%s%s", *item, options);
        free(*item);
        *item = joined;
        return 0;
    }
    text_list_give(environment, mem_format("PGOPTIONS=%s", options));
    return 0;
}

/* Rows are written in the database's own encoding, whatever one a role or the database has set for
 * its sessions: definitions too. */
static void add_arguments(const struct pq *pq, const char *snapshot, int64_t lock_timeout_ms,
                          struct text_list *list)
{
    static const char *const fixed[] = {
        "pg_dump", "--section=pre-data", "--section=post-data", "--no-blobs", "--no-password", NULL,
    };
    for (size_t i = 0; fixed[i]; i++)
        text_list_add(list, fixed[i]);
    text_list_give(list, mem_format("--snapshot=%s", snapshot));
    text_list_give(list, mem_format("--encoding=%s", pq_parameter_status(pq, "server_encoding")));
    if (lock_timeout_ms)
        text_list_give(list, mem_format("--lock-wait-timeout=%lld", (long long)lock_timeout_ms));
}

static int start_pg_dump(struct os *os, struct pq *pq, struct text_list *arguments,
                         struct process **ret_process, struct error *err)
{
    SCOPED(string) char *program = NULL;
    int major = pq_server_version(pq) / 10000;
    if (postgres_program_find(os, major, &program, err) < 0)
        return -1;
    int secret = *pq_password(pq) ? password_file(pq_password(pq), err) : 0;
    if (secret < 0)
        return -1;
    SCOPED(text_list) struct text_list environment = TEXT_LIST_INIT;
    add_environment(pq, &environment);
    if (add_session_options(pq, &environment, err) < 0) {
        if (secret > 0)
            close(secret);
        return -1;
    }
    struct process_options options = {.os = os,
                                      .program = program,
                                      .arguments = arguments,
                                      .environment = &environment,
                                      .secret = secret};
    int result = process_start(&options, ret_process, err);
    if (secret > 0)
        close(secret);
    return result;
}

static int read_output(struct process *process, struct statement_reader *reader, struct error *err)
{
    SCOPED(memory) void *piece = mem_alloc(64, 1024);
    size_t size = 0;
    int more;
    while ((more = process_read(process, piece, 64 * 1024, &size, err)) > 0)
        if (statement_reader_push(reader, piece, size, err) < 0)
            return -1;
    return more < 0 ? -1 : process_wait(process, err);
}

/* The line that tells why: the last ones only repeat the query. We hold the locks that it asks for,
 * so that it can only have waited behind somebody who waits for us. */
static int explain(struct process *process, struct error *err)
{
    const char *said = strstr(process_errors(process), "error: ");
    if (strstr(process_errors(process), "Query was: LOCK TABLE ") && err->code == ERROR_FAILED)
        return error_set(err, ERROR_CHANGED, "somebody waits for a table's lock");
    if (said && err && err->code == ERROR_FAILED)
        error_set(err, ERROR_SOURCE, "pg_dump: %.*s", (int)strcspn(said + 7, "\n"), said + 7);
    return -1;
}

/* It went well, but something is not as one would think. */
static void pass_warnings(struct process *process)
{
    static const char mark[] = "pg_dump: warning: ";
    const char *line = process_errors(process);
    while ((line = strstr(line, mark))) {
        line += sizeof mark - 1;
        log_warning("pg_dump: %.*s", (int)strcspn(line, "\n"), line);
    }
}

static int read_definitions(struct os *os, struct pq *pq, struct text_list *arguments,
                            const struct postgres_tables *tables, struct postgres_ddl *ddl,
                            struct error *err)
{
    SCOPED(process) struct process *process = NULL;
    if (start_pg_dump(os, pq, arguments, &process, err) < 0)
        return -1;
    struct splitter splitter = {
        .ddl = ddl, .tables = tables, .preamble = BUF_INIT, .watchers = BUF_INIT};
    SCOPED(statement_reader) struct statement_reader *reader = splitter_reader(&splitter);
    int result = read_output(process, reader, err);
    if (result == 0)
        pass_warnings(process);
    else
        explain(process, err);
    if (result == 0)
        result = splitter_finish(&splitter, reader, err);
    splitter_clear(&splitter);
    return result;
}

int postgres_ddl_read(struct os *os, struct pq *pq, const char *snapshot,
                      const struct postgres_tables *tables, int64_t lock_timeout_ms,
                      struct postgres_ddl *ddl, struct error *err)
{
    SCOPED(text_list) struct text_list arguments = TEXT_LIST_INIT;
    add_arguments(pq, snapshot, lock_timeout_ms, &arguments);
    text_list_add(&arguments, "--exclude-schema=" POSTGRES_KEPT_SCHEMA);
    leave_out_ours(tables, &arguments);
    return read_definitions(os, pq, &arguments, tables, ddl, err);
}

int postgres_ddl_read_own(struct os *os, struct pq *pq, const char *snapshot,
                          struct postgres_ddl *ddl, struct error *err)
{
    SCOPED(text_list) struct text_list arguments = TEXT_LIST_INIT;
    const struct postgres_tables none = {0};
    add_arguments(pq, snapshot, 0, &arguments);
    text_list_add(&arguments, "--schema=" POSTGRES_OWN_SCHEMA);
    return read_definitions(os, pq, &arguments, &none, ddl, err);
}
