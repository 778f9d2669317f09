#include "harness/test.h"

#include "base/options.h"

#include <string.h>

static const struct option_row rows[] = {
    {.name = "yes", .type = OPTION_BOOL},
    {.name = "port", .type = OPTION_INT, .minimum = 1, .maximum = 65535},
    {.name = "wait", .type = OPTION_DURATION},
    {.name = "room", .type = OPTION_SIZE},
    {.name = "word", .type = OPTION_TEXT},
    {.name = "kind", .type = OPTION_CHOICE, .choices = "sql native"},
    {.name = "many", .type = OPTION_LIST},
    {.name = "days", .type = OPTION_INT},
};

TEST(values_are_parsed_by_type_and_written_back)
{
    static const struct {
        int line;
        size_t row;
        const char *text;
        const char *back; /* NULL: refused */
    } cases[] = {
        {__LINE__, 0, "on", "true"},       {__LINE__, 0, "maybe", NULL},
        {__LINE__, 1, "5432", "5432"},     {__LINE__, 1, "0", NULL},
        {__LINE__, 1, "65536", NULL},      {__LINE__, 1, "5432x", NULL},
        {__LINE__, 2, "90s", "90s"},       {__LINE__, 2, "120s", "2m"},
        {__LINE__, 2, "1500ms", "1500ms"}, {__LINE__, 2, "soon", NULL},
        {__LINE__, 2, "0", "0s"},          {__LINE__, 3, "4KiB", "4096"},
        {__LINE__, 3, "big", NULL},        {__LINE__, 4, "text", "text"},
        {__LINE__, 4, "", NULL},           {__LINE__, 5, "sql", "sql"},
        {__LINE__, 5, "sq", NULL},         {__LINE__, 5, "sql native", NULL},
        {__LINE__, 7, "-1", NULL},         {__LINE__, 7, "0", "0"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        struct option_value value __attribute__((cleanup(scoped_option_value_cleanup))) = {0};
        struct buf back __attribute__((cleanup(scoped_buf_cleanup))) = BUF_INIT;
        const struct option_row *row = &rows[cases[i].row];
        int result = option_value_parse(row, cases[i].text, &value, &err);
        assert_case(cases[i].line, (result == 0) == (cases[i].back != NULL));
        if (result == 0) {
            option_value_format(row, &value, &back);
            assert_case(cases[i].line, strcmp(back.data, cases[i].back) == 0);
        } else {
            assert_case(cases[i].line, err.code == ERROR_USAGE && err.message[0]);
        }
    }
}

TEST(list_items_stand_between_commas)
{
    struct error err = ERROR_INIT;
    struct option_value value __attribute__((cleanup(scoped_option_value_cleanup))) = {0};
    assert_ok(option_value_parse_list(&rows[6], " a ,, b,c ,", &value, &err), err);
    assert_int_equal(value.list.count, 3);
    assert_string_equal(value.list.items[0], "a");
    assert_string_equal(value.list.items[1], "b");
    assert_string_equal(value.list.items[2], "c");
}

TEST(secrets_are_never_written_out)
{
    static const struct option_row row = {.name = "key", .type = OPTION_TEXT, .secret = true};
    struct error err = ERROR_INIT;
    struct option_value value __attribute__((cleanup(scoped_option_value_cleanup))) = {0};
    struct buf out __attribute__((cleanup(scoped_buf_cleanup))) = BUF_INIT;
    assert_ok(option_value_parse(&row, "hunter2", &value, &err), err);
    option_value_format(&row, &value, &out);
    assert_string_equal(out.data, "(hidden)");
}

TEST(a_row_of_a_family_is_a_row_of_its_commands)
{
    static const struct option_row row = {.commands = "backup,catalog install,migrate"};
    static const struct option_row general = {.commands = "*"};
    static const struct option_row none = {.commands = NULL};
    assert_true(option_of_command(&row, "backup"));
    assert_true(option_of_command(&row, "catalog install"));
    assert_false(option_of_command(&row, "catalog check"));
    assert_false(option_of_command(&row, "catalog"));
    assert_true(option_of_command(&row, "migrate up"));
    assert_false(option_of_command(&row, "back"));
    assert_true(option_of_command(&general, "anything"));
    assert_false(option_of_command(&none, "anything"));
}

TEST(the_nearest_name_is_near)
{
    static const char *const names[] = {"backup", "list", "restore", "retention", NULL};
    assert_string_equal(option_nearest("bakcup", names), "backup");
    assert_string_equal(option_nearest("lst", names), "list");
    assert_string_equal(option_nearest("reten", names), "retention");
    assert_null(option_nearest("xyzzy", names));
}

TEST_MAIN(UNIT(values_are_parsed_by_type_and_written_back), UNIT(list_items_stand_between_commas),
          UNIT(secrets_are_never_written_out), UNIT(a_row_of_a_family_is_a_row_of_its_commands),
          UNIT(the_nearest_name_is_near))
