#include "harness/test.h"

#include "base/mem.h"
#include "source/postgres_plan.h"

#include <string.h>

static size_t add_data(struct plan *plan, const char *table, uint64_t bytes)
{
    struct plan_task task = {.kind = TASK_DATA, .cost = bytes, .frame = plan->task_count};
    task.table = plan_table(plan, "public", table);
    plan_add(plan, &task);
    return plan->task_count - 1;
}

static size_t add_index(struct plan *plan, const char *table, bool exclusive)
{
    struct plan_task task = {.kind = TASK_INDEX, .exclusive = exclusive};
    task.table = plan_table(plan, "public", table);
    plan_add(plan, &task);
    return plan->task_count - 1;
}

static size_t add_simple(struct plan *plan, enum task_kind kind)
{
    struct plan_task task = {.kind = kind, .table = PLAN_NO_TABLE};
    plan_add(plan, &task);
    return plan->task_count - 1;
}

static size_t take(struct plan *plan)
{
    struct plan_task *task = plan_take(plan);
    return task ? (size_t)(task - plan->tasks) : SIZE_MAX;
}

static void finish(struct plan *plan, size_t number)
{
    plan_finish(plan, &plan->tasks[number]);
}

TEST(a_table_is_found_by_schema_and_name_among_many)
{
    struct plan plan = PLAN_INIT;
    assert_int_equal(plan_find_table(&plan, "public", "t0"), PLAN_NO_TABLE);
    for (size_t i = 0; i < 1000; i++) {
        SCOPED(string) char *name = mem_format("t%zu", i % 500);
        assert_int_equal(plan_table(&plan, i < 500 ? "public" : NULL, name), i);
    }
    assert_int_equal(plan_table(&plan, "public", "t17"), 17);
    assert_int_equal(plan_find_table(&plan, NULL, "t499"), 999);
    assert_int_equal(plan_find_table(&plan, "public", "t500"), PLAN_NO_TABLE);
    plan_clear(&plan);
}

TEST(rows_that_were_put_back_are_tried_again_when_more_tables_are_full)
{
    struct plan plan = PLAN_INIT;
    size_t needy = add_data(&plan, "needy", 100);
    size_t needier = add_data(&plan, "needier", 50);
    size_t other = add_data(&plan, "other", 10);
    plan_ready(&plan);
    assert_int_equal(take(&plan), needy);
    assert_true(plan_put_back(&plan, &plan.tasks[needy]));
    assert_int_equal(take(&plan), needier);
    assert_true(plan_put_back(&plan, &plan.tasks[needier]));
    assert_int_equal(take(&plan), other);
    assert_int_equal(take(&plan), SIZE_MAX);
    finish(&plan, other);
    assert_int_equal(take(&plan), needy);
    assert_int_equal(take(&plan), needier);
    assert_true(plan_put_back(&plan, &plan.tasks[needier]));
    finish(&plan, needy);
    assert_int_equal(take(&plan), needier);
    finish(&plan, needier);
    assert_true(plan_complete(&plan));
    plan_clear(&plan);
}

TEST(rows_that_nothing_more_can_help_are_not_put_back)
{
    struct plan plan = PLAN_INIT;
    size_t bad = add_data(&plan, "bad", 100);
    size_t worse = add_data(&plan, "worse", 50);
    plan_ready(&plan);
    assert_int_equal(take(&plan), bad);
    assert_int_equal(take(&plan), worse);
    assert_true(plan_put_back(&plan, &plan.tasks[worse]));
    assert_int_equal(take(&plan), SIZE_MAX);
    assert_false(plan_put_back(&plan, &plan.tasks[bad]));
    plan_clear(&plan);
}

TEST(the_biggest_table_is_loaded_first_by_several_at_once)
{
    struct plan plan = PLAN_INIT;
    add_data(&plan, "small", 10);
    size_t first = add_data(&plan, "big", 100);
    size_t second = add_data(&plan, "big", 100);
    plan_ready(&plan);
    assert_int_equal(take(&plan), first);
    assert_int_equal(take(&plan), second);
    plan_clear(&plan);
}

TEST(its_indexes_follow_at_once_before_smaller_tables)
{
    struct plan plan = PLAN_INIT;
    size_t big = add_data(&plan, "big", 100);
    size_t small = add_data(&plan, "small", 10);
    size_t index = add_index(&plan, "big", false);
    plan_ready(&plan);
    assert_int_equal(take(&plan), big);
    finish(&plan, big);
    assert_int_equal(take(&plan), index);
    assert_int_equal(take(&plan), small);
    plan_clear(&plan);
}

TEST(an_index_waits_for_all_rows_of_its_table)
{
    struct plan plan = PLAN_INIT;
    size_t one = add_data(&plan, "t", 10);
    size_t two = add_data(&plan, "t", 10);
    size_t index = add_index(&plan, "t", false);
    plan_ready(&plan);
    assert_int_equal(take(&plan), one);
    assert_int_equal(take(&plan), two);
    finish(&plan, one);
    assert_int_equal(take(&plan), SIZE_MAX);
    finish(&plan, two);
    assert_int_equal(take(&plan), index);
    plan_clear(&plan);
}

TEST(a_key_is_built_alone_on_its_table_but_indexes_together)
{
    struct plan plan = PLAN_INIT;
    size_t key = add_index(&plan, "t", true);
    size_t one = add_index(&plan, "t", false);
    size_t two = add_index(&plan, "t", false);
    plan_ready(&plan);
    assert_int_equal(take(&plan), key);
    assert_int_equal(take(&plan), SIZE_MAX);
    finish(&plan, key);
    assert_int_equal(take(&plan), one);
    assert_int_equal(take(&plan), two);
    plan_clear(&plan);
}

TEST(what_a_view_waits_for_goes_before_a_dearer_index_that_nobody_waits_for)
{
    struct plan plan = PLAN_INIT;
    size_t read_rows = add_data(&plan, "read", 100);
    size_t other_rows = add_data(&plan, "other", 100);
    size_t read_index = add_index(&plan, "read", false);
    size_t other_index = add_index(&plan, "other", false);
    plan.tasks[other_index].effort = 60;
    size_t *needs = mem_alloc(1, sizeof *needs);
    needs[0] = plan_table(&plan, "public", "read");
    struct plan_task view = {.kind = TASK_REFRESH, .needs = needs, .need_count = 1};
    view.table = plan_table(&plan, "public", "v");
    plan_add(&plan, &view);
    plan_ready(&plan);
    assert_int_equal(take(&plan), read_rows);
    assert_int_equal(take(&plan), other_rows);
    finish(&plan, read_rows);
    finish(&plan, other_rows);
    assert_int_equal(take(&plan), read_index);
    finish(&plan, read_index);
    assert_int_equal(take(&plan), other_index + 1);
    assert_int_equal(take(&plan), other_index);
    plan_clear(&plan);
}

TEST(a_view_is_refreshed_when_its_tables_are_complete_beside_others_indexes)
{
    struct plan plan = PLAN_INIT;
    size_t data = add_data(&plan, "t", 10);
    size_t other = add_data(&plan, "other", 5);
    size_t other_index = add_index(&plan, "other", false);
    size_t *needs = mem_alloc(1, sizeof *needs);
    needs[0] = plan_table(&plan, "public", "t");
    struct plan_task view = {.kind = TASK_REFRESH, .needs = needs, .need_count = 1};
    view.table = plan_table(&plan, "public", "v");
    plan_add(&plan, &view);
    plan_ready(&plan);
    assert_int_equal(take(&plan), data);
    assert_int_equal(take(&plan), other);
    assert_int_equal(take(&plan), SIZE_MAX);
    finish(&plan, data);
    assert_int_equal(take(&plan), other_index + 1);
    finish(&plan, other);
    assert_int_equal(take(&plan), other_index);
    plan_clear(&plan);
}

TEST(foreign_keys_come_after_all_indexes_and_not_two_on_one_table)
{
    struct plan plan = PLAN_INIT;
    size_t index = add_index(&plan, "a", true);
    size_t before = add_simple(&plan, TASK_BEFORE);
    size_t after = add_simple(&plan, TASK_AFTER);
    struct plan_task key = {.kind = TASK_FOREIGN, .exclusive = true};
    key.table = plan_table(&plan, "public", "a");
    key.other = plan_table(&plan, "public", "b");
    plan_add(&plan, &key);
    key.table = plan_table(&plan, "public", "b");
    key.other = plan_table(&plan, "public", "a");
    plan_add(&plan, &key);
    plan_ready(&plan);

    assert_int_equal(take(&plan), index);
    assert_int_equal(take(&plan), SIZE_MAX);
    finish(&plan, index);
    assert_int_equal(take(&plan), before);
    assert_int_equal(take(&plan), SIZE_MAX);
    finish(&plan, before);
    size_t first = take(&plan);
    assert_int_equal(first, after + 1);
    assert_int_equal(take(&plan), SIZE_MAX);
    finish(&plan, first);
    size_t second = take(&plan);
    assert_int_equal(second, after + 2);
    assert_int_equal(take(&plan), SIZE_MAX);
    finish(&plan, second);
    assert_int_equal(take(&plan), after);
    finish(&plan, after);
    assert_true(plan_complete(&plan));
    plan_clear(&plan);
}

TEST(a_foreign_key_to_its_own_table_locks_it_once)
{
    struct plan plan = PLAN_INIT;
    struct plan_task key = {.kind = TASK_FOREIGN, .exclusive = true};
    key.table = key.other = plan_table(&plan, "public", "tree");
    plan_add(&plan, &key);
    plan_ready(&plan);
    size_t task = take(&plan);
    assert_int_equal(task, 0);
    finish(&plan, task);
    assert_int_equal(plan.tables[0].sharing, 0);
    assert_true(plan_complete(&plan));
    plan_clear(&plan);
}

TEST(a_dear_index_brings_its_table_forward)
{
    struct plan plan = PLAN_INIT;
    size_t larger = add_data(&plan, "larger", 150);
    size_t texts = add_data(&plan, "texts", 100);
    size_t index = add_index(&plan, "texts", false);
    plan.tasks[index].effort = 330;
    plan_ready(&plan);
    assert_int_equal(take(&plan), texts);
    finish(&plan, texts);
    assert_int_equal(take(&plan), index);
    assert_int_equal(take(&plan), larger);
    plan_clear(&plan);
}

static size_t add_foreign(struct plan *plan, const char *table, const char *other)
{
    struct plan_task key = {.kind = TASK_FOREIGN, .exclusive = true};
    key.table = plan_table(plan, "public", table);
    key.other = plan_table(plan, "public", other);
    plan_add(plan, &key);
    return plan->task_count - 1;
}

TEST(a_foreign_key_of_tables_that_are_whole_waits_for_no_other_table)
{
    struct plan plan = PLAN_INIT;
    size_t orders = add_data(&plan, "orders", 100);
    size_t people = add_data(&plan, "people", 50);
    size_t unrelated = add_data(&plan, "unrelated", 5);
    size_t before = add_simple(&plan, TASK_BEFORE);
    size_t key = add_foreign(&plan, "orders", "people");
    size_t partitioned = add_foreign(&plan, "orders", "partitioned");
    plan_ready(&plan);
    assert_int_equal(take(&plan), orders);
    assert_int_equal(take(&plan), people);
    finish(&plan, orders);
    assert_int_equal(take(&plan), unrelated);
    assert_int_equal(take(&plan), SIZE_MAX);
    finish(&plan, people);
    assert_int_equal(take(&plan), key);
    finish(&plan, unrelated);
    /* Both lock several tables. */
    assert_int_equal(take(&plan), SIZE_MAX);
    finish(&plan, key);
    assert_int_equal(take(&plan), before);
    assert_int_equal(take(&plan), SIZE_MAX);
    finish(&plan, before);
    assert_int_equal(take(&plan), partitioned);
    plan_clear(&plan);
}

TEST(nothing_to_do_is_complete)
{
    struct plan plan = PLAN_INIT;
    plan_ready(&plan);
    assert_true(plan_complete(&plan));
    assert_null(plan_take(&plan));
    plan_clear(&plan);
}

TEST_MAIN(UNIT(a_table_is_found_by_schema_and_name_among_many),
          UNIT(rows_that_were_put_back_are_tried_again_when_more_tables_are_full),
          UNIT(rows_that_nothing_more_can_help_are_not_put_back),
          UNIT(the_biggest_table_is_loaded_first_by_several_at_once),
          UNIT(its_indexes_follow_at_once_before_smaller_tables),
          UNIT(an_index_waits_for_all_rows_of_its_table),
          UNIT(a_key_is_built_alone_on_its_table_but_indexes_together),
          UNIT(what_a_view_waits_for_goes_before_a_dearer_index_that_nobody_waits_for),
          UNIT(a_view_is_refreshed_when_its_tables_are_complete_beside_others_indexes),
          UNIT(foreign_keys_come_after_all_indexes_and_not_two_on_one_table),
          UNIT(a_foreign_key_to_its_own_table_locks_it_once),
          UNIT(a_dear_index_brings_its_table_forward),
          UNIT(a_foreign_key_of_tables_that_are_whole_waits_for_no_other_table),
          UNIT(nothing_to_do_is_complete))
