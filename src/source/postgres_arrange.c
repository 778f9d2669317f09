#include "source/postgres_arrange.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/segment.h"
#include "base/text.h"
#include "db/pq.h"
#include "source/postgres_large.h"
#include "source/postgres_later.h"
#include "source/postgres_plan.h"
#include "source/postgres_words.h"

#include <stdlib.h>
#include <string.h>

struct arranger {
    struct segment_source *segments;
    struct laters *later;
    struct plan *plan;
};

static void plan_frames(struct arranger *arranger)
{
    uint64_t large = 0;
    size_t count = arranger->segments->ops->count(arranger->segments);
    for (size_t i = 0; i < count; i++) {
        const struct segment_frame *frame = arranger->segments->ops->frame(arranger->segments, i);
        large += postgres_large_is_frame(frame) ? frame->size : 0;
        if (frame->section != SECTION_DATA)
            continue;
        struct plan_task task = {.kind = TASK_DATA, .frame = i, .cost = frame->size};
        task.table = plan_table(arranger->plan, frame->schema, frame->table ? frame->table : "");
        plan_add(arranger->plan, &task);
    }
    if (large) {
        struct plan_task task = {.kind = TASK_LARGE, .table = PLAN_NO_TABLE, .cost = large};
        plan_add(arranger->plan, &task);
    }
}

/* What making an index costs, in per cent of what loading its table does: as measured on texts and
 * numbers. */
static unsigned effort_of(const char *statement)
{
    static const struct {
        const char *method;
        unsigned effort;
    } efforts[] = {{"gin", 330}, {"gist", 200}, {"spgist", 100}, {"brin", 5}};
    struct words words = {statement};
    SCOPED(string) char *method = NULL;
    if (!words_seek(&words, "USING") || !words_name(&words, NULL, &method))
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(efforts); i++)
        if (strcmp(method, efforts[i].method) == 0)
            return efforts[i].effort;
    return 0;
}

/* ALTER TABLE locks out everyone, CREATE INDEX only writers. */
static void plan_index(struct arranger *arranger, size_t number)
{
    struct later *later = &arranger->later->items[number];
    struct plan_task task = {.kind = TASK_INDEX,
                             .table = plan_table(arranger->plan, later->schema, later->table),
                             .exclusive = text_starts(later->sql, "ALTER"),
                             .effort = effort_of(later->sql),
                             .statement = number};
    later->taken = true;
    plan_add(arranger->plan, &task);
}

static bool plan_foreign(struct arranger *arranger, size_t number)
{
    struct later *later = &arranger->later->items[number];
    struct words words = {later->sql};
    SCOPED(string) char *schema = NULL;
    SCOPED(string) char *name = NULL;
    if (!words_seek(&words, "REFERENCES") || !words_name(&words, &schema, &name))
        return false;
    struct plan_task task = {.kind = TASK_FOREIGN,
                             .table = plan_table(arranger->plan, later->schema, later->table),
                             .other = plan_table(arranger->plan, schema, name),
                             .exclusive = true,
                             .statement = number};
    later->taken = true;
    plan_add(arranger->plan, &task);
    return true;
}

/* What each materialised view reads, however far down. It must come late when that is another such
 * view, somebody else's table (the grants come late), or what only a function knows. */
static const char REACH_SQL[] =
    "WITH RECURSIVE edge AS (SELECT r.ev_class AS a, d.refobjid AS b FROM pg_rewrite r "
    "  JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid "
    "  AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class "
    "  UNION SELECT inhparent, inhrelid FROM pg_inherits), "
    "reach AS (SELECT oid AS root, oid AS b FROM pg_class WHERE relkind = 'm' "
    "  UNION SELECT reach.root, edge.b FROM reach JOIN edge ON edge.a = reach.b) "
    "SELECT rn.nspname, r.relname, bn.nspname, b.relname, b.relkind = 'r', "
    "  (b.relkind = 'm' AND b.oid <> r.oid) OR b.relkind = 'f' OR b.relowner <> r.relowner "
    "  OR b.relforcerowsecurity OR EXISTS (SELECT FROM pg_rewrite w JOIN pg_depend d "
    "  ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid WHERE w.ev_class = b.oid "
    "  AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_cast'::regclass) "
    "  AND d.refobjid >= 16384) "
    "FROM reach JOIN pg_class r ON r.oid = reach.root JOIN pg_namespace rn ON rn.oid = "
    "r.relnamespace "
    "JOIN pg_class b ON b.oid = reach.b JOIN pg_namespace bn ON bn.oid = b.relnamespace "
    "WHERE b.oid >= 16384";

static void plan_refresh(struct arranger *arranger, size_t number, const struct pq_result *reach)
{
    struct later *later = &arranger->later->items[number];
    struct plan_task task = {.kind = TASK_REFRESH, .statement = number};
    SCOPED(memory) void *memory = mem_alloc(pq_rows(reach), sizeof(size_t));
    size_t *needs = memory;
    for (size_t i = 0; i < pq_rows(reach); i++) {
        if (!text_equal(pq_value(reach, i, 0), later->schema) ||
            !text_equal(pq_value(reach, i, 1), later->table))
            continue;
        if (*pq_value(reach, i, 5) == 't')
            return;
        if (*pq_value(reach, i, 4) == 't')
            needs[task.need_count++] =
                plan_table(arranger->plan, pq_value(reach, i, 2), pq_value(reach, i, 3));
    }
    task.table = plan_table(arranger->plan, later->schema, later->table);
    task.needs = STEAL(memory);
    later->taken = true;
    plan_add(arranger->plan, &task);
}

/* Its own indexes are made while it is empty, before it is filled. */
static void need_own_indexes(struct arranger *arranger)
{
    for (size_t i = 0; i < arranger->plan->task_count; i++) {
        struct plan_task *task = &arranger->plan->tasks[i];
        if (task->kind != TASK_REFRESH)
            continue;
        task->needs = mem_resize(task->needs, task->need_count + 1, sizeof *task->needs);
        task->needs[task->need_count++] = task->table;
    }
}

static int plan_later(struct arranger *arranger, struct pq *pq, struct error *err)
{
    SCOPED(pq_result) struct pq_result *reach = NULL;
    if (pq_exec(pq, REACH_SQL, &reach, err) < 0)
        return error_prefix(err, "read what materialised views need");
    bool foreign = false;
    for (size_t i = 0; i < arranger->later->count; i++) {
        enum post_kind kind = arranger->later->items[i].kind;
        if (kind == POST_INDEX)
            plan_index(arranger, i);
        else if (kind == POST_FOREIGN)
            foreign = plan_foreign(arranger, i) || foreign;
        else if (kind == POST_REFRESH)
            plan_refresh(arranger, i, reach);
    }
    need_own_indexes(arranger);
    if (foreign) {
        struct plan_task before = {.kind = TASK_BEFORE, .table = PLAN_NO_TABLE};
        plan_add(arranger->plan, &before);
    }
    struct plan_task after = {.kind = TASK_AFTER, .table = PLAN_NO_TABLE};
    plan_add(arranger->plan, &after);
    return 0;
}

int postgres_arrange(struct pq *pq, struct segment_source *segments, struct laters *later,
                     struct plan *plan, struct error *err)
{
    struct arranger arranger = {.segments = segments, .later = later, .plan = plan};
    plan_frames(&arranger);
    if (plan_later(&arranger, pq, err) < 0)
        return -1;
    plan_ready(plan);
    return 0;
}
