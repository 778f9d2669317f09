#include "base/arena.h"
#include "harness/test.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

TEST(pieces_are_zeroed_aligned_and_apart)
{
    SCOPED(arena) struct arena arena = ARENA_INIT;
    unsigned char *pieces[400];
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        pieces[i] = arena_alloc(&arena, i + 1);
        assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        for (size_t k = 0; k <= i; k++)
            assert_int_equal(pieces[i][k], 0);
        memset(pieces[i], (int)(i % 251), i + 1);
    }
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
        for (size_t k = 0; k <= i; k++)
            assert_int_equal(pieces[i][k], i % 251);
}

TEST(a_large_piece_leaves_room_for_small_ones)
{
    SCOPED(arena) struct arena arena = ARENA_INIT;
    char *first = arena_string(&arena, "first");
    memset(arena_alloc(&arena, 1 << 20), 'x', 1 << 20);
    char *second = arena_string_n(&arena, "seconds", 6);
    assert_string_equal(first, "first");
    assert_string_equal(second, "second");
    assert_true(second > first && second - first < 64);
    assert_null(arena_string(&arena, NULL));
}

TEST(an_arena_takes_what_another_has)
{
    SCOPED(arena) struct arena arena = ARENA_INIT;
    struct arena other = ARENA_INIT;
    const char *theirs = arena_string(&other, "theirs");
    arena_take(&arena, &other);
    assert_null(other.chunks);
    const char *ours = arena_string(&arena, "ours");
    arena_take(&arena, &other);
    other = ARENA_INIT;
    const char *more = arena_string(&other, "more");
    arena_take(&arena, &other);
    assert_string_equal(theirs, "theirs");
    assert_string_equal(ours, "ours");
    assert_string_equal(more, "more");
}

TEST_MAIN(UNIT(pieces_are_zeroed_aligned_and_apart), UNIT(a_large_piece_leaves_room_for_small_ones),
          UNIT(an_arena_takes_what_another_has))
