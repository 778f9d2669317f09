#include "harness/test.h"

#include "base/mem.h"
#include "migrate/directive.h"

#include <string.h>

struct directive_case {
    int line;
    enum syntax syntax;
    const char *text;
    enum directive_kind kind;
    bool outside;
};

TEST(a_comment_is_a_directive_only_as_it_is_spelt)
{
    static const struct directive_case cases[] = {
        {__LINE__, SYNTAX_KEDGE, "-- +migrate Up", DIRECTIVE_UP, false},
        {__LINE__, SYNTAX_KEDGE, "--+MIGRATE up", DIRECTIVE_UP, false},
        {__LINE__, SYNTAX_KEDGE, "-- +migrate Down notransaction", DIRECTIVE_DOWN, true},
        {__LINE__, SYNTAX_KEDGE, "-- +migrate StatementBegin", DIRECTIVE_STATEMENT_BEGIN, false},
        {__LINE__, SYNTAX_KEDGE, "-- +migrate StatementEnd", DIRECTIVE_STATEMENT_END, false},
        {__LINE__, SYNTAX_KEDGE, "-- +migrate Up;", DIRECTIVE_BAD, false},
        {__LINE__, SYNTAX_KEDGE, "-- +migrate Up of it", DIRECTIVE_BAD, false},
        {__LINE__, SYNTAX_KEDGE, "-- +migrate Sideways", DIRECTIVE_BAD, false},
        {__LINE__, SYNTAX_KEDGE, "-- +migrat Up", DIRECTIVE_BAD, false},
        {__LINE__, SYNTAX_KEDGE, "-- +Down", DIRECTIVE_BAD, false},
        {__LINE__, SYNTAX_KEDGE, "-- migrate Up", DIRECTIVE_BAD, false},
        {__LINE__, SYNTAX_KEDGE, "# +migrate Up", DIRECTIVE_BAD, false},
        {__LINE__, SYNTAX_KEDGE, "-- +goose Down", DIRECTIVE_BAD, false},
        {__LINE__, SYNTAX_KEDGE, "-- migrate:down", DIRECTIVE_BAD, false},
        {__LINE__, SYNTAX_KEDGE, "-- we migrate up here", DIRECTIVE_NONE, false},
        {__LINE__, SYNTAX_KEDGE, "-- + 1", DIRECTIVE_NONE, false},
        {__LINE__, SYNTAX_KEDGE, "--", DIRECTIVE_NONE, false},
        {__LINE__, SYNTAX_GOOSE, "-- +goose NO TRANSACTION", DIRECTIVE_NO_TRANSACTION, false},
        {__LINE__, SYNTAX_GOOSE, "-- +goose ENVSUB ON", DIRECTIVE_ENVSUB, false},
        {__LINE__, SYNTAX_GOOSE, "-- +migrate Down", DIRECTIVE_BAD, false},
        {__LINE__, SYNTAX_DBMATE, "-- migrate:up transaction:false", DIRECTIVE_UP, true},
        {__LINE__, SYNTAX_DBMATE, "-- migrate:sideways", DIRECTIVE_BAD, false},
        {__LINE__, SYNTAX_PLAIN, "-- +migrate Up", DIRECTIVE_NONE, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct directive_case *it = &cases[i];
        struct directive found = directive_parse(it->syntax, it->text, strlen(it->text), true, 1);
        assert_case(it->line, found.kind == it->kind);
        assert_case(it->line, found.outside == it->outside);
        assert_case(it->line, (found.problem != NULL) == (it->kind == DIRECTIVE_BAD));
    }
}

TEST(a_directive_begins_its_line)
{
    static const char text[] = "-- +migrate Up";
    size_t size = strlen(text);
    assert_int_equal(directive_parse(SYNTAX_KEDGE, text, size, false, 9).kind, DIRECTIVE_BAD);
    assert_int_equal(directive_parse(SYNTAX_KEDGE, text, size, true, 3).kind, DIRECTIVE_BAD);
}

TEST(the_first_directive_says_whose_file_it_is)
{
    static const struct {
        int line;
        const char *text;
        enum syntax syntax;
    } cases[] = {
        {__LINE__, "\xEF\xBB\xBF-- +migrate Up\n-- +goose Up\n", SYNTAX_KEDGE},
        {__LINE__, "-- by hand\r\n  -- +goose Up\r\n", SYNTAX_GOOSE},
        {__LINE__, "\n\n-- migrate:up", SYNTAX_DBMATE},
        {__LINE__, "SELECT '-- +migrate Up';", SYNTAX_PLAIN},
        {__LINE__, "/* +migrate Up */", SYNTAX_PLAIN},
        {__LINE__, "", SYNTAX_PLAIN},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_case(cases[i].line,
                    directive_detect(cases[i].text, strlen(cases[i].text)) == cases[i].syntax);
}

TEST(a_block_that_would_be_a_directive_is_told_from_one_that_talks)
{
    static const struct {
        int line;
        const char *text;
        bool is;
    } cases[] = {
        {__LINE__, "/* +migrate Down */", true},
        {__LINE__, "/*+migrate Up notransaction*/", true},
        {__LINE__, "/** +goose StatementBegin **/", true},
        {__LINE__, "/*\n\t* migrate:down\n*/", true},
        {__LINE__, "/* +goose NO TRANSACTION */", true},
        {__LINE__, "/* +migrate Sideways */", false},
        {__LINE__, "/* migrate up */", false},
        {__LINE__, "/* see the section +migrate Down */", false},
        {__LINE__, "/**/", false},
        {__LINE__, "/***/", false},
        {__LINE__, "/*", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_case(cases[i].line,
                    directive_in_block(cases[i].text, strlen(cases[i].text)) == cases[i].is);
}

TEST_MAIN(UNIT(a_comment_is_a_directive_only_as_it_is_spelt), UNIT(a_directive_begins_its_line),
          UNIT(the_first_directive_says_whose_file_it_is),
          UNIT(a_block_that_would_be_a_directive_is_told_from_one_that_talks))
