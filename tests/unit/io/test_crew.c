#include "harness/test.h"

#include "base/mem.h"
#include "base/segment.h"
#include "base/stop.h"
#include "io/crew.h"
#include "io/segments.h"

#include <string.h>

struct tally {
    struct crew *crew;
    int count;
    int goal;
};

static int count_up(void *context, struct error *err)
{
    (void)err;
    struct tally *tally = context;
    crew_lock(tally->crew);
    tally->count++;
    crew_wake(tally->crew);
    while (tally->count < tally->goal && !crew_failed(tally->crew))
        crew_wait(tally->crew);
    crew_unlock(tally->crew);
    return 0;
}

static int fall(void *context, struct error *err)
{
    (void)context;
    return error_set(err, ERROR_FAILED, "fell");
}

TEST(threads_wait_for_one_another)
{
    struct error err = ERROR_INIT;
    struct tally tally = {.crew = crew_new(), .goal = 4};
    for (int i = 0; i < 4; i++)
        assert_ok(crew_start(tally.crew, count_up, &tally, &err), err);
    assert_ok(crew_join(tally.crew, &err), err);
    assert_int_equal(tally.count, 4);
    crew_free(tally.crew);
}

TEST(one_failure_is_everybodys)
{
    struct error err = ERROR_INIT;
    struct tally tally = {.crew = crew_new(), .goal = 100};
    assert_ok(crew_start(tally.crew, count_up, &tally, &err), err);
    assert_ok(crew_start(tally.crew, fall, NULL, &err), err);
    assert_fails(crew_join(tally.crew, &err), err, ERROR_FAILED);
    assert_string_equal(err.message, "fell");
    crew_free(tally.crew);
}

TEST(a_stop_request_ends_the_waiting)
{
    struct error err = ERROR_INIT;
    struct tally tally = {.crew = crew_new(), .goal = 100};
    assert_ok(crew_start(tally.crew, count_up, &tally, &err), err);
    stop_request();
    assert_fails(crew_join(tally.crew, &err), err, ERROR_INTERRUPTED);
    stop_clear();
    crew_free(tally.crew);
}

static int give_later(void *context, struct error *err)
{
    (void)err;
    void **both = context;
    segments_give(both[0], both[1]);
    return 0;
}

TEST(taking_waits_for_a_segment_to_come_back)
{
    struct error err = ERROR_INIT;
    struct crew *crew = crew_new();
    SCOPED(segments) struct segments *segments = segments_new(crew, 1);
    struct segment *first = NULL;
    assert_ok(segments_take(segments, 0, &first, &err), err);
    assert_true(first->capacity >= SEGMENT_SIZE);
    segment_append(first, "x", 1);
    assert_ok(segments_grow(first, SEGMENT_MAXIMUM * 2, &err), err);
    assert_int_equal(first->data[0], 'x');
    void *both[] = {segments, first};
    assert_ok(crew_start(crew, give_later, both, &err), err);
    struct segment *second = NULL;
    assert_ok(segments_take(segments, 0, &second, &err), err);
    assert_ptr_equal(first, second);
    assert_int_equal(second->size, 0);
    assert_true(second->capacity <= SEGMENT_MAXIMUM);
    assert_fails(segments_grow(second, SIZE_MAX, &err), err, ERROR_FAILED);
    error_clear(&err);
    assert_ok(crew_join(crew, &err), err);
    segments_give(segments, second);
    crew_free(crew);
}

TEST_MAIN(UNIT(threads_wait_for_one_another), UNIT(one_failure_is_everybodys),
          UNIT(a_stop_request_ends_the_waiting), UNIT(taking_waits_for_a_segment_to_come_back))
