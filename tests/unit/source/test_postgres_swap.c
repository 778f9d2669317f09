#include "harness/test.h"

#include "base/mem.h"
#include "base/text.h"
#include "source/postgres_swap.h"

#include <string.h>

static const char id[] = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

TEST(a_long_name_is_cut_so_that_the_side_name_fits)
{
    struct postgres_swap swap;
    postgres_swap_name(&swap, "a_database_with_quite_a_long_name_of_sixty_three_bytes_in_total", id,
                       true);
    assert_true(strlen(swap.side) <= 63);
    assert_true(strlen(swap.old) <= 63);
    assert_true(text_ends(swap.side, id));
    assert_string_not_equal(swap.side, swap.old);
    postgres_swap_clear(&swap);
}

TEST(a_name_is_cut_between_characters)
{
    /* 26 letters of two bytes each: 52 bytes, of which 29 fit, so 28. */
    static const char name[] = "ääääääääääääääääääääääääää";
    SCOPED(string) char *side = postgres_side_name(name, "__kedge_01ARZ3NDEKTSV4RRFFQ69G5FAV");
    assert_int_equal(strlen(side), 28 + 34);
    assert_true(text_is_utf8(side, strlen(side)));
}

TEST(what_is_kept_can_be_read_back)
{
    struct error err = ERROR_INIT;
    struct postgres_swap swap, read;
    postgres_swap_name(&swap, "a \"strange\"\n name", id, true);
    swap.live_oid = 5;
    swap.side_oid = INT64_C(4294967295);
    swap.written[2] = 7;
    SCOPED(string) char *kept = postgres_swap_format(&swap);
    assert_null(strchr(kept, '\n'));
    assert_ok(postgres_swap_parse(kept, &read, &err), err);
    assert_string_equal(read.live, swap.live);
    assert_string_equal(read.side, swap.side);
    assert_string_equal(read.old, swap.old);
    assert_int_equal(read.live_oid, 5);
    assert_int_equal(read.side_oid, swap.side_oid);
    assert_int_equal(read.written[2], 7);
    assert_true(read.keep);
    postgres_swap_clear(&swap);
    postgres_swap_clear(&read);
}

TEST(a_damaged_record_is_an_error)
{
    static const char *const records[] = {"", "{}", "[1]", "{\"mode\":\"swap\"}", "{\"mode\":7}"};
    struct error err = ERROR_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
        struct postgres_swap swap = {0};
        assert_fails(postgres_swap_parse(records[i], &swap, &err), err, ERROR_CORRUPT);
    }
}

TEST_MAIN(UNIT(a_long_name_is_cut_so_that_the_side_name_fits),
          UNIT(a_name_is_cut_between_characters), UNIT(what_is_kept_can_be_read_back),
          UNIT(a_damaged_record_is_an_error))
