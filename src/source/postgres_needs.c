#include "source/postgres_needs.h"

#include "base/error.h"
#include "base/json_text.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/pq.h"
#include "source/source.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- roles, extensions and tablespaces ---- */

/* The names of `wanted` that `sql` does not list, joined by ", ". */
static int find_missing(struct pq *pq, const char *sql, const json_t *wanted, struct buf *missing,
                        struct error *err)
{
    SCOPED(pq_result) struct pq_result *there = NULL;
    if (pq_exec(pq, sql, &there, err) < 0)
        return -1;
    SCOPED(text_list) struct text_list names = TEXT_LIST_INIT;
    for (size_t i = 0; i < pq_rows(there); i++)
        text_list_add(&names, pq_value(there, i, 0));
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        SCOPED(string) char *name = json_text_value(json_array_get(wanted, i));
        if (name && !text_list_has(&names, name))
            buf_append_format(missing, "%s%s", missing->length ? ", " : "", name);
    }
    return 0;
}

enum need { NEED_ROLES, NEED_EXTENSIONS, NEED_TABLESPACES, NEED_COUNT };

static const struct {
    const char *what; /* also its key in the metadata */
    const char *there;
    const char *hint;
} needs[] = {
    [NEED_ROLES] = {"roles", "SELECT rolname FROM pg_roles",
                    "create them, or restore with --no-owner"},
    [NEED_EXTENSIONS] = {"extensions", "SELECT name FROM pg_available_extensions",
                         "install their packages on the database server"},
    [NEED_TABLESPACES] = {"tablespaces", "SELECT spcname FROM pg_tablespace",
                          "create them, or restore with --no-tablespaces"},
};

static bool is_needed(enum need need, const json_t *metadata, const struct load_options *options)
{
    if (need == NEED_EXTENSIONS)
        return true;
    /* Then the backup makes what is missing. */
    if (json_is_true(json_object_get(metadata, "with_roles")))
        return false;
    return need == NEED_ROLES ? !options->no_owner : !options->no_tablespaces;
}

static int check_need(struct pq *pq, enum need need, const json_t *metadata, struct error *err)
{
    SCOPED(buf) struct buf missing = BUF_INIT;
    const char *what = needs[need].what;
    if (find_missing(pq, needs[need].there, json_object_get(metadata, what), &missing, err) < 0)
        return -1;
    if (!missing.length)
        return 0;
    error_set(err, ERROR_RESTORE, "the server lacks %s that the backup needs: %s", what,
              missing.data);
    return error_hint(err, "%s", needs[need].hint);
}

/* All needs from `first` on. */
static int check_needs(struct pq *pq, enum need first, const struct load_options *options,
                       struct error *err)
{
    json_t *metadata = options->metadata ? json_loads(options->metadata, 0, NULL) : NULL;
    int result = 0;
    for (enum need need = first; result == 0 && need < NEED_COUNT; need++)
        if (is_needed(need, metadata, options))
            result = check_need(pq, need, metadata, err);
    json_decref(metadata);
    return result;
}

int postgres_needs_tablespaces(struct pq *pq, const struct load_options *options, struct error *err)
{
    return check_needs(pq, NEED_TABLESPACES, options, err);
}

int postgres_needs_server(struct pq *pq, const struct load_options *options, struct error *err)
{
    return check_needs(pq, NEED_ROLES, options, err);
}

/* ---- versions ---- */

/* "the backup is of PostgreSQL 17, and the server is PostgreSQL 15"; to be freed. NULL: the server
 * is as new, or the backup does not say. */
static char *older_server(const struct pq *pq, const struct load_options *options)
{
    const char *version = options->engine_version;
    long backup = version ? strtol(version, NULL, 10) : 0;
    long server = pq_server_version(pq) / 10000;
    if (backup <= server)
        return NULL;
    return mem_format("the backup is of PostgreSQL %ld, and the server is PostgreSQL %ld", backup,
                      server);
}

void postgres_needs_newer(const struct pq *pq, const struct load_options *options,
                          struct load_preview *preview)
{
    SCOPED(string) char *older = older_server(pq, options);
    if (!older)
        return;
    if (options->dry_run)
        text_list_give(&preview->conflicts,
                       mem_format("%s: it may refuse definitions that it does not know", older));
    else
        log_warning("%s: it may refuse definitions that it does not know", older);
}

int postgres_needs_explain(const struct pq *pq, const struct load_options *options,
                           struct error *err)
{
    SCOPED(string) char *older = pq ? older_server(pq, options) : NULL;
    if (!older || err->code == ERROR_INTERRUPTED)
        return -1;
    return error_hint(err, "%s, which may not know this yet: restore to a server as new%s%s", older,
                      err->hint[0] ? "; it says: " : "", err->hint);
}

/* ---- the swap ---- */

static int query_name(struct pq *pq, const char *sql, const char *name, char **ret_text,
                      struct error *err)
{
    struct pq_parameter parameter = {.data = name, .size = strlen(name)};
    SCOPED(pq_result) struct pq_result *row = NULL;
    if (pq_exec_parameters(pq, sql, &parameter, 1, false, &row, err) < 0)
        return -1;
    *ret_text = pq_rows(row) ? mem_string(pq_value(row, 0, 0)) : NULL;
    return 0;
}

/* Each names what would be cut off, or nothing. */
static const struct {
    const char *sql;
    const char *what;
    const char *cure;
    bool forced; /* --force goes on; else the server itself would not rename the database */
} obstacles[] = {
    {"SELECT string_agg(slot_name, ', ') FROM pg_replication_slots WHERE database = $1",
     "logical replication slots", "drop them", true},
    {"SELECT string_agg(subname, ', ') FROM pg_subscription WHERE subdbid = "
     "(SELECT oid FROM pg_database WHERE datname = $1)",
     "subscriptions", "drop them", true},
    {"SELECT string_agg(gid, ', ') FROM pg_prepared_xacts WHERE database = $1",
     "prepared transactions", "commit or roll them back", false},
};

static int check_obstacles(struct pq *pq, const char *live, const struct load_options *options,
                           struct load_preview *preview, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(obstacles); i++) {
        SCOPED(string) char *names = NULL;
        if (query_name(pq, obstacles[i].sql, live, &names, err) < 0)
            return -1;
        if (!names)
            continue;
        if (!options->force || !obstacles[i].forced) {
            error_set(err, ERROR_RESTORE, "database %s has %s: %s", live, obstacles[i].what, names);
            return error_hint(err, "%s first%s", obstacles[i].cure,
                              obstacles[i].forced ? ", or give --force" : "");
        }
        text_list_give(&preview->conflicts,
                       mem_format("%s stay with the old copy: %s", obstacles[i].what, names));
    }
    return 0;
}

static int note_sessions(struct pq *pq, const char *live, struct load_preview *preview,
                         struct error *err)
{
    SCOPED(string) char *sessions = NULL;
    if (query_name(pq,
                   "SELECT nullif(count(*), 0) FROM pg_stat_activity WHERE datname = $1 "
                   "AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
                   live, &sessions, err) < 0)
        return -1;
    if (sessions)
        text_list_give(&preview->conflicts,
                       mem_format("%s other session%s in it will be ended", sessions,
                                  strcmp(sessions, "1") == 0 ? "" : "s"));
    return 0;
}

static int check_rights(struct pq *pq, const char *live, struct error *err)
{
    SCOPED(string) char *lacking = NULL;
    if (query_name(pq,
                   "SELECT CASE WHEN rolsuper THEN NULL WHEN NOT rolcreatedb THEN 'CREATEDB' "
                   "WHEN EXISTS (SELECT FROM pg_database WHERE datname = $1 "
                   "AND NOT pg_has_role(datdba, 'USAGE')) THEN 'ownership of the database' END "
                   "FROM pg_roles WHERE rolname = current_user",
                   live, &lacking, err) < 0)
        return -1;
    if (!lacking)
        return 0;
    error_set(err, ERROR_RESTORE, "the role lacks %s to replace database %s", lacking, live);
    return error_hint(err, "restore as the database's owner with CREATEDB, or as a superuser");
}

/* A pooler answers with a number of its own, and keeps sessions in databases that are to be renamed
 * or removed. */
static int refuse_pooler(struct pq *pq, struct error *err)
{
    int64_t pid = 0;
    if (pq_query_integer(pq, "SELECT pg_backend_pid()", &pid, err) < 0)
        return -1;
    if (pid == pq_backend_pid(pq))
        return 0;
    error_set(err, ERROR_RESTORE, "a database cannot be replaced through a connection pooler");
    return error_hint(err, "give the address of the server itself; --table works through it too");
}

int postgres_needs_swap(struct pq *pq, const char *live, bool exists,
                        const struct load_options *options, struct load_preview *preview,
                        struct error *err)
{
    if (check_rights(pq, live, err) < 0)
        return -1;
    if (!exists)
        return 0;
    if (refuse_pooler(pq, err) < 0 || check_obstacles(pq, live, options, preview, err) < 0)
        return -1;
    return note_sessions(pq, live, preview, err);
}
