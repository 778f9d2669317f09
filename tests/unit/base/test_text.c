#include "harness/test.h"

#include "base/text.h"

#include <string.h>

TEST(sizes_for_people_are_powers_of_ten)
{
    static const struct {
        int line;
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {__LINE__, 0, "0 B"},
        {__LINE__, 999, "999 B"},
        {__LINE__, 24500000, "24.5 MB"},
        {__LINE__, 999949999, "999.9 MB"},
        {__LINE__, 999999999, "1.0 GB"},
        {__LINE__, UINT64_MAX, "18.4 EB"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[32];
        text_format_size(cases[i].bytes, text);
        assert_case(cases[i].line, strcmp(text, cases[i].text) == 0);
    }
}

TEST(durations_are_read_with_their_units)
{
    static const struct {
        int line;
        const char *text;
        int64_t ms; /* -1: refused */
    } cases[] = {
        {__LINE__, "500ms", 500}, {__LINE__, "5", 5000},       {__LINE__, "5s", 5000},
        {__LINE__, "2m", 120000}, {__LINE__, "7d", 604800000}, {__LINE__, "", -1},
        {__LINE__, "-5s", -1},    {__LINE__, "5x", -1},        {__LINE__, "s", -1},
        {__LINE__, "0x10", -1},   {__LINE__, "nan", -1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        int64_t ms = -1;
        int result = text_parse_duration_ms(cases[i].text, &ms, &err);
        assert_case(cases[i].line, (result == 0) == (cases[i].ms >= 0));
        assert_case(cases[i].line, ms == cases[i].ms);
    }
}

TEST(visible_text_obeys_nothing)
{
    struct buf out = BUF_INIT;
    static const char text[] = "a\x1b[2J\n\xff\xc2\x9b \xf0\x9f\x98\x80";
    text_append_visible(&out, text, sizeof text - 1);
    assert_string_equal(out.data, "a\\x1b[2J\\n\\xff\\xc2\\x9b \xf0\x9f\x98\x80");
    buf_clear(&out);
}

TEST(utf8_check_refuses_overlong_and_surrogates)
{
    assert_true(text_is_utf8("gr\xc3\xbc\xc3\x9f", 6));
    assert_false(text_is_utf8("\xc0\xaf", 2));
    assert_false(text_is_utf8("\xed\xa0\x80", 3));
    assert_false(text_is_utf8("\xf4\x90\x80\x80", 4));
    assert_false(text_is_utf8("\xe2\x82", 2));
}

TEST(globs_cross_folders_only_with_two_stars)
{
    static const struct {
        int line;
        const char *pattern, *path;
        bool matches;
    } cases[] = {
        {__LINE__, "*.tmp", "a/b/c.tmp", true},
        {__LINE__, "cache/**", "cache/x/y", true},
        {__LINE__, "cache/**", "other/x", false},
        {__LINE__, "a/*.c", "a/b/x.c", false},
        {__LINE__, "**/node_modules", "a/b/node_modules", true},
        {__LINE__, "a/**/z", "a/z", true},
        {__LINE__, "a/**/z", "a/b/c/z", true},
        {__LINE__, "**", "anything/at/all", true},
        {__LINE__, "b", "abc", false},
        {__LINE__, "**/log", "log", true},
        {__LINE__, "**/log", "var/catalog", false},
        {__LINE__, "a/**/z", "a/xz", false},
        {__LINE__, "a/**/c/**/z", "a/b/c/d/c/z", true},
        {__LINE__, "a/**/c/**/z", "a/b/z", false},
        {__LINE__, "a**z", "a/b/xz", true},
        {__LINE__, "**/*.c/**/x?", "d/e.c/f/g/x1", true},
        {__LINE__, "**a**a**a**a**a**a**b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_case(cases[i].line, text_glob(cases[i].pattern, cases[i].path) == cases[i].matches);
}

TEST(only_ascii_capitals_become_lower_case)
{
    char text[] = "ABZaz@[`{09 \xc3\x84";
    text_lower_all(text);
    assert_string_equal(text, "abzaz@[`{09 \xc3\x84");
}

TEST(distance_counts_edits)
{
    assert_int_equal(text_distance("backup", "bakcup"), 2);
    assert_int_equal(text_distance("", "abc"), 3);
    assert_int_equal(text_distance("list", "list"), 0);
}

TEST(a_full_buffer_keeps_what_it_had)
{
    struct buf buf = BUF_INIT_MAX(4);
    struct error err = ERROR_INIT;
    buf_append_text(&buf, "abc");
    buf_append_text(&buf, "de");
    assert_string_equal(buf.data, "abc");
    assert_fails(buf_check(&buf, "answer", &err), err, ERROR_FAILED);
    assert_string_equal(err.message, "answer is longer than 4 bytes");
    buf_clear(&buf);
}

TEST(a_list_is_joined_without_a_loose_end)
{
    SCOPED(text_list) struct text_list list = TEXT_LIST_INIT;
    SCOPED(string) char *none = text_list_join(&list, ", ");
    text_list_add(&list, "shop");
    SCOPED(string) char *one = text_list_join(&list, ", ");
    text_list_add(&list, "blog");
    SCOPED(string) char *two = text_list_join(&list, ", ");
    assert_string_equal(none, "");
    assert_string_equal(one, "shop");
    assert_string_equal(two, "shop, blog");
}

TEST_MAIN(UNIT(sizes_for_people_are_powers_of_ten), UNIT(durations_are_read_with_their_units),
          UNIT(visible_text_obeys_nothing), UNIT(utf8_check_refuses_overlong_and_surrogates),
          UNIT(globs_cross_folders_only_with_two_stars),
          UNIT(only_ascii_capitals_become_lower_case), UNIT(distance_counts_edits),
          UNIT(a_full_buffer_keeps_what_it_had), UNIT(a_list_is_joined_without_a_loose_end))
