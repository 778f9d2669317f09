#include "migrate/verify.h"

#include "base/error.h"
#include "db/db.h"
#include "migrate/folder.h"
#include "migrate/migrator.h"
#include "migrate/reach.h"
#include "migrate/schema.h"
#include "migrate/scratch.h"

#include <string.h>

struct verifying {
    const struct verify_options *options;
    const char *table; /* of the history, in the scratch database */
    struct scratch *scratch;
    struct migrator *migrator;
    struct verify_counts counts;
};

static int open_migrator(struct verifying *verifying, struct error *err)
{
    const struct migrator_options options = {
        .folder = verifying->options->folder,
        .history_table = verifying->table,
        .owns_session = true,
    };
    return migrator_open(scratch_db(verifying->scratch), &options, &verifying->migrator, err);
}

static int read_now(struct verifying *verifying, struct schema *schema, struct error *err)
{
    return schema_read(scratch_db(verifying->scratch), verifying->table, schema, err);
}

static int run(struct verifying *verifying, const struct migration *migration, bool up,
               struct error *err)
{
    const struct migrate_request request = {
        .kind = up ? MIGRATE_PLAN_ONE_UP : MIGRATE_PLAN_DOWN_STEPS,
        .version = up ? migration->version : NULL,
        .steps = 1,
    };
    return migrator_run(verifying->migrator, &request, NULL, err);
}

/* After a bad one: the way there again, without going back and forth. */
static int start_over(struct verifying *verifying, const char *version, struct error *err)
{
    migrator_close(STEAL(verifying->migrator));
    if (scratch_empty(verifying->scratch, err) < 0 || open_migrator(verifying, err) < 0)
        return -1;
    return migrator_up(verifying->migrator, version, NULL, err);
}

static void tell(struct verifying *verifying, const struct migration *migration,
                 enum verify_outcome outcome, const char *message, const struct text_list *lines)
{
    static const struct text_list none = TEXT_LIST_INIT;
    const struct verify_result result = {
        .version = migration->version,
        .name = migration->name,
        .outcome = outcome,
        .message = message,
        .lines = lines ? lines : &none,
    };
    verifying->counts.of[outcome]++;
    verifying->options->notify(verifying->options->context, &result);
}

/* What the migration itself did wrong is a result; being interrupted or cut off is not. */
static int tell_failure(struct verifying *verifying, const struct migration *migration,
                        const char *when, struct error *err)
{
    bool lost = scratch_db(verifying->scratch)->fault.connection_lost;
    if (err->code == ERROR_INTERRUPTED || lost)
        return -1;
    error_prefix(err, "%s", when);
    tell(verifying, migration, VERIFY_FAILED, err->message, NULL);
    error_clear(err);
    return 0;
}

/* ---- one migration ---- */

struct snapshots {
    struct schema before; /* Up */
    struct schema up;
    struct schema down;
    struct schema again;
};

static void snapshots_clear(struct snapshots *snapshots)
{
    schema_clear(&snapshots->before);
    schema_clear(&snapshots->up);
    schema_clear(&snapshots->down);
    schema_clear(&snapshots->again);
}

/* Behind the first Up. */
static int back_and_forth(struct verifying *verifying, const struct migration *migration,
                          struct snapshots *snapshots, struct error *err)
{
    SCOPED(text_list) struct text_list lines = TEXT_LIST_INIT;
    if (read_now(verifying, &snapshots->up, err) < 0)
        return -1;
    if (run(verifying, migration, false, err) < 0)
        return tell_failure(verifying, migration, "Down", err) < 0
                   ? -1
                   : start_over(verifying, migration->version, err);
    if (read_now(verifying, &snapshots->down, err) < 0)
        return -1;
    if (schema_compare(&snapshots->before, &snapshots->down, &lines)) {
        tell(verifying, migration, VERIFY_DIFFERENT, NULL, &lines);
        return start_over(verifying, migration->version, err);
    }
    if (run(verifying, migration, true, err) < 0)
        return tell_failure(verifying, migration, "Up after Down", err) < 0
                   ? -1
                   : start_over(verifying, migration->version, err);
    if (read_now(verifying, &snapshots->again, err) < 0)
        return -1;
    bool same = schema_compare(&snapshots->up, &snapshots->again, &lines) == 0;
    tell(verifying, migration, same ? VERIFY_GOOD : VERIFY_AGAIN, NULL, &lines);
    return 0;
}

/* 1 to go on, 0 when nothing can follow, -1. */
static int verify_one(struct verifying *verifying, const struct migration *migration,
                      struct error *err)
{
    struct snapshots snapshots __attribute__((cleanup(snapshots_clear))) = {0};
    const char *wanted = verifying->options->version;
    bool tried = !wanted || migration_version_compare(wanted, migration->version) == 0;
    bool reversible = !migration->repeatable && migration_reversible(migration);
    if (tried && reversible && read_now(verifying, &snapshots.before, err) < 0)
        return -1;
    if (run(verifying, migration, true, err) < 0)
        return tell_failure(verifying, migration, "Up", err);
    if (tried && !reversible)
        tell(verifying, migration, VERIFY_NO_DOWN, NULL, NULL);
    if (tried && reversible && back_and_forth(verifying, migration, &snapshots, err) < 0)
        return -1;
    return !wanted || !tried;
}

/* ---- all ---- */

static int verify_all(struct verifying *verifying, const struct migration_set *set,
                      struct error *err)
{
    if (scratch_open(verifying->options->os, verifying->options->url, verifying->options->scratch,
                     &verifying->scratch, err) < 0 ||
        open_migrator(verifying, err) < 0)
        return -1;
    for (size_t i = 0; i < set->count; i++) {
        int more = verify_one(verifying, set->items[i], err);
        if (more <= 0)
            return more;
    }
    return 0;
}

/* Is the scratch database left behind, that is said, unless something worse is. */
static int finish(struct verifying *verifying, int result, struct error *err)
{
    struct error left = ERROR_INIT;
    migrator_close(STEAL(verifying->migrator));
    if (scratch_close(STEAL(verifying->scratch), &left) == 0)
        return result;
    if (result == 0)
        *err = left;
    return -1;
}

int migration_verify_run(const struct verify_options *options, struct verify_counts *ret_counts,
                         struct error *err)
{
    SCOPED(migration_set) struct migration_set set = {0};
    const char *table = options->history_table ? options->history_table : "schema_migrations";
    const char *dot = strrchr(table, '.');
    struct verifying verifying = {.options = options, .table = dot ? dot + 1 : table};
    if (migration_folder_read(options->folder, &set, NULL, err) < 0 ||
        migration_set_sort(&set, err) < 0)
        return -1;
    if (options->version && !migration_set_find(&set, options->version))
        return error_set(err, ERROR_NOT_FOUND, "there is no migration with the version %s",
                         options->version);
    if (!options->scratch && reach_check(options->os, options->url, &set, err) < 0)
        return -1;
    int result = finish(&verifying, verify_all(&verifying, &set, err), err);
    *ret_counts = verifying.counts;
    return result;
}
