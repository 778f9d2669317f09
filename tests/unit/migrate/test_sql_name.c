#include "harness/test.h"

#include "base/mem.h"
#include "migrate/sql_name.h"

#include <string.h>

TEST(a_plain_name_has_no_schema_and_no_quotes)
{
    static const struct {
        int line;
        enum db_engine engine;
        const char *written;
        const char *plain;
    } cases[] = {
        {__LINE__, DB_POSTGRES, "Goods", "goods"},
        {__LINE__, DB_POSTGRES, "store.Goods", "goods"},
        {__LINE__, DB_POSTGRES, "store.\"Goods\"", "Goods"},
        {__LINE__, DB_POSTGRES, "\"a.\"\"b\"", "a.\"b"},
        {__LINE__, DB_MYSQL, "`Goods`", "Goods"},
        {__LINE__, DB_MYSQL, "\"Goods\"", "Goods"},
        {__LINE__, DB_SQLITE, "[Goods]", "Goods"},
        {__LINE__, DB_SQLITE, "[a[b]", "a[b"},
        {__LINE__, DB_SQLITE, "", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SCOPED(string) char *plain = name_plain(cases[i].engine, cases[i].written);
        assert_case(cases[i].line, strcmp(plain, cases[i].plain) == 0);
    }
}

TEST(names_are_the_same_when_the_server_would_find_the_same_thing)
{
    static const struct {
        int line;
        enum db_engine engine;
        const char *a;
        const char *b;
        bool same;
    } cases[] = {
        {__LINE__, DB_POSTGRES, "goods", "GOODS", true},
        {__LINE__, DB_POSTGRES, "goods", "\"goods\"", true},
        {__LINE__, DB_POSTGRES, "goods", "\"Goods\"", false},
        {__LINE__, DB_MYSQL, "goods", "`Goods`", true},
        {__LINE__, DB_SQLITE, "goods", "[Goods]", true},
        {__LINE__, DB_POSTGRES, "store.goods", "goods", true},
        {__LINE__, DB_POSTGRES, "store.goods", "Store.goods", true},
        {__LINE__, DB_POSTGRES, "store.goods", "shop.goods", false},
        {__LINE__, DB_POSTGRES, "goods", "good", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_case(cases[i].line,
                    name_same(cases[i].engine, cases[i].a, cases[i].b) == cases[i].same);
        assert_case(cases[i].line,
                    name_same(cases[i].engine, cases[i].b, cases[i].a) == cases[i].same);
    }
}

TEST_MAIN(UNIT(a_plain_name_has_no_schema_and_no_quotes),
          UNIT(names_are_the_same_when_the_server_would_find_the_same_thing))
