#include "migrate/plan.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

bool migrate_plan_changed(const struct migration *migration, const struct history_row *row)
{
    return row && row->status == HISTORY_APPLIED && row->checksum && *row->checksum &&
           *migration->checksum && strcmp(row->checksum, migration->checksum) != 0;
}

bool migrate_plan_done(const struct migration *migration, enum direction direction,
                       const struct history_row *row)
{
    bool applied = row && row->status == HISTORY_APPLIED;
    if (direction == MIGRATE_DOWN)
        return !applied;
    return applied && !(migration->repeatable && migrate_plan_changed(migration, row));
}

static int raise_mismatch(const struct migration *migration, const struct history_row *row,
                          struct error *err)
{
    SCOPED(string) char *place = migration_place(migration, MIGRATE_UP);
    error_set(err, ERROR_CORRUPT,
              "Migration checksum mismatch for version %s: %s has %s, applied was %s",
              migration->version, place, migration->checksum, row->checksum);
    return error_hint(err,
                      "put the file back as it was and make the change in a new migration, or "
                      "accept it with kedge migrate repair %s",
                      migration->version);
}

/* Nothing may have changed; *ret_newest is the index of the newest one that is applied. */
static int check_changed(const struct migration_set *set, const struct history_rows *rows,
                         size_t *ret_newest, struct error *err)
{
    size_t next = 0;
    *ret_newest = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct migration *migration = set->items[i];
        const struct history_row *row = history_rows_next(rows, migration->version, &next);
        if (migration->repeatable)
            continue;
        if (migrate_plan_changed(migration, row))
            return raise_mismatch(migration, row, err);
        if (migrate_plan_done(migration, MIGRATE_UP, row))
            *ret_newest = i;
    }
    return 0;
}

static struct migrate_step *add_step(struct migrate_plan *plan, const struct migration *migration,
                                     enum direction direction)
{
    ARRAY_GROW(plan->items, plan->count, plan->capacity);
    struct migrate_step *step = &plan->items[plan->count++];
    *step = (struct migrate_step){.migration = migration, .direction = direction};
    return step;
}

static int plan_up(const struct migration_set *set, const struct history_rows *rows,
                   const struct migrate_request *request, struct migrate_plan *plan,
                   struct error *err)
{
    const char *version = request->version;
    bool one = request->kind == MIGRATE_PLAN_ONE_UP;
    if (version && !migration_set_find(set, version))
        return error_set(err, ERROR_NOT_FOUND, "there is no migration with the version %s",
                         version);
    size_t newest = 0;
    size_t next = 0;
    if (check_changed(set, rows, &newest, err) < 0)
        return -1;
    for (size_t i = 0; i < set->count; i++) {
        const struct migration *migration = set->items[i];
        if (version && migration_version_compare(migration->version, version) > 0)
            break;
        bool wanted = !one || migration_version_compare(migration->version, version) == 0;
        const struct history_row *row = history_rows_next(rows, migration->version, &next);
        if (!wanted || migrate_plan_done(migration, MIGRATE_UP, row))
            continue;
        struct migrate_step *step = add_step(plan, migration, MIGRATE_UP);
        step->late = i < newest;
        step->recorded = row != NULL;
    }
    return 0;
}

static int compare_rows(const void *a, const void *b)
{
    const struct history_row *const *left = a;
    const struct history_row *const *right = b;
    return migration_version_compare((*right)->version, (*left)->version);
}

/* The applied rows, newest version first; *ret_count of them, to be freed. Repeatable ones are
 * undone only with everything, by forgetting that they ran. */
static const struct history_row **applied_rows(const struct history_rows *rows, bool repeatable,
                                               size_t *ret_count)
{
    const struct history_row **applied = mem_alloc(rows->count + 1, sizeof *applied);
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++)
        if (rows->items[i].status == HISTORY_APPLIED &&
            (repeatable || !migration_version_repeatable(rows->items[i].version)))
            applied[count++] = &rows->items[i];
    if (count > 1)
        qsort(applied, count, sizeof *applied, compare_rows);
    *ret_count = count;
    return applied;
}

static int64_t last_applied_batch(const struct history_row *const *applied, size_t count)
{
    int64_t last = 0;
    for (size_t i = 0; i < count; i++)
        if (applied[i]->batch > last)
            last = applied[i]->batch;
    return last;
}

static int add_down(const struct migration_set *set, const struct history_row *row,
                    struct migrate_plan *plan, struct error *err)
{
    const struct migration *migration = migration_set_find(set, row->version);
    if (!migration) {
        error_set(err, ERROR_FAILED, "version %s (%s) cannot be undone: its file is missing",
                  row->version, row->name);
        return error_hint(err,
                          "put the file back, or mark it with kedge migrate force %s --status "
                          "rollback",
                          row->version);
    }
    if (!migration->repeatable && migrate_plan_changed(migration, row))
        return raise_mismatch(migration, row, err);
    if (!migration_reversible(migration)) {
        SCOPED(string) char *place = migration_place(migration, MIGRATE_UP);
        error_set(err, ERROR_FAILED, "version %s cannot be undone: %s has no Down section",
                  row->version, place);
        return error_hint(err, "write a new migration that undoes it");
    }
    add_step(plan, migration, MIGRATE_DOWN)->recorded = true;
    return 0;
}

static int plan_down(const struct migration_set *set, const struct history_rows *rows,
                     const struct migrate_request *request, struct migrate_plan *plan,
                     struct error *err)
{
    size_t count = 0;
    bool all = request->kind == MIGRATE_PLAN_DOWN_ALL;
    SCOPED(memory) void *memory = applied_rows(rows, all, &count);
    const struct history_row **applied = memory;
    int64_t batch = last_applied_batch(applied, count);
    for (size_t i = 0; i < count; i++) {
        bool wanted = all;
        if (request->kind == MIGRATE_PLAN_DOWN_STEPS)
            wanted = i < request->steps;
        else if (request->kind == MIGRATE_PLAN_DOWN_BATCH)
            wanted = applied[i]->batch == batch;
        else if (request->kind == MIGRATE_PLAN_DOWN_TO)
            wanted = migration_version_compare(applied[i]->version, request->version) > 0;
        wanted = wanted && (migration_set_find(set, applied[i]->version) ||
                            !migration_version_repeatable(applied[i]->version));
        if (wanted && add_down(set, applied[i], plan, err) < 0)
            return -1;
    }
    return 0;
}

/* The version that stays applied has to be one that is. */
static int check_target(const struct migration_set *set, const struct history_rows *rows,
                        const char *version, struct error *err)
{
    const struct migration *migration = migration_set_find(set, version);
    const struct history_row *row =
        history_rows_find(rows, migration ? migration->version : version);
    if (row && row->status == HISTORY_APPLIED)
        return 0;
    return error_set(err, ERROR_NOT_FOUND, "version %s is not applied", version);
}

int migrate_plan_make(const struct migration_set *set, const struct history_rows *rows,
                      const struct migrate_request *request, struct migrate_plan *plan,
                      struct error *err)
{
    if (request->kind == MIGRATE_PLAN_UP || request->kind == MIGRATE_PLAN_ONE_UP)
        return plan_up(set, rows, request, plan, err);
    if (request->kind == MIGRATE_PLAN_DOWN_TO && check_target(set, rows, request->version, err) < 0)
        return -1;
    return plan_down(set, rows, request, plan, err);
}

void migrate_plan_clear(struct migrate_plan *plan)
{
    free(plan->items);
    *plan = MIGRATE_PLAN_INIT;
}
