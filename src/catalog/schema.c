#include "catalog/schema.h"

#include "base/error.h"
#include "base/os.h"
#include "base/stop.h"
#include "catalog/embedded.h"
#include "catalog/query.h"
#include "catalog/state.h"

#include <string.h>
#include <unistd.h>

/* Which of the embedded migrations the database knows; NULL rows of `missing` are applied. */
struct plan {
    struct catalog *catalog;
    const struct embedded_migration *missing[64];
    size_t count;
};

static bool is_ours(const struct catalog *catalog, const struct embedded_migration *migration)
{
    return strcmp(migration->dialect, catalog->dialect->name) == 0;
}

static int newer(const struct catalog *catalog, const char *version, struct error *err)
{
    error_set(err, ERROR_FAILED, "catalogue %s has schema %s, which this kedge (%s) does not know",
              catalog->name, version, KEDGE_VERSION);
    return error_hint(err, "a newer kedge made it: use that one, or a newer one, here too");
}

/* version, checksum of one applied migration: strike it off the list. */
static int strike_off(void *context, const struct db_value *columns, size_t count,
                      struct error *err)
{
    struct plan *plan = context;
    const char *version = columns[0].text;
    for (size_t i = 0; i < plan->count; i++) {
        const struct embedded_migration *migration = plan->missing[i];
        if (!migration || strcmp(migration->version, version) != 0)
            continue;
        if (columns[1].type == DB_TEXT && strcmp(migration->checksum, columns[1].text) != 0)
            return error_set(err, ERROR_FAILED,
                             "catalogue %s: Migration checksum mismatch for version %s",
                             plan->catalog->name, version);
        plan->missing[i] = NULL;
        return 0;
    }
    return newer(plan->catalog, version, err);
}

static int make_plan(struct catalog *catalog, struct plan *plan, struct error *err)
{
    *plan = (struct plan){.catalog = catalog};
    for (size_t i = 0; i < embedded_migration_count && plan->count < 64; i++)
        if (is_ours(catalog, &embedded_migrations[i]))
            plan->missing[plan->count++] = &embedded_migrations[i];
    int64_t exists = 0;
    if (db_query_integer(catalog->db, catalog->dialect->history_exists, NULL, 0, &exists, err) < 0)
        return -1;
    if (!exists)
        return 0;
    /* The first row of a dialect is that table itself. */
    plan->missing[0] = NULL;
    return db_query(catalog->db,
                    "SELECT version, checksum FROM schema_migrations WHERE status = 'applied'",
                    NULL, 0, strike_off, plan, err);
}

static bool plan_is_empty(const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->missing[i])
            return false;
    return true;
}

/* The Up half of a file. Its statements end with a semicolon at the end of a line, and no line
 * within one does. */
static int run_statements(struct db *db, const char *text, int64_t *ret_count, struct error *err)
{
    const char *down = strstr(text, "-- +migrate Down");
    const char *end = down ? down : text + strlen(text);
    while (text < end) {
        const char *stop = strstr(text, ";\n");
        if (!stop || stop > end)
            return 0;
        SCOPED(string) char *statement = mem_string_n(text, (size_t)(stop - text));
        if (db_execute(db, statement, NULL, 0, NULL, err) < 0)
            return -1;
        ++*ret_count;
        text = stop + 2;
    }
    return 0;
}

static int record(struct catalog *catalog, const struct embedded_migration *migration,
                  int64_t start_ns, int64_t statements, struct error *err)
{
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    int64_t now_ns = catalog->os->clock_wall_ns(catalog->os);
    SCOPED(query) struct query query;
    query_init(&query, catalog,
               "INSERT INTO schema_migrations (version, name, status, batch, checksum, applied_at, "
               "execution_time_ms, statements_total, statements_done, applied_by, applied_from, "
               "created_at, updated_at) "
               "VALUES (?, ?, 'applied', 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query_text(&query, migration->version);
    query_text(&query, migration->name);
    query_text(&query, migration->checksum);
    query_time(&query, now_ns);
    query_integer(&query, (catalog->os->clock_monotonic_ns(catalog->os) - start_ns) / 1000000);
    query_integer(&query, statements);
    query_integer(&query, statements);
    query_text(&query, "kedge " KEDGE_VERSION);
    query_text(&query, host);
    query_time(&query, now_ns);
    query_time(&query, now_ns);
    return query_run(&query, NULL, err);
}

static int apply(struct catalog *catalog, const struct embedded_migration *migration,
                 struct error *err)
{
    int64_t start_ns = catalog->os->clock_monotonic_ns(catalog->os);
    int64_t statements = 0;
    if (stop_check(err) < 0)
        return -1;
    if (run_statements(catalog->db, migration->text, &statements, err) < 0 ||
        (migration->version[0] && record(catalog, migration, start_ns, statements, err) < 0))
        return error_prefix(err, "catalogue %s: migration %s_%s", catalog->name, migration->version,
                            migration->name);
    return 0;
}

/* Under the lock the list is made again: another process may have done it meanwhile. */
static int apply_missing(struct catalog *catalog, struct error *err)
{
    struct plan plan;
    if (make_plan(catalog, &plan, err) < 0)
        return -1;
    for (size_t i = 0; i < plan.count; i++)
        if (plan.missing[i] && apply(catalog, plan.missing[i], err) < 0)
            return -1;
    return 0;
}

int schema_update(struct catalog *catalog, struct error *err)
{
    struct plan plan;
    if (make_plan(catalog, &plan, err) < 0)
        return -1;
    if (plan_is_empty(&plan))
        return 0;
    if (db_begin(catalog->db, true, err) < 0)
        return -1;
    if (apply_missing(catalog, err) < 0 || db_commit(catalog->db, err) < 0) {
        db_rollback(catalog->db, NULL);
        return -1;
    }
    return 0;
}
