#include "harness/test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "migrate/token.h"

#include <string.h>

/* "W:create N:\"T\" S:(": the kind's letter and the text of each token. */
static char *shown(enum db_engine engine, const char *text)
{
    static const char letters[] = {
        [TOKEN_WORD] = 'W',   [TOKEN_NAME] = 'N', [TOKEN_STRING] = 'T',
        [TOKEN_NUMBER] = '0', [TOKEN_SIGN] = 'S',
    };
    SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
    struct buf buf = BUF_INIT;
    tokens_read(&tokens, engine, text, strlen(text));
    for (size_t i = 0; i < tokens.count; i++)
        buf_append_format(&buf, "%s%c:%.*s", i ? " " : "", letters[tokens.items[i].kind],
                          (int)tokens.items[i].size, tokens.items[i].text);
    return buf_steal(&buf);
}

struct lexed {
    int line;
    enum db_engine engine;
    const char *text;
    const char *tokens;
};

static void check(const struct lexed *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        SCOPED(string) char *tokens = shown(cases[i].engine, cases[i].text);
        if (strcmp(tokens, cases[i].tokens) != 0)
            fail_msg("case at line %d: %s", cases[i].line, tokens);
    }
}

TEST(words_numbers_and_signs_are_told_apart)
{
    static const struct lexed cases[] = {
        {__LINE__, DB_POSTGRES, "ALTER TABLE a2$b", "W:ALTER W:TABLE W:a2$b"},
        {__LINE__, DB_POSTGRES, "gr\xc3\xbc\xc3\x9f", "W:gr\xc3\xbc\xc3\x9f"},
        {__LINE__, DB_POSTGRES, "numeric(10,2)", "W:numeric S:( 0:10 S:, 0:2 S:)"},
        {__LINE__, DB_POSTGRES, "1.5e3+x", "0:1.5e3 S:+ W:x"},
        {__LINE__, DB_POSTGRES, "a::int4", "W:a S::: W:int4"},
        {__LINE__, DB_POSTGRES, "a:b", "W:a S:: W:b"},
        {__LINE__, DB_POSTGRES, "", ""},
    };
    check(cases, ARRAY_SIZE(cases));
}

TEST(quotes_are_what_the_engine_makes_of_them)
{
    static const struct lexed cases[] = {
        {__LINE__, DB_POSTGRES, "'it''s' x", "T:'it''s' W:x"},
        {__LINE__, DB_POSTGRES, "'a\\' x", "T:'a\\' W:x"},
        {__LINE__, DB_POSTGRES, "E'a\\'b' x", "T:E'a\\'b' W:x"},
        {__LINE__, DB_MYSQL, "'a\\'b' x", "T:'a\\'b' W:x"},
        {__LINE__, DB_POSTGRES, "\"T\"\"x\"", "N:\"T\"\"x\""},
        {__LINE__, DB_POSTGRES, "U&\"d\" U&'d'", "N:U&\"d\" T:U&'d'"},
        {__LINE__, DB_MYSQL, "\"T\" `T`", "T:\"T\" N:`T`"},
        {__LINE__, DB_SQLITE, "[a]]b] x", "N:[a] S:] W:b S:] W:x"},
        {__LINE__, DB_POSTGRES, "a[1]", "W:a S:[ 0:1 S:]"},
        {__LINE__, DB_SQLITE, "x'00' n", "T:x'00' W:n"},
        {__LINE__, DB_POSTGRES, "$$a;'b$$ c", "T:$$a;'b$$ W:c"},
        {__LINE__, DB_POSTGRES, "$t$a$$b$t$ c", "T:$t$a$$b$t$ W:c"},
        {__LINE__, DB_POSTGRES, "$1 + 2", "S:$ 0:1 S:+ 0:2"},
        {__LINE__, DB_POSTGRES, "$1$ '", "S:$ 0:1$ T:'"},
        {__LINE__, DB_MYSQL, "$$a$$", "S:$ S:$ W:a$$"},
    };
    check(cases, ARRAY_SIZE(cases));
}

TEST(comments_are_left_out_and_versioned_ones_are_code)
{
    static const struct lexed cases[] = {
        {__LINE__, DB_POSTGRES, "a -- b\nc", "W:a W:c"},
        {__LINE__, DB_POSTGRES, "a --b\nc", "W:a W:c"},
        {__LINE__, DB_MYSQL, "a -- b\nc", "W:a W:c"},
        {__LINE__, DB_MYSQL, "a --b", "W:a S:- S:- W:b"},
        {__LINE__, DB_MYSQL, "a # b\nc", "W:a W:c"},
        {__LINE__, DB_POSTGRES, "a # b", "W:a S:# W:b"},
        {__LINE__, DB_POSTGRES, "a /* b /* c */ d */ e", "W:a W:e"},
        {__LINE__, DB_SQLITE, "a /* b /* c */ d", "W:a W:d"},
        {__LINE__, DB_MYSQL, "a /*!50100 b */ c", "W:a W:b W:c"},
        {__LINE__, DB_MYSQL, "a /*M!100100 b */ c", "W:a W:b W:c"},
        {__LINE__, DB_MYSQL, "a /* b */ c", "W:a W:c"},
        {__LINE__, DB_SQLITE, "a /*! b */ c", "W:a W:c"},
    };
    check(cases, ARRAY_SIZE(cases));
}

TEST(what_is_not_closed_reaches_to_the_end)
{
    static const struct lexed cases[] = {
        {__LINE__, DB_POSTGRES, "a 'b c", "W:a T:'b c"},
        {__LINE__, DB_POSTGRES, "a \"b c", "W:a N:\"b c"},
        {__LINE__, DB_MYSQL, "a 'b\\", "W:a T:'b\\"},
        {__LINE__, DB_POSTGRES, "a $x$ b", "W:a T:$x$ b"},
        {__LINE__, DB_POSTGRES, "a /* b c", "W:a"},
        {__LINE__, DB_MYSQL, "a /*! b", "W:a W:b"},
    };
    check(cases, ARRAY_SIZE(cases));
}

TEST(parentheses_know_their_ends_and_depths)
{
    SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
    static const char text[] = ") a ( b ( c ) ) ( d '('";
    /*                          0 1 2 3 4 5 6 7 8 9 10 */
    static const size_t depths[] = {0, 0, 0, 1, 1, 2, 1, 0, 0, 1, 1};
    tokens_read(&tokens, DB_POSTGRES, text, strlen(text));
    assert_int_equal(tokens.count, ARRAY_SIZE(depths));
    for (size_t i = 0; i < tokens.count; i++)
        assert_int_equal(tokens.items[i].depth, depths[i]);
    assert_int_equal(tokens.items[2].close, 7);
    assert_int_equal(tokens.items[4].close, 6);
    assert_int_equal(tokens.items[8].close, tokens.count);
}

TEST(very_long_statements_are_cut)
{
    SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
    size_t size = TOKENS_MAXIMUM + 10;
    SCOPED(string) char *text = mem_alloc(size + 1, 1);
    memset(text, '(', size);
    text[size] = '\0';
    tokens_read(&tokens, DB_SQLITE, text, size);
    assert_int_equal(tokens.count, TOKENS_MAXIMUM);
    assert_int_equal(tokens.items[0].close, tokens.count);
}

TEST(a_word_is_compared_without_case_and_a_quoted_name_is_no_word)
{
    SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
    static const char text[] = "Table \"table\" 'table'";
    tokens_read(&tokens, DB_POSTGRES, text, strlen(text));
    assert_true(token_is(&tokens.items[0], "TABLE"));
    assert_false(token_is(&tokens.items[0], "TABLES"));
    assert_false(token_is(&tokens.items[1], "table"));
    assert_false(token_is(&tokens.items[2], "table"));
    assert_false(token_is(NULL, "table"));
    assert_true(token_is_name(&tokens.items[0]));
    assert_true(token_is_name(&tokens.items[1]));
    assert_false(token_is_name(&tokens.items[2]));
    assert_false(token_is_name(NULL));
}

TEST_MAIN(UNIT(words_numbers_and_signs_are_told_apart),
          UNIT(quotes_are_what_the_engine_makes_of_them),
          UNIT(comments_are_left_out_and_versioned_ones_are_code),
          UNIT(what_is_not_closed_reaches_to_the_end), UNIT(parentheses_know_their_ends_and_depths),
          UNIT(very_long_statements_are_cut),
          UNIT(a_word_is_compared_without_case_and_a_quoted_name_is_no_word))
