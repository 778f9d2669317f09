#include "harness/test.h"

#include "base/mem.h"
#include "migrate/lint_pgdefault.h"
#include "migrate/lint_pgtype.h"

#include <string.h>

TEST(only_wider_types_are_free)
{
    static const struct {
        int line;
        const char *before;
        const char *after;
        enum pgtype_change change;
    } cases[] = {
        {__LINE__, "varchar(20)", "varchar(40)", PGTYPE_FREE},
        {__LINE__, "varchar(20)", "varchar", PGTYPE_FREE},
        {__LINE__, "varchar(20)", "text", PGTYPE_FREE},
        {__LINE__, "varchar(40)", "varchar(20)", PGTYPE_REWRITE},
        {__LINE__, "text", "varchar(20)", PGTYPE_REWRITE},
        {__LINE__, "numeric(10,2)", "numeric(12,2)", PGTYPE_FREE},
        {__LINE__, "numeric(10,2)", "numeric(12,4)", PGTYPE_REWRITE},
        {__LINE__, "integer", "bigint", PGTYPE_REWRITE},
        {__LINE__, "integer", "int4", PGTYPE_FREE},
        {__LINE__, "char(5)", "char(10)", PGTYPE_REWRITE},
        {__LINE__, NULL, "bigint", PGTYPE_REWRITE},
        {__LINE__, NULL, "text", PGTYPE_UNKNOWN},
        {__LINE__, NULL, "varchar(40)", PGTYPE_UNKNOWN},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (pgtype_change(cases[i].before, cases[i].after) != cases[i].change)
            fail_msg("case at line %d: %d", cases[i].line,
                     (int)pgtype_change(cases[i].before, cases[i].after));
}

TEST(a_default_is_volatile_when_it_calls_what_is_not_known_to_be_steady)
{
    static const struct {
        int line;
        const char *expression;
        bool is_volatile;
    } cases[] = {
        {__LINE__, "0", false},
        {__LINE__, "now()", false},
        {__LINE__, "CURRENT_TIMESTAMP", false},
        {__LINE__, "'random()'", false},
        {__LINE__, "(1 + 2)", false},
        {__LINE__, "gen_random_uuid()", true},
        {__LINE__, "lower(md5(random()::text))", true},
        {__LINE__, "my_function(1)", true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
        tokens_read(&tokens, DB_POSTGRES, cases[i].expression, strlen(cases[i].expression));
        const struct cursor cursor = cursor_over(&tokens);
        assert_case(cases[i].line, pgdefault_is_volatile(&cursor) == cases[i].is_volatile);
    }
}

TEST_MAIN(UNIT(only_wider_types_are_free),
          UNIT(a_default_is_volatile_when_it_calls_what_is_not_known_to_be_steady))
