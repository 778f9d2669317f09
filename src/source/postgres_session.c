#include "source/postgres_session.h"

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "db/pq.h"
#include "source/postgres_own.h"
#include "source/source.h"

#include <stdlib.h>
#include <string.h>

#define OLDEST_SERVER 100000
#define LISTINGS 10
#define TABLES_AT_ONCE 200
#define SETTING_TRIES 50
/* Once one session holds all locks, another can only wait for one behind somebody who waits for the
 * first: that never ends, and whoever it is wants to change the table. */
#define FOLLOWING_LOCK_TIMEOUT_MS 1000
/* A session that only holds something answers at once, or its server is gone. */
#define SIGN_OF_LIFE_MS 10000

/* ---- sessions ---- */

/* Each with the first version that knows it. */
static const struct {
    int since;
    const char *sql;
} settings[] = {
    {0, "SET statement_timeout = 0"},
    {0, "SET search_path = ''"},
    {0, "SET idle_in_transaction_session_timeout = 0"},
    {140000, "SET idle_session_timeout = 0"},
    {170000, "SET transaction_timeout = 0"},
    {0, "SET row_security = off"},
    {0, "SET DateStyle = ISO"},
    {0, "SET IntervalStyle = postgres"},
    {0, "SET TimeZone = 'UTC'"},
    {0, "SET lc_monetary = 'C'"},
    {0, "SET array_nulls = on"},
    {0, "SET extra_float_digits = 3"},
    {0, "SET bytea_output = hex"},
    {0, "SET xmloption = content"},
    {0, "SET standard_conforming_strings = on"},
    {0, "SET synchronize_seqscans = off"},
    {0, "SET client_min_messages = warning"},
    {0, "SET default_transaction_read_only = off"},
};

/* A role or database may give each statement so little time that not even this one is always over
 * in it. */
static int set_up(struct pq *pq, const char *sql, struct error *err)
{
    for (int tries = 1; pq_exec(pq, sql, NULL, err) < 0; tries++) {
        if (tries == SETTING_TRIES || strcmp(pq_fault(pq)->state, "57014") != 0 ||
            stop_check(err) < 0)
            return -1;
        error_clear(err);
    }
    return 0;
}

/* The database's own encoding: nothing is converted, so nothing can fail to convert. */
static int prepare(struct pq *pq, int64_t lock_timeout_ms, struct error *err)
{
    int version = pq_server_version(pq);
    if (version < OLDEST_SERVER)
        return error_set(err, ERROR_USAGE,
                         "PostgreSQL %d.%d is too old: 10 is the oldest supported", version / 10000,
                         version / 100 % 100);
    struct buf sql = BUF_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
        if (version >= settings[i].since)
            buf_append_format(&sql, "%s; ", settings[i].sql);
    buf_append_format(&sql, "SET lock_timeout = %lld; ", (long long)lock_timeout_ms);
    buf_append_text(&sql, "SELECT pg_catalog.set_config('client_encoding', "
                          "pg_catalog.current_setting('server_encoding'), false)");
    SCOPED(string) char *text = buf_steal(&sql);
    return set_up(pq, text, err);
}

int postgres_connect(struct os *os, const struct db_url *url, const char *database,
                     int64_t lock_timeout_ms, struct pq **ret_pq, struct error *err)
{
    struct pq_options options = {.os = os, .database = database, .encoding = POSTGRES_ANY_ENCODING};
    SCOPED(pq) struct pq *pq = NULL;
    if (pq_open(url, &options, &pq, err) < 0 || prepare(pq, lock_timeout_ms, err) < 0)
        return -1;
    *ret_pq = STEAL(pq);
    return 0;
}

/* An error other than a lost connection is an answer too: the transaction may have failed. */
int postgres_blame_holder(struct pq *holder, const char *what, struct error *err)
{
    if (!holder || err->code == ERROR_INTERRUPTED)
        return 0;
    if (pq_fault(holder)->connection_lost) {
        error_prefix(err, "the connection that holds %s was lost", what);
        return 1;
    }
    struct error cause = ERROR_INIT;
    pq_ignore_stop(holder);
    pq_set_timeout(holder, SIGN_OF_LIFE_MS);
    if (pq_exec(holder, "SELECT 1", NULL, &cause) == 0 ||
        (!pq_fault(holder)->connection_lost && cause.code != ERROR_TIMEOUT))
        return 0;
    bool told = *pq_fault(holder)->state != '\0';
    error_set(err, ERROR_SOURCE, "the connection that holds %s was %s: %s", what,
              told ? "closed by the server" : "lost", cause.message);
    return 1;
}

/* ---- locks ---- */

static int lock_tables(struct pq *pq, const struct postgres_tables *tables, struct error *err)
{
    for (size_t first = 0; first < tables->count; first += TABLES_AT_ONCE) {
        SCOPED(buf) struct buf sql = BUF_INIT;
        buf_append_text(&sql, "LOCK TABLE ");
        for (size_t i = first; i < tables->count && i < first + TABLES_AT_ONCE; i++)
            buf_append_format(&sql, "%sONLY %s", i > first ? ", " : "", tables->items[i].quoted);
        buf_append_text(&sql, " IN ACCESS SHARE MODE");
        if (pq_exec(pq, sql.data, NULL, err) < 0)
            return -1;
    }
    return 0;
}

/* All sessions share the server's one table of locks, and as shipped it holds some thousands: with
 * more, only the first session locks every table, and the others each when they read it. Then
 * somebody who waits for a table makes the dump fail instead of waiting. 1, 0, -1. */
static int locks_are_scarce(struct pq *pq, const struct postgres_tables *tables,
                            const struct dump_options *options, struct error *err)
{
    int64_t room = 0;
    if (pq_query_integer(pq,
                         "SELECT current_setting('max_locks_per_transaction')::bigint * "
                         "(current_setting('max_connections')::bigint + "
                         "current_setting('max_prepared_transactions')::bigint)",
                         &room, err) < 0)
        return -1;
    int64_t sessions = (options->jobs < 1 ? 1 : options->jobs) + 3;
    return (int64_t)tables->count * sessions > room;
}

static int lock_again(struct pq *pq, const struct postgres_tables *tables,
                      const struct dump_options *options, struct error *err)
{
    int scarce = locks_are_scarce(pq, tables, options, err);
    return scarce < 0 ? -1 : scarce ? 0 : lock_tables(pq, tables, err);
}

/* The server does not say on which table it waited: look who holds or asks for all of one. */
static int name_the_blocker(struct pq *pq, struct error *err)
{
    SCOPED(pq_result) struct pq_result *blocker = NULL;
    struct error ignored = ERROR_INIT;
    if (pq_exec(pq, "ROLLBACK", NULL, &ignored) < 0 ||
        pq_exec(pq,
                "SELECT l.relation::regclass::text, l.pid FROM pg_locks l "
                "JOIN pg_class c ON c.oid = l.relation AND c.relkind IN ('r', 'p') "
                "WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' "
                "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
                "ORDER BY l.granted DESC LIMIT 1",
                &blocker, &ignored) < 0 ||
        pq_rows(blocker) == 0)
        return error_set(err, ERROR_TIMEOUT, "a table's lock did not come in time");
    error_set(err, ERROR_TIMEOUT,
              "the lock on table %s did not come in time: process %s of the server has it",
              pq_value(blocker, 0, 0), pq_value(blocker, 0, 1));
    return error_hint(err, "wait until that transaction has ended, or allow a longer wait");
}

/* 1 and what is locked, 0 a table has gone meanwhile, -1. */
static int list_and_lock(struct pq *pq, const struct dump_options *options,
                         struct postgres_tables *ret_tables, struct error *err)
{
    struct postgres_tables tables = {0};
    int result = pq_exec(pq, "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY", NULL, err);
    if (result == 0)
        result = postgres_tables_list(pq, options, false, &tables, err);
    if (result == 0)
        result = lock_tables(pq, &tables, err);
    if (result == 0) {
        *ret_tables = tables;
        return 1;
    }
    postgres_tables_clear(&tables);
    /* Gone, or about to be changed by somebody with whom we would wait for each other. */
    static const char *const passing[] = {"42P01", "3F000", "40P01"};
    if (pq_fault_among(pq, passing, ARRAY_SIZE(passing)))
        return 0;
    if (pq_fault(pq)->lock_timeout)
        return name_the_blocker(pq, err);
    return error_prefix(err, "lock the tables");
}

/* ---- the snapshot ---- */

void postgres_snapshot_close(struct postgres_snapshot *snapshot)
{
    pq_close(snapshot->locks);
    pq_close(snapshot->reader);
    free(snapshot->id);
    postgres_tables_clear(&snapshot->tables);
    *snapshot = POSTGRES_SNAPSHOT_INIT;
}

int64_t postgres_following_timeout_ms(const struct dump_options *options)
{
    bool shorter = options->max_wait_ms && options->max_wait_ms < FOLLOWING_LOCK_TIMEOUT_MS;
    return shorter ? options->max_wait_ms : FOLLOWING_LOCK_TIMEOUT_MS;
}

/* What is kedge's own in the database stays out, and nothing else may need it. */
static int find_ours(struct postgres_snapshot *snapshot, struct error *err)
{
    int present = postgres_own_present(snapshot->reader, err);
    if (present <= 0)
        return present;
    snapshot->tables.has_ours = true;
    if (postgres_own_views(snapshot->reader, &snapshot->tables.ours, err) < 0)
        return -1;
    return postgres_own_unreferenced(snapshot->reader, err);
}

static int begin_reading(struct pq *pq, struct error *err)
{
    return pq_exec(pq, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL, err);
}

int postgres_export_snapshot(struct pq *pq, char **ret_id, struct error *err)
{
    if (begin_reading(pq, err) < 0)
        return -1;
    return pq_query_text(pq, "SELECT pg_catalog.pg_export_snapshot()", ret_id, err) < 0 ? -1 : 0;
}

static int take_snapshot(struct postgres_snapshot *snapshot, const struct dump_options *options,
                         struct error *err)
{
    if (postgres_export_snapshot(snapshot->reader, &snapshot->id, err) < 0)
        return error_prefix(err, "export a snapshot");
    if (postgres_tables_list(snapshot->reader, options, true, &snapshot->tables, err) < 0 ||
        postgres_tables_check(snapshot->reader, &snapshot->tables, options, err) < 0)
        return -1;
    return find_ours(snapshot, err);
}

/* What was created, changed or dropped between the listing and the snapshot was not locked when
 * the snapshot was taken: 1 taken and locked, 0 something changed on the way, -1. */
static int lock_and_take(struct postgres_snapshot *snapshot, const struct dump_options *options,
                         struct error *err)
{
    struct postgres_tables locked = {0};
    int result = list_and_lock(snapshot->locks, options, &locked, err);
    if (result > 0 && take_snapshot(snapshot, options, err) < 0)
        result = pq_fault(snapshot->reader)->lock_timeout ? 0 : -1;
    if (result > 0 && !postgres_tables_equal(&locked, &snapshot->tables))
        result = 0;
    if (result > 0 && lock_again(snapshot->reader, &snapshot->tables, options, err) < 0)
        result = pq_fault(snapshot->reader)->lock_timeout ? 0 : -1;
    postgres_tables_clear(&locked);
    return result;
}

static int go_back(struct postgres_snapshot *snapshot, struct error *err)
{
    if (pq_exec(snapshot->locks, "ROLLBACK", NULL, err) < 0 ||
        pq_exec(snapshot->reader, "ROLLBACK", NULL, err) < 0)
        return -1;
    free(STEAL(snapshot->id));
    postgres_tables_clear(&snapshot->tables);
    return 0;
}

static int try_snapshot(struct postgres_snapshot *snapshot, const struct db_url *url,
                        const struct dump_options *options, struct error *err)
{
    if (postgres_connect(options->os, url, NULL, options->max_wait_ms, &snapshot->locks, err) < 0 ||
        postgres_connect(options->os, url, NULL, postgres_following_timeout_ms(options),
                         &snapshot->reader, err) < 0)
        return -1;
    for (int left = LISTINGS;; left--) {
        int taken = lock_and_take(snapshot, options, err);
        if (taken != 0 || left == 1)
            return taken;
        log_debug("tables changed while they were locked: listing them again");
        error_clear(err);
        if (go_back(snapshot, err) < 0)
            return -1;
    }
}

int postgres_snapshot_open(const struct db_url *url, const struct dump_options *options,
                           struct postgres_snapshot *ret_snapshot, struct error *err)
{
    struct postgres_snapshot snapshot = POSTGRES_SNAPSHOT_INIT;
    int taken = try_snapshot(&snapshot, url, options, err);
    if (taken > 0)
        *ret_snapshot = snapshot;
    else
        postgres_snapshot_close(&snapshot);
    return taken;
}

int postgres_snapshot_join(const struct postgres_snapshot *snapshot, const struct db_url *url,
                           const struct dump_options *options, struct pq **ret_pq,
                           struct error *err)
{
    SCOPED(pq) struct pq *pq = NULL;
    if (postgres_connect(options->os, url, NULL, postgres_following_timeout_ms(options), &pq, err) <
        0)
        return -1;
    if (begin_reading(pq, err) < 0 ||
        pq_exec_format(pq, err, "SET TRANSACTION SNAPSHOT '%s'", snapshot->id) < 0)
        return error_prefix(err, "join the snapshot");
    if (lock_again(pq, &snapshot->tables, options, err) < 0)
        return pq_fault(pq)->lock_timeout
                   ? error_set(err, ERROR_CHANGED, "schema changed during the dump")
                   : error_prefix(err, "lock the tables");
    *ret_pq = STEAL(pq);
    return 0;
}

int postgres_snapshot_blame(struct postgres_snapshot *snapshot, struct error *err)
{
    if (!snapshot->lost)
        snapshot->lost = postgres_blame_holder(snapshot->reader, "the snapshot", err) ||
                         postgres_blame_holder(snapshot->locks, "the locks", err);
    return snapshot->lost;
}

int postgres_snapshot_is_awaited(const struct postgres_snapshot *snapshot, char **ret_who,
                                 struct error *err)
{
    return pq_query_text(snapshot->locks,
                         "SELECT format('process %s waits for a lock on table %s', pid, "
                         "relation::regclass) FROM pg_locks WHERE NOT granted "
                         "AND locktype = 'relation' "
                         "AND pg_backend_pid() = ANY (pg_blocking_pids(pid)) ORDER BY pid LIMIT 1",
                         ret_who, err);
}
