#include "harness/test.h"

#include "base/mem.h"
#include "source/sqlite_header.h"

#include <string.h>

/* A database of three pages of 4096 bytes, as the library writes it. */
static void make(uint8_t data[static SQLITE_HEADER_SIZE])
{
    memset(data, 0, SQLITE_HEADER_SIZE);
    memcpy(data, "SQLite format 3", 16);
    data[16] = 16;
    data[18] = data[19] = 1;
    data[27] = data[95] = 7; /* the change counter, twice */
    data[31] = 3;
    data[59] = 1;
}

TEST(what_the_format_says_is_read)
{
    struct error err = ERROR_INIT;
    uint8_t data[SQLITE_HEADER_SIZE];
    struct sqlite_header header;
    make(data);
    assert_ok(sqlite_header_parse(data, "a.db", &header, &err), err);
    assert_int_equal(header.page_size, 4096);
    assert_int_equal(header.page_count, 3);
    assert_false(header.wal);
    assert_int_equal(header.reserved, 0);
    assert_int_equal(header.encoding, 1);
    assert_int_equal(header.auto_vacuum, 0);
    memset(data + 60, 0xFF, 4);
    memcpy(data + 68, "\x01\x02\x03\x04", 4);
    data[20] = 8;
    data[55] = 5;
    assert_ok(sqlite_header_parse(data, "a.db", &header, &err), err);
    assert_int_equal(header.user_version, -1);
    assert_int_equal(header.application_id, 0x01020304);
    assert_int_equal(header.reserved, 8);
    assert_int_equal(header.auto_vacuum, 1);
    data[67] = 1;
    assert_ok(sqlite_header_parse(data, "a.db", &header, &err), err);
    assert_int_equal(header.auto_vacuum, 2);
}

TEST(a_count_of_pages_that_an_old_library_left_is_not_believed)
{
    struct error err = ERROR_INIT;
    uint8_t data[SQLITE_HEADER_SIZE];
    struct sqlite_header header;
    make(data);
    data[95] = 6;
    assert_ok(sqlite_header_parse(data, "a.db", &header, &err), err);
    assert_int_equal(header.page_count, 0);
    sqlite_header_set_pages(data, 0x01020304);
    assert_ok(sqlite_header_parse(data, "a.db", &header, &err), err);
    assert_int_equal(header.page_count, 0x01020304);
}

TEST(either_number_means_wal_and_both_are_set)
{
    struct error err = ERROR_INIT;
    uint8_t data[SQLITE_HEADER_SIZE];
    struct sqlite_header header;
    make(data);
    data[19] = 2;
    assert_ok(sqlite_header_parse(data, "a.db", &header, &err), err);
    assert_true(header.wal);
    sqlite_header_set_wal(data, false);
    assert_ok(sqlite_header_parse(data, "a.db", &header, &err), err);
    assert_false(header.wal);
    sqlite_header_set_wal(data, true);
    assert_int_equal(data[18], 2);
    assert_int_equal(data[19], 2);
}

TEST(page_sizes_are_powers_of_two_with_room_in_them)
{
    static const struct {
        int line;
        uint8_t high, low, reserved;
        uint32_t size; /* 0: refused */
    } cases[] = {
        {__LINE__, 2, 0, 0, 512}, {__LINE__, 0, 1, 255, 65536}, {__LINE__, 128, 0, 0, 32768},
        {__LINE__, 1, 0, 0, 0},   {__LINE__, 0, 0, 0, 0},       {__LINE__, 16, 1, 0, 0},
        {__LINE__, 3, 0, 0, 0},   {__LINE__, 2, 0, 32, 512},    {__LINE__, 2, 0, 33, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        uint8_t data[SQLITE_HEADER_SIZE];
        struct sqlite_header header = {0};
        make(data);
        data[16] = cases[i].high;
        data[17] = cases[i].low;
        data[20] = cases[i].reserved;
        int result = sqlite_header_parse(data, "a.db", &header, &err);
        assert_case(cases[i].line, (result == 0) == (cases[i].size != 0));
        assert_case(cases[i].line, header.page_size == cases[i].size);
        assert_case(cases[i].line, result == 0 || err.code == ERROR_CORRUPT);
    }
}

TEST(what_is_no_header_is_named)
{
    struct error err = ERROR_INIT;
    uint8_t data[SQLITE_HEADER_SIZE];
    struct sqlite_header header;
    make(data);
    data[15] = 'x';
    assert_fails(sqlite_header_parse(data, "a.db", &header, &err), err, ERROR_CORRUPT);
    assert_string_equal(err.message, "a.db is not a SQLite database, or it is encrypted");
}

TEST_MAIN(UNIT(what_the_format_says_is_read),
          UNIT(a_count_of_pages_that_an_old_library_left_is_not_believed),
          UNIT(either_number_means_wal_and_both_are_set),
          UNIT(page_sizes_are_powers_of_two_with_room_in_them), UNIT(what_is_no_header_is_named))
