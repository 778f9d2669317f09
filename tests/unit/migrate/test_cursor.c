#include "harness/test.h"

#include "base/mem.h"
#include "migrate/cursor.h"

#include <string.h>

static struct cursor over(struct tokens *tokens, enum db_engine engine, const char *text)
{
    tokens_clear(tokens);
    tokens_read(tokens, engine, text, strlen(text));
    return cursor_over(tokens);
}

static void assert_rest(const struct cursor *cursor, const char *expected)
{
    SCOPED(string) char *rest = cursor_written(cursor);
    assert_string_equal(rest, expected);
}

TEST(words_are_taken_whole_or_not_at_all)
{
    SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
    struct cursor cursor = over(&tokens, DB_POSTGRES, "add  COLUMN if not exists (a)");
    assert_false(cursor_take(&cursor, "ADD CONSTRAINT"));
    assert_true(cursor_is(&cursor, "ADD COLUMN"));
    assert_true(cursor_take(&cursor, "ADD COLUMN"));
    assert_true(cursor_take(&cursor, "IF NOT EXISTS ("));
    assert_rest(&cursor, "a)");
    assert_false(cursor_is(&cursor, "A ) B"));
}

TEST(searching_does_not_look_into_parentheses)
{
    SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
    struct cursor cursor = over(&tokens, DB_POSTGRES, "a (x y) b x z");
    assert_int_equal(cursor_find(&cursor, "x"), 6);
    assert_int_equal(cursor_find(&cursor, "y"), TOKEN_NONE);
    assert_true(cursor_has(&cursor, "b x"));
    assert_false(cursor_has(&cursor, "x y"));
    assert_true(cursor_mentions(&cursor, "x y"));
    assert_false(cursor_mentions(&cursor, "y x"));
    assert_true(cursor_seek(&cursor, "x"));
    assert_rest(&cursor, "x z");
}

TEST(what_is_nowhere_moves_nothing)
{
    SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
    struct cursor cursor = over(&tokens, DB_POSTGRES, "a (b) c");
    assert_false(cursor_seek(&cursor, "b"));
    assert_false(cursor_pass(&cursor, "b"));
    assert_rest(&cursor, "a (b) c");
    assert_true(cursor_pass(&cursor, "a"));
    assert_rest(&cursor, "(b) c");
}

TEST(nothing_is_found_behind_the_end_of_a_part)
{
    SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
    struct cursor cursor = over(&tokens, DB_POSTGRES, "a, b");
    struct cursor item;
    assert_true(cursor_item(&cursor, &item));
    assert_false(cursor_has(&item, "b"));
    assert_false(cursor_is(&item, "a ,"));
    assert_null(cursor_ahead(&item, 1));
    assert_true(cursor_take(&item, "a"));
    assert_true(cursor_ended(&item));
    assert_null(cursor_token(&item));
    cursor_skip(&item);
    assert_rest(&cursor, "b");
}

TEST(a_group_is_what_the_parentheses_hold)
{
    SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
    struct cursor cursor = over(&tokens, DB_POSTGRES, "(a (b)) c (d");
    struct cursor group = cursor_group(&cursor);
    assert_rest(&group, "a (b)");
    assert_rest(&cursor, "c (d");
    group = cursor_group(&cursor);
    assert_true(cursor_ended(&group));
    assert_rest(&cursor, "c (d");
    cursor_skip(&cursor);
    group = cursor_group(&cursor);
    assert_rest(&group, "d");
    assert_true(cursor_ended(&cursor));
}

TEST(a_group_ends_where_its_part_ends)
{
    SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
    struct cursor cursor = over(&tokens, DB_POSTGRES, "(a b) c");
    cursor.end = 2;
    struct cursor group = cursor_group(&cursor);
    assert_rest(&group, "a");
    assert_true(cursor_ended(&cursor));
}

TEST(items_end_at_commas_outside_of_parentheses)
{
    static const char *const expected[] = {"f(a, b)", "", "c"};
    SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
    struct cursor cursor = over(&tokens, DB_POSTGRES, "f(a, b),, c");
    struct cursor item;
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        assert_true(cursor_item(&cursor, &item));
        assert_rest(&item, expected[i]);
    }
    assert_false(cursor_item(&cursor, &item));
}

TEST(names_are_folded_as_the_server_folds_them)
{
    static const struct {
        int line;
        enum db_engine engine;
        const char *text;
        const char *name; /* NULL: none comes */
        const char *rest;
    } cases[] = {
        {__LINE__, DB_POSTGRES, "Goods x", "goods", "x"},
        {__LINE__, DB_POSTGRES, "Store.\"Goods\"", "store.Goods", ""},
        {__LINE__, DB_POSTGRES, "public.goods", "goods", ""},
        {__LINE__, DB_POSTGRES, "\"a\"\"b\"", "a\"b", ""},
        {__LINE__, DB_SQLITE, "main.[Odd Name]", "odd name", ""},
        {__LINE__, DB_MYSQL, "`Store`.`a``b`", "store.a`b", ""},
        {__LINE__, DB_MYSQL, "\"Ansi\"", "ansi", ""},
        {__LINE__, DB_MYSQL, "public.goods", "public.goods", ""},
        {__LINE__, DB_POSTGRES, "a.*", "a", ". *"},
        {__LINE__, DB_POSTGRES, "'text'", NULL, "'text'"},
        {__LINE__, DB_POSTGRES, "(a)", NULL, "(a)"},
        {__LINE__, DB_POSTGRES, "", NULL, ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
        struct cursor cursor = over(&tokens, cases[i].engine, cases[i].text);
        struct sql_name name = {.text = "untouched"};
        bool found = cursor_name(&cursor, &name);
        assert_case(cases[i].line, found == (cases[i].name != NULL));
        assert_case(cases[i].line, strcmp(name.text, found ? cases[i].name : "untouched") == 0);
        assert_case(cases[i].line, cursor_ended(&cursor) == (cases[i].rest[0] == '\0'));
    }
}

TEST(a_very_long_name_is_cut)
{
    SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
    char text[1000];
    struct sql_name name;
    memset(text, 'a', sizeof text);
    text[500] = '.';
    text[sizeof text - 1] = '\0';
    struct cursor cursor = over(&tokens, DB_POSTGRES, text);
    assert_true(cursor_name(&cursor, &name));
    assert_int_equal(strlen(name.text), sizeof name.text - 1);
    assert_true(cursor_ended(&cursor));
}

TEST(a_written_name_stays_as_it_is)
{
    SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
    struct cursor cursor = over(&tokens, DB_POSTGRES, "Store.\"Goods\" (a)");
    SCOPED(string) char *name = cursor_written_name(&cursor);
    assert_string_equal(name, "Store.\"Goods\"");
    assert_rest(&cursor, "(a)");
    assert_null(cursor_written_name(&cursor));
}

TEST(text_has_one_spelling)
{
    static const struct {
        int line;
        size_t room;
        const char *text;
        const char *spelled;
    } cases[] = {
        {__LINE__, 64, "NUMERIC ( 10 , 2 )", "numeric(10,2)"},
        {__LINE__, 64, "Character  Varying /* x */ (5)", "character varying(5)"},
        {__LINE__, 64, "DEFAULT 'It''s' :: Text", "default 'It''s'::text"},
        {__LINE__, 64, "\"Odd\" [ ]", "\"Odd\"[]"},
        {__LINE__, 5, "numeric", "nume"},
        {__LINE__, 64, "", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
        struct cursor cursor = over(&tokens, DB_POSTGRES, cases[i].text);
        char spelled[64];
        cursor_text(&cursor, spelled, cases[i].room);
        assert_case(cases[i].line, strcmp(spelled, cases[i].spelled) == 0);
    }
}

TEST_MAIN(UNIT(words_are_taken_whole_or_not_at_all), UNIT(searching_does_not_look_into_parentheses),
          UNIT(what_is_nowhere_moves_nothing), UNIT(nothing_is_found_behind_the_end_of_a_part),
          UNIT(a_group_is_what_the_parentheses_hold), UNIT(a_group_ends_where_its_part_ends),
          UNIT(items_end_at_commas_outside_of_parentheses),
          UNIT(names_are_folded_as_the_server_folds_them), UNIT(a_very_long_name_is_cut),
          UNIT(a_written_name_stays_as_it_is), UNIT(text_has_one_spelling))
