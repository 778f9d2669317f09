#include "migrate/migrator_core.h"

#include "base/error.h"
#include "migrate/peer_beside.h"

static int plan_again(struct migrator *migrator, const struct migrate_request *request,
                      struct migrate_plan *plan, int64_t *ret_batch, struct error *err)
{
    SCOPED(history_rows) struct history_rows rows = HISTORY_ROWS_INIT;
    migrator->has_ahead = false;
    if (migrator_prepare(migrator, err) < 0 || history_read(&migrator->history, &rows, err) < 0)
        return -1;
    *ret_batch = history_last_batch(&rows) + 1;
    return migrate_plan_make(&migrator->set, &rows, request, plan, err);
}

int migrator_plan(struct migrator *migrator, const struct migrate_request *request,
                  struct migrate_plan *plan, struct error *err)
{
    SCOPED(history_rows) struct history_rows rows = HISTORY_ROWS_INIT;
    if (migrator_look(migrator, &rows, err) < 0 ||
        migrate_plan_make(&migrator->set, &rows, request, plan, err) < 0)
        return -1;
    bool first = rows.count == 0 && plan->count && plan->items[0].direction == MIGRATE_UP;
    return first && migrator->options.heeds_peers ? peer_beside_check(&migrator->history, err) : 0;
}

static int run_steps(struct migrator *migrator, const struct migrate_plan *plan,
                     struct migrate_lock *lock, int64_t batch, size_t *count, struct error *err)
{
    struct run run = migrator_run_of(migrator, batch);
    bool timeout_set = false;
    run.lock = lock;
    run.timeout_set = &timeout_set;
    for (size_t i = 0; i < plan->count; i++) {
        const struct migrate_step *step = &plan->items[i];
        int64_t duration_ms = 0;
        migrator_notify(migrator, MIGRATE_STARTING, step, NULL, 0);
        enum run_result result = run_step(&run, step, &duration_ms, err);
        /* Who has to decide something has not run anything. */
        migrator->left_part =
            result == RUN_FAILED && err->code != ERROR_STRANDED &&
            run_stepwise(migrator->db->ops->engine, step->migration, step->direction);
        if (result == RUN_FAILED)
            return -1;
        *count += result == RUN_DONE;
        migrator_notify(migrator, result == RUN_DONE ? MIGRATE_FINISHED : MIGRATE_SKIPPED, step,
                        NULL, duration_ms);
    }
    return 0;
}

static int run_plan(struct migrator *migrator, const struct migrate_plan *plan,
                    struct migrate_lock *lock, int64_t batch, size_t *count, struct error *err)
{
    if (plan->count > 1 && db_series_begin(migrator->db, err) < 0)
        return -1;
    int result = run_steps(migrator, plan, lock, batch, count, err);
    db_series_end(migrator->db);
    return result;
}

/* A backup takes its time: the lock has to be ours afterwards. */
static int prepare_way_back(struct migrator *migrator, const struct migrate_plan *plan,
                            struct migrate_lock *lock, struct error *err)
{
    const struct migrator_options *options = &migrator->options;
    migrator->backup_id[0] = '\0';
    if (!options->before || plan->items[0].direction != MIGRATE_UP)
        return 0;
    if (options->before(options->before_context, plan, migrator->backup_id, err) < 0)
        return -1;
    return migrate_lock_check(lock, err);
}

bool migrator_left_part(const struct migrator *migrator)
{
    return migrator->left_part;
}

/* Whoever has nothing to do waits for nobody. What there is to do is planned again under the
 * lock: another process may have done it. */
static int migrate(struct migrator *migrator, const struct migrate_request *request, size_t *count,
                   struct error *err)
{
    SCOPED(migrate_plan) struct migrate_plan first = MIGRATE_PLAN_INIT;
    SCOPED(migrate_plan) struct migrate_plan plan = MIGRATE_PLAN_INIT;
    SCOPED(migrate_lock) struct migrate_lock lock = MIGRATE_LOCK_INIT;
    int64_t batch = 0;
    if (migrator_plan(migrator, request, &first, err) < 0)
        return -1;
    if (first.count == 0)
        return 0;
    const struct run run = migrator_run_of(migrator, batch);
    if (run_check(&run, &first, err) < 0 || migrator_take_lock(migrator, &lock, err) < 0 ||
        plan_again(migrator, request, &plan, &batch, err) < 0)
        return -1;
    if (plan.count == 0)
        return 0;
    if (prepare_way_back(migrator, &plan, &lock, err) < 0)
        return -1;
    if (migrator_create_history(migrator, err) < 0)
        return -1;
    return run_plan(migrator, &plan, &lock, batch, count, err);
}

int migrator_run(struct migrator *migrator, const struct migrate_request *request,
                 size_t *ret_count, struct error *err)
{
    size_t count = 0;
    int result = migrate(migrator, request, &count, err);
    if (ret_count)
        *ret_count = count;
    return result;
}

int migrator_up(struct migrator *migrator, const char *version, size_t *ret_count,
                struct error *err)
{
    const struct migrate_request request = {.kind = MIGRATE_PLAN_UP, .version = version};
    return migrator_run(migrator, &request, ret_count, err);
}
