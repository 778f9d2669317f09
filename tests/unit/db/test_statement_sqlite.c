#include "statement_cases.h"

static const struct statement_options options = {.dialect = DB_SQLITE, .name = "case"};

#define CHECK(...)                                                                                 \
    static const struct statement_case cases[] = {__VA_ARGS__};                                    \
    check_cases(&options, cases, sizeof cases / sizeof *cases)

TEST(quotes_and_comments_hide_semicolons)
{
    CHECK({__LINE__, "select ';', 'a'';', \";\", `;`, [x;[y] ; b",
           "select ';', 'a'';', \";\", `;`, [x;[y] | b"},
          {__LINE__, "select 'a\\'; b", "select 'a\\' | b"},
          {__LINE__, "-- ;\nselect 1; /* ; /* */ select 2 -- x", "select 1 | select 2"},
          {__LINE__, "select 1; /* x", "select 1 | error 1:11"},
          {__LINE__, "select [a", "error 1:8"}, {__LINE__, "select (1;2)", "select (1 | 2)"});
}

TEST(a_trigger_ends_where_its_body_does)
{
    CHECK({__LINE__,
           "create trigger t after insert on a begin select 1; update b set c = 2; end; x",
           "create trigger t after insert on a begin select 1; update b set c = 2; end | x"},
          {__LINE__,
           "create temp trigger t after insert on a when case when 1 then 2 end begin "
           "select case when 1 then 2 end; end ; x",
           "create temp trigger t after insert on a when case when 1 then 2 end begin "
           "select case when 1 then 2 end; end | x"},
          {__LINE__, "create trigger t after insert on a begin select 1; /* x */ end; x",
           "create trigger t after insert on a begin select 1; /* x */ end | x"},
          {__LINE__, "create trigger \"begin\" after insert on a begin select \"end\"; end; x",
           "create trigger \"begin\" after insert on a begin select \"end\"; end | x"},
          {__LINE__, "explain query plan create trigger t after insert on a begin select 1; end; x",
           "explain query plan create trigger t after insert on a begin select 1; end | x"},
          {__LINE__, "begin; select 1; end; create table trigger(begin);",
           "begin | select 1 | end | create table trigger(begin)"},
          {__LINE__, "create trigger t after insert on a begin select 1;", "error 1:1"});
}

TEST(a_table_or_column_may_be_called_begin)
{
    CHECK({__LINE__, "create trigger t after insert on begin begin select 1; end; x",
           "create trigger t after insert on begin begin select 1; end | x"},
          {__LINE__, "create trigger t after insert on a when new.begin begin select 1; end; x",
           "create trigger t after insert on a when new.begin begin select 1; end | x"},
          {__LINE__, "create trigger begin after insert on begin begin select 1; end; x",
           "create trigger begin after insert on begin begin select 1; end | x"},
          {__LINE__,
           "create trigger t after insert on a begin select 1; begin select 2; end; end; x",
           "create trigger t after insert on a begin select 1; begin select 2; end; end | x"});
}

TEST(a_line_with_a_number_sign_is_a_comment_before_a_statement)
{
    CHECK({__LINE__, "# it's; x\nselect 1;\n# y;\n", "select 1"},
          {__LINE__, "\xEF\xBB\xBF#!/usr/bin/sqlite3\nselect 1", "select 1"},
          {__LINE__, "select 1\n# y;\nselect 2", "select 1\n# y | select 2"},
          {__LINE__, " # y; z", "# y | z"}, {__LINE__, "select 1; # y", "select 1 | # y"});
}

TEST(commands_of_the_shell_are_refused)
{
    CHECK({__LINE__, "select 1;\n.read x\n", "select 1 | error 2:1"},
          {__LINE__, "select 1\n.5;", "select 1\n.5"});
}

TEST_MAIN(UNIT(quotes_and_comments_hide_semicolons), UNIT(a_trigger_ends_where_its_body_does),
          UNIT(a_table_or_column_may_be_called_begin),
          UNIT(a_line_with_a_number_sign_is_a_comment_before_a_statement),
          UNIT(commands_of_the_shell_are_refused))
