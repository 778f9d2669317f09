#include "harness/test.h"

#include "base/mem.h"
#include "db/sql_mode.h"

#include <string.h>

#define ROWS 4

/* "a" for ANSI_QUOTES, "n" for NO_BACKSLASH_ESCAPES. */
static const char *shown(const struct sql_modes *modes)
{
    static const char *const names[] = {"", "a", "n", "an"};
    return names[modes->now.ansi_quotes + 2 * modes->now.no_backslash_escapes];
}

static void follow(struct sql_modes *modes, const char *text)
{
    sql_modes_follow(modes, text, strlen(text));
}

TEST(each_way_of_setting_it_is_followed)
{
    static const struct {
        int line;
        const char *texts[ROWS];
        const char *after;
    } cases[] = {
        {__LINE__, {"SET sql_mode = 'ANSI_QUOTES'"}, "a"},
        {__LINE__, {"set session SQL_MODE='no_backslash_escapes,ansi'"}, "an"},
        {__LINE__, {"SET @@sql_mode := \"ORACLE\""}, "a"},
        {__LINE__, {"SET @@session.sql_mode = ANSI_QUOTES"}, "a"},
        {__LINE__, {"SET LOCAL sql_mode='ANSI'", "SET sql_mode=''"}, ""},
        {__LINE__, {"SET sql_mode='ANSI'", "SET sql_mode=DEFAULT"}, ""},
        {__LINE__, {"SET sql_mode='ANSI'", "SET sql_mode='STRICT_ALL_TABLES'"}, ""},
        {__LINE__, {"SET sql_mode='ANSI_QUOTESX'"}, ""},
        {__LINE__, {"SET @x = 1, sql_mode = 'ANSI', @y = 2"}, "a"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct sql_modes modes = {0};
        for (size_t t = 0; t < ROWS && cases[i].texts[t]; t++)
            follow(&modes, cases[i].texts[t]);
        assert_case(cases[i].line, strcmp(shown(&modes), cases[i].after) == 0);
    }
}

TEST(modes_are_added_and_taken_away)
{
    struct sql_modes modes = {0};
    follow(&modes, "SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')");
    follow(&modes, "SET sql_mode = CONCAT_WS(',', @@sql_mode, 'NO_BACKSLASH_ESCAPES')");
    assert_string_equal(shown(&modes), "an");
    follow(&modes, "SET sql_mode = REPLACE(@@sql_mode, 'ANSI_QUOTES', '')");
    assert_string_equal(shown(&modes), "n");
}

TEST(a_mode_put_aside_comes_back)
{
    struct sql_modes modes = {0};
    follow(&modes, "SET sql_mode = 'NO_BACKSLASH_ESCAPES'");
    follow(&modes, "SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='ANSI'");
    assert_string_equal(shown(&modes), "a");
    follow(&modes, "SET SQL_MODE=@old_sql_mode");
    assert_string_equal(shown(&modes), "n");
    follow(&modes, "SET SQL_MODE=@never");
    assert_string_equal(shown(&modes), "");
}

TEST(more_are_put_aside_than_there_is_room_for)
{
    struct sql_modes modes = {0};
    follow(&modes, "SET sql_mode = 'ANSI'");
    for (int i = 0; i < 20; i++) {
        SCOPED(string) char *text = mem_format("SET @kept_%d = @@sql_mode", i);
        follow(&modes, text);
    }
    follow(&modes, "SET @a_name_that_is_longer_than_any_that_is_kept = @@sql_mode");
    assert_int_equal(modes.saved_count, ARRAY_SIZE(modes.saved));
    follow(&modes, "SET sql_mode = @kept_19");
    assert_string_equal(shown(&modes), "");
    follow(&modes, "SET sql_mode = @kept_0");
    assert_string_equal(shown(&modes), "a");
}

TEST(what_is_not_this_sessions_mode_is_left_alone)
{
    static const char *const texts[] = {
        "SET GLOBAL sql_mode = 'ANSI'",
        "SET @@global.sql_mode = 'ANSI'",
        "SET PERSIST sql_mode = 'ANSI'",
        "SET @sql_mode = 'ANSI'",
        "SET my_sql_mode = 'ANSI'",
        "SET sql_mode_x = 'ANSI'",
        "SET @x = 'sql_mode'",
        "SELECT @@sql_mode",
        "SET sql_mode",
        "SET sql_mode =",
        "SET sql_mode = '",
        "sql_mode",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct sql_modes modes = {0};
        follow(&modes, texts[i]);
        if (*shown(&modes))
            fail_msg("%s: %s", texts[i], shown(&modes));
    }
}

TEST_MAIN(UNIT(each_way_of_setting_it_is_followed), UNIT(modes_are_added_and_taken_away),
          UNIT(a_mode_put_aside_comes_back), UNIT(more_are_put_aside_than_there_is_room_for),
          UNIT(what_is_not_this_sessions_mode_is_left_alone))
