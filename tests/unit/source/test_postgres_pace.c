#include "harness/test.h"

#include "source/postgres_pace.h"

TEST(little_is_sorted_in_16_mb)
{
    assert_int_equal(postgres_pace_sort_kb(0), 16 << 10);
    assert_int_equal(postgres_pace_sort_kb(UINT64_C(900) << 20), 16 << 10);
}

TEST(memory_suffices_to_merge_all_runs_at_once)
{
    for (uint64_t bytes = 1 << 20; bytes < UINT64_C(1) << 50; bytes *= 3) {
        uint64_t kb = postgres_pace_sort_kb(bytes);
        assert_true(kb / 272 * kb >= bytes >> 10);
        uint64_t half = kb / 2;
        assert_true(kb == 16 << 10 || half / 272 * half < bytes >> 10);
    }
}

TEST_MAIN(UNIT(little_is_sorted_in_16_mb), UNIT(memory_suffices_to_merge_all_runs_at_once))
