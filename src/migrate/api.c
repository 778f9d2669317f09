/*
 * libkedge's migrations: include/kedge/migrate.h over migrate/migrator.h.
 */
#include <kedge/migrate.h>

#include "base/error.h"
#include "base/os.h"
#include "db/db.h"
#include "migrate/folder.h"
#include "migrate/migrator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kedge_database {
    struct db *db;
};

/* A registered pair, as the migrator below knows it. */
struct registered {
    struct kedge_migration migration;
    struct kedge_database *database;
    struct registered *next;
};

struct kedge_migrator {
    struct migrator *migrator;
    struct kedge_database *database;
    struct registered *registered;
    char *path;
    struct migration_folder folder;
    char *history_table;
};

/* ---- errors ---- */

static enum kedge_error_code code_of(enum error_code code)
{
    switch (code) {
    case ERROR_USAGE:
        return KEDGE_USAGE;
    case ERROR_CORRUPT:
        return KEDGE_CHECKSUM;
    case ERROR_LOCKED:
        return KEDGE_LOCKED;
    case ERROR_STRANDED:
        return KEDGE_DECISION;
    case ERROR_INTERRUPTED:
        return KEDGE_INTERRUPTED;
    default:
        return KEDGE_FAILED;
    }
}

static int tell(struct kedge_error *out, const struct error *err)
{
    if (!out)
        return -1;
    *out = (struct kedge_error){.code = code_of(err->code)};
    snprintf(out->message, sizeof out->message, "%s", err->message);
    snprintf(out->hint, sizeof out->hint, "%s", err->hint);
    return -1;
}

static int answer(int result, struct kedge_error *out, const struct error *err)
{
    return result < 0 ? tell(out, err) : 0;
}

/* ---- databases ---- */

int kedge_database_open(const char *url, struct kedge_database **ret_database,
                        struct kedge_error *err)
{
    struct error why = ERROR_INIT;
    struct db *db = NULL;
    SCOPED(db_url) struct db_url parsed = DB_URL_INIT;
    const struct db_options options = {.os = os_real(), .create = true};
    if (db_url_parse(url, &parsed, &why) < 0 || db_open(&parsed, &options, &db, &why) < 0)
        return tell(err, &why);
    struct kedge_database *database = MEM_NEW(struct kedge_database);
    database->db = db;
    *ret_database = database;
    return 0;
}

void kedge_database_close(struct kedge_database *database)
{
    if (!database)
        return;
    db_close(database->db);
    free(database);
}

int kedge_database_execute(struct kedge_database *database, const char *sql,
                           struct kedge_error *err)
{
    struct error why = ERROR_INIT;
    return answer(db_execute(database->db, sql, NULL, 0, NULL, &why), err, &why);
}

/* ---- migrators ---- */

int kedge_migrator_open(struct kedge_database *database,
                        const struct kedge_migrator_options *options,
                        struct kedge_migrator **ret_migrator, struct kedge_error *err)
{
    struct error why = ERROR_INIT;
    const struct kedge_migrator_options none = {0};
    options = options ? options : &none;
    struct kedge_migrator *migrator = MEM_NEW(struct kedge_migrator);
    migrator->database = database;
    migrator->path = mem_string(options->folder);
    migrator->folder = (struct migration_folder){
        .os = database->db->os, .path = migrator->path, .dialect = database->db->ops->engine};
    migrator->history_table = mem_string(options->history_table);
    const struct migrator_options inner = {
        .folder = migrator->path ? &migrator->folder : NULL,
        .history_table = migrator->history_table,
        .wait_ms = options->wait_ms,
        .lock_timeout_ms = options->lock_timeout_ms,
        .owns_session = true,
    };
    if (migrator_open(database->db, &inner, &migrator->migrator, &why) < 0) {
        kedge_migrator_close(migrator);
        return tell(err, &why);
    }
    *ret_migrator = migrator;
    return 0;
}

void kedge_migrator_close(struct kedge_migrator *migrator)
{
    if (!migrator)
        return;
    migrator_close(migrator->migrator);
    while (migrator->registered) {
        struct registered *next = migrator->registered->next;
        free(migrator->registered);
        migrator->registered = next;
    }
    free(migrator->path);
    free(migrator->history_table);
    free(migrator);
}

static int run_function(const struct registered *registered, kedge_migration_fn *function,
                        struct error *err)
{
    struct kedge_error why = {.code = KEDGE_FAILED};
    if (function(registered->database, registered->migration.context, &why) == 0)
        return 0;
    why.message[sizeof why.message - 1] = '\0';
    why.hint[sizeof why.hint - 1] = '\0';
    error_set(err, ERROR_FAILED, "%s", *why.message ? why.message : "it said no more");
    return *why.hint ? error_hint(err, "%s", why.hint) : -1;
}

static int run_up(struct db *db, void *context, struct error *err)
{
    const struct registered *registered = context;
    (void)db;
    return run_function(registered, registered->migration.up, err);
}

static int run_down(struct db *db, void *context, struct error *err)
{
    const struct registered *registered = context;
    (void)db;
    return run_function(registered, registered->migration.down, err);
}

int kedge_migrator_register(struct kedge_migrator *migrator,
                            const struct kedge_migration *migration, struct kedge_error *err)
{
    struct error why = ERROR_INIT;
    struct registered *registered = MEM_NEW(struct registered);
    *registered = (struct registered){*migration, migrator->database, migrator->registered};
    migrator->registered = registered;
    return answer(migrator_register(migrator->migrator, migration->version, migration->name,
                                    migration->tag, migration->up ? run_up : NULL,
                                    migration->down ? run_down : NULL, registered, &why),
                  err, &why);
}

int kedge_migrator_register_sql(struct kedge_migrator *migrator, const char *version,
                                const char *name, const char *up, const char *down,
                                struct kedge_error *err)
{
    struct error why = ERROR_INIT;
    return answer(migrator_register_sql(migrator->migrator, version, name, up, down, &why), err,
                  &why);
}

int kedge_migrator_up(struct kedge_migrator *migrator, const char *version, size_t *ret_count,
                      struct kedge_error *err)
{
    struct error why = ERROR_INIT;
    return answer(migrator_up(migrator->migrator, version, ret_count, &why), err, &why);
}

int kedge_migrator_down(struct kedge_migrator *migrator, const char *version, size_t *ret_count,
                        struct kedge_error *err)
{
    struct error why = ERROR_INIT;
    const struct migrate_request request = {
        .kind = version ? MIGRATE_PLAN_DOWN_TO : MIGRATE_PLAN_DOWN_STEPS,
        .version = version,
        .steps = 1,
    };
    return answer(migrator_run(migrator->migrator, &request, ret_count, &why), err, &why);
}

int kedge_migrator_status(struct kedge_migrator *migrator, kedge_state_fn *visit, void *context,
                          struct kedge_error *err)
{
    struct error why = ERROR_INIT;
    SCOPED(migration_states) struct migration_states states = MIGRATION_STATES_INIT;
    if (migrator_status(migrator->migrator, &states, &why) < 0)
        return tell(err, &why);
    for (size_t i = 0; i < states.count; i++) {
        const struct migration_state *state = &states.items[i];
        const struct kedge_migration_state shown = {
            .version = state->version,
            .name = state->name,
            .status = history_status_name(state->status),
            .applied_at = state->row.applied_at,
            .batch = state->row.batch,
            .execution_time_ms = state->row.version ? state->row.execution_time_ms : -1,
            .missing = !state->migration,
            .changed = state->changed,
        };
        int result = visit(context, &shown);
        if (result)
            return result;
    }
    return 0;
}

int kedge_migrator_version(struct kedge_migrator *migrator, char ret_version[65],
                           struct kedge_error *err)
{
    struct error why = ERROR_INIT;
    SCOPED(string) char *version = NULL;
    if (migrator_version(migrator->migrator, &version, &why) < 0)
        return tell(err, &why);
    snprintf(ret_version, 65, "%s", version ? version : "");
    return 0;
}
