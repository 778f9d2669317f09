#include "harness/test.h"

#include "base/mem.h"
#include "base/segment.h"
#include "base/stop.h"
#include "io/codec.h"
#include "io/crew.h"
#include "io/pages.h"
#include "io/segments.h"

#include <string.h>

#define TOO_MUCH ((size_t)1 << 61)

TEST(pages_grow_and_keep_what_they_hold)
{
    struct error err = ERROR_INIT;
    struct pages pages = PAGES_INIT;
    assert_ok(pages_reserve(&pages, 10, 0, &err), err);
    assert_int_equal(pages.capacity % 4096, 0);
    memcpy(pages.data, "0123456789", 10);
    assert_ok(pages_reserve(&pages, (size_t)1 << 20, 10, &err), err);
    assert_memory_equal(pages.data, "0123456789", 10);
    assert_true(pages.capacity >= (size_t)1 << 20);
    pages_clear(&pages);
    assert_null(pages.data);
}

TEST(pages_that_are_refused_leave_the_old_ones)
{
    static const size_t sizes[] = {TOO_MUCH, SIZE_MAX};
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        for (size_t keep = 0; keep <= 4; keep += 4) {
            struct error err = ERROR_INIT;
            struct pages pages = PAGES_INIT;
            assert_ok(pages_reserve(&pages, 4096, 0, &err), err);
            memcpy(pages.data, "text", 4);
            assert_fails(pages_reserve(&pages, sizes[i], keep, &err), err, ERROR_FAILED);
            assert_int_equal(pages.capacity, 4096);
            assert_memory_equal(pages.data, "text", 4);
            pages_clear(&pages);
        }
    }
}

TEST(a_segment_too_large_for_a_frame_goes_back_among_the_empty_ones)
{
    struct error err = ERROR_INIT;
    struct segment *segment = NULL;
    struct crew *crew = crew_new();
    struct segments *segments = segments_new(crew, 1);
    for (int i = 0; i < 3; i++)
        assert_fails(segments_take(segments, CODEC_MAXIMUM + 1, &segment, &err), err, ERROR_FAILED);
    assert_ok(segments_take(segments, 0, &segment, &err), err);
    assert_true(segment->capacity >= SEGMENT_SIZE);
    assert_fails(segments_grow(segment, CODEC_MAXIMUM + 1, &err), err, ERROR_FAILED);
    segment_append(segment, "still there", 11);
    segments_give(segments, segment);
    segments_free(segments);
    crew_free(crew);
}

TEST(a_segment_that_grew_gives_its_memory_back)
{
    struct error err = ERROR_INIT;
    struct segment *segment = NULL;
    struct crew *crew = crew_new();
    struct segments *segments = segments_new(crew, 1);
    assert_ok(segments_take(segments, 0, &segment, &err), err);
    assert_ok(segments_grow(segment, SEGMENT_MAXIMUM + 1, &err), err);
    segments_give(segments, segment);
    assert_null(segment->data);
    assert_int_equal(segment->capacity, 0);
    segments_give(segments, NULL);
    segments_free(segments);
    crew_free(crew);
}

TEST(whoever_waits_for_a_segment_fails_with_the_crew)
{
    struct error err = ERROR_INIT;
    struct segment *held = NULL;
    struct segment *none = NULL;
    struct crew *crew = crew_new();
    struct segments *segments = segments_new(crew, 1);
    assert_ok(segments_take(segments, 0, &held, &err), err);
    stop_request();
    assert_fails(segments_take(segments, 0, &none, &err), err, ERROR_INTERRUPTED);
    stop_clear();
    assert_null(none);
    segments_give(segments, held);
    segments_free(segments);
    crew_free(crew);
}

TEST_MAIN(UNIT(pages_grow_and_keep_what_they_hold), UNIT(pages_that_are_refused_leave_the_old_ones),
          UNIT(a_segment_too_large_for_a_frame_goes_back_among_the_empty_ones),
          UNIT(a_segment_that_grew_gives_its_memory_back),
          UNIT(whoever_waits_for_a_segment_fails_with_the_crew))
