#include "harness/test.h"

#include "io/crew.h"
#include "migrate/parallel.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#define COUNT 5000

struct counting {
    _Atomic int calls[COUNT];
    size_t fails_from;
};

static int count_call(void *context, size_t index, size_t thread, struct error *err)
{
    struct counting *counting = context;
    assert_true(thread < PARALLEL_THREADS);
    atomic_fetch_add(&counting->calls[index], 1);
    return index >= counting->fails_from ? error_set(err, ERROR_FAILED, "number %zu", index) : 0;
}

TEST(each_index_is_worked_on_once)
{
    struct counting counting = {.fails_from = SIZE_MAX};
    struct error err = ERROR_INIT;
    assert_ok(parallel_each(COUNT, count_call, &counting, NULL, &err), err);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(counting.calls[i], 1);
    assert_ok(parallel_each(0, count_call, &counting, NULL, &err), err);
    assert_int_equal(counting.calls[0], 1);
}

TEST(the_failure_is_that_of_the_lowest_index)
{
    for (size_t from = 0; from < COUNT; from += 617) {
        struct counting counting = {.fails_from = from};
        struct error err = ERROR_INIT;
        char message[32];
        snprintf(message, sizeof message, "number %zu", from);
        assert_fails(parallel_each(COUNT, count_call, &counting, NULL, &err), err, ERROR_FAILED);
        assert_string_equal(err.message, message);
        for (size_t i = 0; i <= from; i++)
            assert_int_equal(counting.calls[i], 1);
    }
}

static int help(void *context, struct error *err)
{
    (void)err;
    parallel_helper_work(context);
    return 0;
}

TEST(a_helper_takes_part_and_leaves_when_it_is_told)
{
    struct counting counting = {.fails_from = SIZE_MAX};
    struct error err = ERROR_INIT;
    struct parallel_helper *helper = parallel_helper_new();
    struct crew *crew = crew_new();
    assert_ok(crew_start(crew, help, helper, &err), err);
    for (int round = 1; round <= 200; round++) {
        assert_ok(parallel_each(COUNT, count_call, &counting, helper, &err), err);
        for (size_t i = 0; i < COUNT; i++)
            assert_int_equal(counting.calls[i], round);
    }
    parallel_helper_end(helper);
    assert_ok(crew_join(crew, &err), err);
    crew_free(crew);
    parallel_helper_free(helper);
}

TEST_MAIN(UNIT(each_index_is_worked_on_once), UNIT(the_failure_is_that_of_the_lowest_index),
          UNIT(a_helper_takes_part_and_leaves_when_it_is_told))
