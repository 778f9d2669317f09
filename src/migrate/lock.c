#include "migrate/lock.h"

#include "base/error.h"
#include "base/os.h"
#include "base/stop.h"
#include "crypto/sha256.h"
#include "db/db.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FIRST_PAUSE_MS 50
#define LONGEST_PAUSE_MS 250

/* The statements of an engine. Each takes the key as its only parameter. */
struct lock_sql {
    bool by_name; /* the key is a text */
    const char *take;
    const char *release;
    const char *holder;
    const char *session; /* the server's process, when a pooler may change it; NULL */
    const char *held;    /* how often session ?, which must be this one, has it; NULL where nothing
                            stands between */
    const char *guard;   /* the same, as an error when it is never */
};

#define HELD_BY_US                                                                                 \
    " FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 "                     \
    "AND pid = pg_backend_pid() AND pid = ? AND (classid::bigint << 32 | objid::bigint) = ?"

static const struct lock_sql engines[] = {
    [DB_POSTGRES] =
        {
            /* A session that has it already is one that a pooler gave to two of us. */
            .take = "SELECT CASE WHEN EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' "
                    "AND granted AND objsubid = 1 AND pid = pg_backend_pid() "
                    "AND (classid::bigint << 32 | objid::bigint) = key) THEN 0 "
                    "WHEN pg_try_advisory_lock(key) THEN 1 ELSE 0 END "
                    "FROM (SELECT CAST(? AS bigint) AS key) AS wanted",
            .release = "SELECT CASE WHEN pg_advisory_unlock(?) THEN 1 ELSE 0 END",
            .holder =
                "SELECT concat_ws(' ', 'process', l.pid, 'of', a.usename, "
                "'from ' || coalesce(host(a.client_addr), 'this machine'), '(' || "
                "nullif(a.application_name, '') || ')', "
                "'since ' || to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS')) "
                "FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid "
                "WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 "
                "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
                "AND (l.classid::bigint << 32 | l.objid::bigint) = ?",
            .session = "SELECT pg_backend_pid()",
            .held = "SELECT count(*)" HELD_BY_US,
            /* A division by zero is an error that any server raises and no setting turns off. */
            .guard = "SELECT 1 / count(*)" HELD_BY_US,
        },
    [DB_MYSQL] =
        {
            .by_name = true,
            .take = "SELECT GET_LOCK(?, 0)",
            .release = "SELECT RELEASE_LOCK(?)",
            .holder = "SELECT CONCAT('connection ', p.id, ' of ', p.user, ' from ', p.host) "
                      "FROM information_schema.processlist p WHERE p.id = IS_USED_LOCK(?)",
        },
};

static struct db_value lock_parameter(const struct migrate_lock *lock, const struct lock_sql *sql)
{
    return sql->by_name ? db_text(lock->name) : db_integer(lock->key);
}

static int ask(struct migrate_lock *lock, const char *text, int64_t *ret_answer, struct error *err)
{
    const struct lock_sql *sql = &engines[lock->db->ops->engine];
    const struct db_value parameter = lock_parameter(lock, sql);
    int found = db_query_integer(lock->db, text, &parameter, 1, ret_answer, err);
    return found < 0 ? -1 : 0;
}

/* MySQL's names hold for the whole server, so the database is part of it. */
static int name_lock(struct migrate_lock *lock, const char *table, struct error *err)
{
    uint8_t digest[SHA256_SIZE];
    SCOPED(string) char *database = NULL;
    const char *sql =
        lock->db->ops->engine == DB_MYSQL ? "SELECT DATABASE()" : "SELECT current_database()";
    if (db_query_text(lock->db, sql, NULL, 0, &database, err) < 0)
        return -1;
    SCOPED(string) char *text = mem_format("kedge migrate %s %s", database ? database : "", table);
    sha256_of(text, strlen(text), digest);
    memcpy(&lock->key, digest, sizeof lock->key);
    /* A positive key is shown by pg_locks as it was given. */
    lock->key &= INT64_MAX;
    snprintf(lock->name, sizeof lock->name, "kedge.migrate.%016" PRIx64, (uint64_t)lock->key);
    return 0;
}

static char *name_holder(struct migrate_lock *lock)
{
    const struct lock_sql *sql = &engines[lock->db->ops->engine];
    const struct db_value parameter = lock_parameter(lock, sql);
    char *holder = NULL;
    struct error ignored = ERROR_INIT;
    if (db_query_text(lock->db, sql->holder, &parameter, 1, &holder, &ignored) <= 0 || !holder)
        return mem_string("somebody else");
    return holder;
}

static int wait_for(struct migrate_lock *lock, const struct migrate_lock_options *options,
                    struct error *err)
{
    const struct lock_sql *sql = &engines[lock->db->ops->engine];
    struct os *os = lock->db->os;
    int64_t deadline_ns = os->clock_monotonic_ns(os) + options->wait_ms * 1000000;
    int64_t pause_ms = FIRST_PAUSE_MS;
    for (bool told = false;; told = true) {
        int64_t got = 0;
        if (stop_check(err) < 0 || ask(lock, sql->take, &got, err) < 0)
            return -1;
        if (got == 1)
            return 0;
        bool late = os->clock_monotonic_ns(os) >= deadline_ns;
        SCOPED(string) char *holder = late || !told ? name_holder(lock) : NULL;
        if (late)
            return error_set(err, ERROR_LOCKED,
                             "the migration lock was not free within %" PRId64
                             " s: it is held by %s",
                             options->wait_ms / 1000, holder);
        if (!told && options->on_wait)
            options->on_wait(options->context, holder);
        os->sleep_ms(os, pause_ms);
        pause_ms = pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
    }
}

int migrate_lock_lost(struct error *err)
{
    error_set(err, ERROR_FAILED,
              "the migration lock does not hold: a pooler gives the server's session to others "
              "between transactions");
    return error_hint(err, "connect to the server directly, or to a pool in session mode");
}

bool migrate_lock_guard(struct migrate_lock *lock, struct db_statement *ret_statement)
{
    const char *sql = lock->db ? engines[lock->db->ops->engine].guard : NULL;
    if (!sql)
        return false;
    lock->guard[0] = db_integer(lock->session);
    lock->guard[1] = db_integer(lock->key);
    *ret_statement = (struct db_statement){sql, strlen(sql), lock->guard, 2};
    return true;
}

int migrate_lock_check(struct migrate_lock *lock, struct error *err)
{
    const char *sql = lock->db ? engines[lock->db->ops->engine].held : NULL;
    const struct db_value parameters[] = {db_integer(lock->session), db_integer(lock->key)};
    int64_t held = 0;
    if (!sql)
        return 0;
    if (db_query_integer(lock->db, sql, parameters, 2, &held, err) < 0)
        return -1;
    return held > 0 ? 0 : migrate_lock_lost(err);
}

int migrate_lock_retake(struct migrate_lock *lock, struct error *err)
{
    const struct lock_sql *sql = lock->db ? &engines[lock->db->ops->engine] : NULL;
    const struct db_value parameters[] = {db_integer(lock->session), db_integer(lock->key)};
    int64_t held = 0;
    int64_t got = 0;
    if (!sql || !sql->held)
        return 0;
    if (db_query_integer(lock->db, sql->held, parameters, 2, &held, err) < 0 ||
        (!held && ask(lock, sql->take, &got, err) < 0))
        return -1;
    return held || got ? 0
                       : error_set(err, ERROR_LOCKED,
                                   "the migration let the migration lock go, and another process "
                                   "has it now");
}

int migrate_lock_take(struct migrate_lock *lock, struct db *db,
                      const struct migrate_lock_options *options, struct error *err)
{
    *lock = MIGRATE_LOCK_INIT;
    if (!(db->ops->capabilities & DB_ADVISORY_LOCKS))
        return filelock_take(&lock->file, db, options->wait_ms, err);
    struct migrate_lock taken = {.db = db, .file = FILELOCK_INIT};
    const struct lock_sql *sql = &engines[db->ops->engine];
    int shared = db->ops->is_shared ? db->ops->is_shared(db, err) : 0;
    if (shared != 0)
        return shared < 0 ? -1 : migrate_lock_lost(err);
    if (name_lock(&taken, options->name, err) < 0 || wait_for(&taken, options, err) < 0)
        return -1;
    *lock = taken;
    if (sql->session && db_query_integer(db, sql->session, NULL, 0, &lock->session, err) < 0)
        return -1;
    return migrate_lock_check(lock, err);
}

void migrate_lock_release(struct migrate_lock *lock)
{
    struct error ignored = ERROR_INIT;
    int64_t released = 0;
    if (lock->db)
        ask(lock, engines[lock->db->ops->engine].release, &released, &ignored);
    filelock_release(&lock->file);
    *lock = MIGRATE_LOCK_INIT;
}
