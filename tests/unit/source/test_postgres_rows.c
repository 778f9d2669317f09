#include "harness/test.h"

#include "base/mem.h"
#include "source/postgres_catalog.h"
#include "source/postgres_rows.h"
#include "source/row_digest.h"

#include <string.h>

#define MIB (UINT64_C(1) << 20)

TEST(big_tables_are_cut_without_gap_or_overlap)
{
    struct postgres_table big = {.has_rows = true, .pages = 10007, .bytes = 300 * MIB};
    struct postgres_tables tables = {.items = &big, .count = 1};
    struct postgres_slices slices;
    postgres_slices_plan(&tables, true, &slices);
    assert_true(slices.count > 4);
    uint64_t page = 0;
    for (size_t i = 0; i < slices.count; i++) {
        assert_int_equal(slices.items[i].first_page, page);
        page = slices.items[i].end_page;
    }
    assert_true(page == UINT64_MAX);
    postgres_slices_clear(&slices);
}

TEST(a_server_without_range_scans_reads_tables_whole)
{
    struct postgres_table big = {.has_rows = true, .pages = 10007, .bytes = 300 * MIB};
    struct postgres_tables tables = {.items = &big, .count = 1};
    struct postgres_slices slices;
    postgres_slices_plan(&tables, false, &slices);
    assert_int_equal(slices.count, 1);
    postgres_slices_clear(&slices);
}

TEST(the_dearest_table_comes_first_and_what_has_no_rows_not_at_all)
{
    struct postgres_table items[] = {{.has_rows = true, .bytes = 10},
                                     {.has_rows = false, .bytes = 900},
                                     {.has_rows = true, .bytes = 500},
                                     {.has_rows = true}};
    struct postgres_tables tables = {.items = items, .count = 4};
    struct postgres_slices slices;
    postgres_slices_plan(&tables, true, &slices);
    assert_int_equal(slices.count, 3);
    assert_int_equal(slices.items[0].number, 2);
    assert_int_equal(slices.items[1].number, 0);
    assert_int_equal(slices.items[2].number, 3);
    postgres_slices_clear(&slices);
}

TEST(a_digest_does_not_depend_on_the_order_of_rows_nor_on_who_read_them)
{
    struct row_digest forward = {0}, first = {0}, second = {0};
    row_digest_add(&forward, "a", 1, 2);
    row_digest_add(&forward, "b", 1, 2);
    row_digest_add(&forward, "b", 1, 2);
    row_digest_add(&second, "b", 1, 2);
    row_digest_add(&first, "b", 1, 2);
    row_digest_add(&first, "a", 1, 2);
    row_digest_merge(&first, &second);
    char one[ROW_DIGEST_TEXT], other[ROW_DIGEST_TEXT];
    row_digest_format(&forward, one);
    row_digest_format(&first, other);
    assert_string_equal(one, other);
    assert_int_equal(first.rows, 3);
    assert_int_equal(first.bytes, 6);
}

TEST(a_row_in_pieces_has_the_digest_of_the_whole)
{
    char row[5000];
    for (size_t i = 0; i < sizeof row; i++)
        row[i] = (char)(i * 7 % 251);
    struct row_digest whole = {0}, cut = {0};
    SCOPED(row_pieces) struct row_pieces *pieces = row_pieces_new();
    for (size_t at = 1; at < sizeof row; at += 617) {
        row_digest_add(&whole, row, sizeof row, sizeof row + 1);
        row_pieces_add(pieces, row, at);
        row_pieces_add(pieces, row + at, sizeof row - at);
        assert_int_equal(row_pieces_size(pieces), sizeof row);
        row_digest_add_pieces(&cut, pieces, 1);
        assert_int_equal(row_pieces_size(pieces), 0);
    }
    assert_memory_equal(&whole, &cut, sizeof whole);
}

TEST(the_digest_of_no_rows_is_zero)
{
    struct row_digest none = {0};
    char text[ROW_DIGEST_TEXT];
    row_digest_format(&none, text);
    assert_string_equal(text, "sumxxh3:00000000000000000000000000000000");
}

TEST(the_digest_of_an_empty_row_is_xxh3s_of_nothing)
{
    struct row_digest digest = {0};
    char text[ROW_DIGEST_TEXT];
    row_digest_add(&digest, "", 0, 1);
    row_digest_format(&digest, text);
    assert_string_equal(text, "sumxxh3:99aa06d3014798d86001c324468d497f");
}

TEST_MAIN(UNIT(big_tables_are_cut_without_gap_or_overlap),
          UNIT(a_server_without_range_scans_reads_tables_whole),
          UNIT(the_dearest_table_comes_first_and_what_has_no_rows_not_at_all),
          UNIT(a_digest_does_not_depend_on_the_order_of_rows_nor_on_who_read_them),
          UNIT(a_row_in_pieces_has_the_digest_of_the_whole), UNIT(the_digest_of_no_rows_is_zero),
          UNIT(the_digest_of_an_empty_row_is_xxh3s_of_nothing))
