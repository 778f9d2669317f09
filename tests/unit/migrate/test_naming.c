#include "harness/test.h"

#include "base/arena.h"
#include "migrate/naming.h"

#include <string.h>

TEST(names_are_read_in_the_manner_of_each_tool)
{
    static const struct {
        int line;
        const char *file;
        struct {
            enum naming_kind kind;
            enum direction direction;
            bool loose, repeatable, baseline;
            const char *version, *name;
        } says;
    } cases[] = {
        {__LINE__,
         "20240101000001_add_users.sql",
         {.kind = NAMING_ONE_FILE, .version = "20240101000001", .name = "add_users"}},
        {__LINE__, "00001_a.up.sql", {.kind = NAMING_PAIR, .version = "00001", .name = "a"}},
        {__LINE__,
         "1_a.down.sql",
         {.kind = NAMING_PAIR, .direction = MIGRATE_DOWN, .version = "1", .name = "a"}},
        {__LINE__, "3.sql", {.kind = NAMING_ONE_FILE, .loose = true, .version = "3", .name = ""}},
        {__LINE__,
         "3-a b.sql",
         {.kind = NAMING_ONE_FILE, .loose = true, .version = "3", .name = "a b"}},
        {__LINE__, "V1__a.sql", {.kind = NAMING_FLYWAY, .version = "1", .name = "a"}},
        {__LINE__, "V1_2.3__a_b.sql", {.kind = NAMING_FLYWAY, .version = "1.2.3", .name = "a_b"}},
        {__LINE__,
         "U2__a.sql",
         {.kind = NAMING_FLYWAY, .direction = MIGRATE_DOWN, .version = "2", .name = "a"}},
        {__LINE__,
         "B5__all.sql",
         {.kind = NAMING_FLYWAY, .baseline = true, .version = "5", .name = "all"}},
        {__LINE__,
         "R__views.sql",
         {.kind = NAMING_FLYWAY, .repeatable = true, .version = "R__views", .name = "views"}},
    };
    SCOPED(arena) struct arena memory = ARENA_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct naming naming = {0};
        assert_case(cases[i].line, naming_parse(cases[i].file, &memory, &naming));
        assert_case(cases[i].line, naming.kind == cases[i].says.kind);
        assert_case(cases[i].line, naming.direction == cases[i].says.direction);
        assert_case(cases[i].line, naming.loose == cases[i].says.loose);
        assert_case(cases[i].line, naming.repeatable == cases[i].says.repeatable);
        assert_case(cases[i].line, naming.baseline == cases[i].says.baseline);
        assert_case(cases[i].line, strcmp(naming.version, cases[i].says.version) == 0);
        assert_case(cases[i].line, strcmp(naming.name, cases[i].says.name) == 0);
    }
}

TEST(what_is_no_migrations_name_is_none)
{
    static const char *const files[] = {
        "a.sql",    "users_1.sql", "1_a.txt",  "1_a.SQL",
        "V__a.sql", "Va__a.sql",   "V1_a.sql", "R1__a.sql",
        "U__a.sql", "1.up.sql",    ".sql",     "123456789012345678901_a.sql",
    };
    SCOPED(arena) struct arena memory = ARENA_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        struct naming naming = {0};
        if (naming_parse(files[i], &memory, &naming))
            fail_msg("%s was read as version %s", files[i], naming.version);
        assert_int_equal(naming.kind, NAMING_NONE);
    }
}

TEST(long_repeatable_names_are_cut_and_stay_apart)
{
    static const char start[] =
        "R__a_view_with_a_name_that_is_longer_than_what_the_history_holds_number_";
    SCOPED(arena) struct arena memory = ARENA_INIT;
    struct naming one = {0};
    struct naming two = {0};
    SCOPED(string) char *first = mem_format("%s1.sql", start);
    SCOPED(string) char *second = mem_format("%s2.sql", start);
    assert_true(naming_parse(first, &memory, &one) && naming_parse(second, &memory, &two));
    assert_true(strlen(one.version) <= 64);
    assert_string_not_equal(one.version, two.version);
    assert_int_equal(strncmp(one.version, start, 40), 0);
}

TEST(what_editors_leave_behind_is_passed_over)
{
    static const char *const droppings[] = {".1_a.sql.swp", "#1_a.sql#", "1_a.sql~",
                                            "1_a.sql.orig", "README.md", "Thumbs.db"};
    for (size_t i = 0; i < ARRAY_SIZE(droppings); i++)
        if (!naming_is_dropping(droppings[i]))
            fail_msg("%s is taken for somebody's work", droppings[i]);
    assert_false(naming_is_dropping("1_a.sql"));
}

TEST_MAIN(UNIT(names_are_read_in_the_manner_of_each_tool), UNIT(what_is_no_migrations_name_is_none),
          UNIT(long_repeatable_names_are_cut_and_stay_apart),
          UNIT(what_editors_leave_behind_is_passed_over))
