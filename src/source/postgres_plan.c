#include "source/postgres_plan.h"

#include "base/mem.h"
#include "base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* ---- tables ---- */

static size_t bucket_of(const struct plan *plan, const char *schema, const char *name)
{
    uint64_t seed = schema ? XXH3_64bits(schema, strlen(schema)) : 0;
    assert(plan->bucket_count > 0);
    return XXH3_64bits_withSeed(name, strlen(name), seed) % plan->bucket_count;
}

size_t plan_find_table(const struct plan *plan, const char *schema, const char *name)
{
    if (!plan->bucket_count)
        return PLAN_NO_TABLE;
    size_t i = plan->buckets[bucket_of(plan, schema, name)];
    while (i != PLAN_NO_TABLE &&
           !(strcmp(plan->tables[i].name, name) == 0 && text_equal(plan->tables[i].schema, schema)))
        i = plan->tables[i].next;
    return i;
}

static void put_into_bucket(struct plan *plan, size_t number)
{
    struct plan_table *table = &plan->tables[number];
    size_t *bucket = &plan->buckets[bucket_of(plan, table->schema, table->name)];
    table->next = *bucket;
    *bucket = number;
}

static void grow_buckets(struct plan *plan)
{
    plan->bucket_count = plan->bucket_count ? plan->bucket_count * 2 : 64;
    plan->buckets = mem_resize(plan->buckets, plan->bucket_count, sizeof *plan->buckets);
    for (size_t i = 0; i < plan->bucket_count; i++)
        plan->buckets[i] = PLAN_NO_TABLE;
    for (size_t i = 0; i < plan->table_count; i++)
        put_into_bucket(plan, i);
}

size_t plan_table(struct plan *plan, const char *schema, const char *name)
{
    size_t found = plan_find_table(plan, schema, name);
    if (found != PLAN_NO_TABLE)
        return found;
    if (plan->table_count == plan->bucket_count)
        grow_buckets(plan);
    ARRAY_GROW(plan->tables, plan->table_count, plan->table_capacity);
    plan->tables[plan->table_count] =
        (struct plan_table){.schema = mem_string(schema), .name = mem_string(name)};
    put_into_bucket(plan, plan->table_count);
    return plan->table_count++;
}

/* ---- tasks ---- */

void plan_add(struct plan *plan, const struct plan_task *task)
{
    ARRAY_GROW(plan->tasks, plan->task_count, plan->task_capacity);
    plan->tasks[plan->task_count++] = *task;
    plan->left[task->kind]++;
    struct plan_table *table = task->table == PLAN_NO_TABLE ? NULL : &plan->tables[task->table];
    assert(table || (task->kind != TASK_DATA && task->kind != TASK_INDEX));
    if (task->kind == TASK_DATA) {
        table->frames_left++;
        table->bytes += task->cost;
        table->bytes_left += task->cost;
    } else if (task->kind == TASK_INDEX) {
        table->indexes_left++;
    }
}

#define BTREE_EFFORT 25
#define FOREIGN_EFFORT 10
/* One session's work that begins when the last of its tables is complete: while it runs there
 * should be something left for the others, so it goes before what is as dear and waits for less. */
#define REFRESH_WEIGHT 2

/* Measured on a mixed database, in bytes of rows that could be loaded meanwhile: a view reads all
 * its tables once. */
static uint64_t cost_of(const struct plan *plan, const struct plan_task *task)
{
    uint64_t cost = 0;
    if (task->kind == TASK_INDEX)
        return plan->tables[task->table].bytes / 100 * (task->effort ? task->effort : BTREE_EFFORT);
    if (task->kind == TASK_FOREIGN)
        return plan->tables[task->table].bytes / 100 * FOREIGN_EFFORT;
    if (task->kind != TASK_REFRESH)
        return task->cost;
    for (size_t i = 0; i < task->need_count; i++)
        cost += plan->tables[task->needs[i]].bytes;
    return cost / 3;
}

void plan_ready(struct plan *plan)
{
    plan->waiting = mem_resize(plan->waiting, plan->task_count, sizeof *plan->waiting);
    plan->waiting_count = plan->task_count;
    for (size_t i = 0; i < plan->task_count; i++) {
        struct plan_task *task = &plan->tasks[i];
        plan->waiting[i] = i;
        task->cost = cost_of(plan, task);
        if (task->kind == TASK_INDEX)
            plan->tables[task->table].tail += task->cost;
        for (size_t n = 0; task->kind == TASK_REFRESH && n < task->need_count; n++)
            plan->tables[task->needs[n]].tail += REFRESH_WEIGHT * task->cost;
    }
}

/* ---- what may start ---- */

static bool is_filling(enum task_kind kind)
{
    return kind == TASK_DATA || kind == TASK_LARGE || kind == TASK_INDEX;
}

static bool all_done(const struct plan *plan, bool (*among)(enum task_kind kind))
{
    for (enum task_kind kind = 0; kind < TASK_KINDS; kind++)
        if (plan->left[kind] && among(kind))
            return false;
    return true;
}

static bool is_before_foreign(enum task_kind kind)
{
    return is_filling(kind) || kind == TASK_BEFORE;
}

static bool is_not_after(enum task_kind kind)
{
    return kind != TASK_AFTER;
}

static bool table_is_free(const struct plan *plan, size_t number, bool exclusive)
{
    const struct plan_table *table = &plan->tables[number];
    return !table->locked && (!exclusive || table->sharing == 0);
}

static bool needs_are_met(const struct plan *plan, const struct plan_task *task)
{
    for (size_t i = 0; i < task->need_count; i++) {
        const struct plan_table *table = &plan->tables[task->needs[i]];
        if (table->frames_left || table->indexes_left)
            return false;
    }
    return true;
}

/* A foreign key between tables that have their rows and keys need not wait for the statements
 * before it, which may concern other tables (attached partitions, which have no rows of their own,
 * do). */
static bool is_whole(const struct plan *plan, size_t number)
{
    const struct plan_table *table = &plan->tables[number];
    return table->bytes && !table->frames_left && !table->indexes_left;
}

struct barriers {
    bool filled;  /* rows, large objects and indexes are there */
    bool keyed;   /* and what precedes the foreign keys */
    bool settled; /* everything but the rest */
};

static bool may_be_keyed(const struct plan *plan, const struct plan_task *task,
                         const struct barriers *barriers)
{
    if (!table_is_free(plan, task->table, true) || !table_is_free(plan, task->other, true))
        return false;
    /* Both lock two tables: beside each other they could wait for each other for ever. */
    return barriers->keyed || (is_whole(plan, task->table) && is_whole(plan, task->other) &&
                               !plan->running[TASK_BEFORE]);
}

/* Some rows have not been tried yet. */
static bool any_untried(const struct plan *plan)
{
    for (size_t i = 0; i < plan->waiting_count; i++) {
        const struct plan_task *task = &plan->tasks[plan->waiting[i]];
        if (task->kind == TASK_DATA && !task->again)
            return true;
    }
    return false;
}

static bool may_load_again(const struct plan *plan, const struct plan_task *task)
{
    return plan->loaded > task->started && !any_untried(plan);
}

static bool may_start(const struct plan *plan, const struct plan_task *task,
                      const struct barriers *barriers)
{
    switch (task->kind) {
    case TASK_DATA:
        return table_is_free(plan, task->table, false) &&
               (!task->again || may_load_again(plan, task));
    case TASK_LARGE:
        return true;
    case TASK_INDEX:
        return plan->tables[task->table].frames_left == 0 &&
               table_is_free(plan, task->table, task->exclusive);
    case TASK_REFRESH:
        return needs_are_met(plan, task);
    case TASK_BEFORE:
        return barriers->filled && !plan->running[TASK_FOREIGN];
    case TASK_FOREIGN:
        return may_be_keyed(plan, task, barriers);
    case TASK_AFTER:
        return barriers->settled;
    }
    return false;
}

/* How far it is from the end of this task to the end of all. */
static uint64_t weight(const struct plan *plan, const struct plan_task *task)
{
    if (task->kind == TASK_DATA) {
        const struct plan_table *table = &plan->tables[task->table];
        return table->bytes_left + table->tail;
    }
    if (task->kind == TASK_INDEX)
        return plan->tables[task->table].tail;
    if (task->kind == TASK_REFRESH)
        return REFRESH_WEIGHT * task->cost;
    return task->cost;
}

/* Where in the list of those that wait the best is; `waiting_count` when none can start. */
static size_t find_best(const struct plan *plan)
{
    struct barriers barriers = {.filled = all_done(plan, is_filling),
                                .keyed = all_done(plan, is_before_foreign),
                                .settled = all_done(plan, is_not_after)};
    size_t best = plan->waiting_count;
    uint64_t best_weight = 0;
    for (size_t i = 0; i < plan->waiting_count; i++) {
        const struct plan_task *task = &plan->tasks[plan->waiting[i]];
        if (!may_start(plan, task, &barriers))
            continue;
        uint64_t here = weight(plan, task);
        if (best == plan->waiting_count || here > best_weight) {
            best = i;
            best_weight = here;
        }
    }
    return best;
}

struct plan_task *plan_take(struct plan *plan)
{
    size_t at = find_best(plan);
    if (at == plan->waiting_count)
        return NULL;
    struct plan_task *best = &plan->tasks[plan->waiting[at]];
    plan->waiting_count--;
    memmove(&plan->waiting[at], &plan->waiting[at + 1],
            (plan->waiting_count - at) * sizeof *plan->waiting);
    plan->running[best->kind]++;
    best->started = plan->loaded;
    size_t touched[] = {best->table, best->kind == TASK_FOREIGN ? best->other : best->table};
    for (size_t i = 0; i < (touched[0] == touched[1] ? 1 : 2); i++) {
        if (touched[i] == PLAN_NO_TABLE)
            continue;
        plan->tables[touched[i]].sharing++;
        plan->tables[touched[i]].locked = best->exclusive || best->kind == TASK_FOREIGN;
    }
    return best;
}

static void let_go(struct plan *plan, const struct plan_task *task)
{
    plan->running[task->kind]--;
    size_t touched[] = {task->table, task->kind == TASK_FOREIGN ? task->other : task->table};
    for (size_t i = 0; i < (touched[0] == touched[1] ? 1 : 2); i++) {
        if (touched[i] == PLAN_NO_TABLE)
            continue;
        plan->tables[touched[i]].sharing--;
        plan->tables[touched[i]].locked = false;
    }
}

/* Is there a frame besides `task` that may be done yet? */
static bool any_hope(const struct plan *plan, const struct plan_task *task)
{
    if (plan->loaded > task->started || plan->running[TASK_DATA] > 1 || any_untried(plan))
        return true;
    for (size_t i = 0; i < plan->waiting_count; i++) {
        const struct plan_task *other = &plan->tasks[plan->waiting[i]];
        if (other->kind == TASK_DATA && plan->loaded > other->started)
            return true;
    }
    return false;
}

bool plan_put_back(struct plan *plan, struct plan_task *task)
{
    if (!any_hope(plan, task))
        return false;
    let_go(plan, task);
    task->again = true;
    plan->waiting[plan->waiting_count++] = (size_t)(task - plan->tasks);
    return true;
}

void plan_finish(struct plan *plan, struct plan_task *task)
{
    let_go(plan, task);
    plan->left[task->kind]--;
    if (task->kind == TASK_DATA) {
        plan->loaded++;
        plan->tables[task->table].frames_left--;
        plan->tables[task->table].bytes_left -= task->cost;
    } else if (task->kind == TASK_INDEX) {
        plan->tables[task->table].indexes_left--;
        plan->tables[task->table].tail -= task->cost;
    }
}

bool plan_complete(const struct plan *plan)
{
    for (enum task_kind kind = 0; kind < TASK_KINDS; kind++)
        if (plan->left[kind])
            return false;
    return true;
}

void plan_clear(struct plan *plan)
{
    for (size_t i = 0; i < plan->task_count; i++)
        free(plan->tasks[i].needs);
    for (size_t i = 0; i < plan->table_count; i++) {
        free(plan->tables[i].schema);
        free(plan->tables[i].name);
    }
    free(plan->tasks);
    free(plan->waiting);
    free(plan->tables);
    free(plan->buckets);
    *plan = PLAN_INIT;
}
