#include "statement_cases.h"

static const struct statement_options options = {.dialect = DB_POSTGRES, .name = "case"};

#define CHECK(...)                                                                                 \
    static const struct statement_case cases[] = {__VA_ARGS__};                                    \
    check_cases(&options, cases, sizeof cases / sizeof *cases)

TEST(plain_statements_end_at_semicolons)
{
    CHECK({__LINE__, "", ""}, {__LINE__, ";; ;", ""}, {__LINE__, "select 1", "select 1"},
          {__LINE__, "select 1;select 2 ;\n", "select 1 | select 2"},
          {__LINE__, "\xEF\xBB\xBFselect 1;", "select 1"}, {__LINE__, "\xFF\xFEs\0", "error 1:1"},
          {__LINE__, "create rule r as on insert to t do (select 1; select 2);select 3",
           "create rule r as on insert to t do (select 1; select 2) | select 3"},
          {__LINE__, "select a[1;2]; x", "select a[1 | 2] | x"},
          {__LINE__, "select (1;", "error 1:1"});
}

TEST(quotes_hide_semicolons)
{
    CHECK(
        {__LINE__, "select ';', 'a'';b', \"x;\"\";y\";z", "select ';', 'a'';b', \"x;\"\";y\" | z"},
        {__LINE__, "select 'a\\';b", "select 'a\\' | b"},
        {__LINE__, "select E'a\\';b';c", "select E'a\\';b' | c"},
        {__LINE__, "select e'\\\\';c", "select e'\\\\' | c"},
        {__LINE__, "select namee'\\';c", "select namee'\\' | c"},
        {__LINE__, "select U&'\\0041;' UESCAPE '!';c", "select U&'\\0041;' UESCAPE '!' | c"},
        {__LINE__, "select U&\"\\0041;\";c", "select U&\"\\0041;\" | c"},
        {__LINE__, "select E'a'\n'\\';b';c", "select E'a'\n'\\';b' | c"},
        {__LINE__, "select E'a' -- x\n '\\';b';c", "select E'a' -- x\n '\\';b' | c"},
        {__LINE__, "select E'a' '\\';b", "select E'a' '\\' | b"},
        {__LINE__, "select 'a'\n'\\';b", "select 'a'\n'\\' | b"},
        {__LINE__, "select B'01', X'ff';b", "select B'01', X'ff' | b"},
        {__LINE__, "select 1;\n  select 'abc\n", "select 1 | error 2:10"},
        {__LINE__, "select \"abc", "error 1:8"});
}

TEST(dollar_quotes_need_a_whole_tag)
{
    CHECK({__LINE__, "do $$ a; b $$; c", "do $$ a; b $$ | c"},
          {__LINE__, "do $a$ $$; $b$; $a$; c", "do $a$ $$; $b$; $a$ | c"},
          {__LINE__, "do $a$ $a;$$a$; c", "do $a$ $a;$$a$ | c"},
          {__LINE__, "select $1; $2", "select $1 | $2"},
          {__LINE__, "select a$t$; b$t$", "select a$t$ | b$t$"},
          {__LINE__, "select $1$a$;$a$; b", "select $1$a$;$a$ | b"},
          {__LINE__, "select $\xC3\xA9$;$\xC3\xA9$; b", "select $\xC3\xA9$;$\xC3\xA9$ | b"},
          {__LINE__, "select $1a$;$1a$", "select $1a$ | $1a$"},
          {__LINE__, "do $x$ $x", "error 1:4"});
}

TEST(comments_hide_semicolons)
{
    CHECK({__LINE__, "-- a;\nselect 1 -- b;\n;c", "select 1 | c"},
          {__LINE__, "/* a /* ; */ ; */ select 1; /* x */", "select 1"},
          {__LINE__, "select 1 /* ; /* */ ; */ + 1; c", "select 1 /* ; /* */ ; */ + 1 | c"},
          {__LINE__, "select 1-/*;*/-2;c", "select 1-/*;*/-2 | c"},
          {__LINE__, "-- a\rselect 1;", "select 1"},
          {__LINE__, "select 1;\n/* x", "select 1 | error 2:1"},
          {__LINE__, "/*/ ; */ select 1", "select 1"}, {__LINE__, "select 4/2;--", "select 4/2"});
}

TEST(sql_bodies_are_one_statement)
{
    CHECK(
        {__LINE__, "create function f() returns int begin atomic; select 1; select 2; end; x",
         "create function f() returns int begin atomic; select 1; select 2; end | x"},
        {__LINE__,
         "create or replace procedure p() begin atomic select case when true then 1 end; end;x",
         "create or replace procedure p() begin atomic select case when true then 1 end; end | x"},
        {__LINE__, "create function f(\"begin\" int, atomic int) returns int return 1; x",
         "create function f(\"begin\" int, atomic int) returns int return 1 | x"},
        {__LINE__, "begin; select 1; end;", "begin | select 1 | end"},
        {__LINE__, "create table begin (atomic int); x", "create table begin (atomic int) | x"},
        {__LINE__, "create function f() begin atomic select 1;", "error 1:1"});
}

TEST(words_of_a_body_may_be_names_in_it)
{
    CHECK({__LINE__,
           "create function f() returns int begin atomic select t.end, t.\nbegin, a.case from t; "
           "select 1 as end; select (1) as /* x */ case, 2 as \"end\"; end; x",
           "create function f() returns int begin atomic select t.end, t.\nbegin, a.case from t; "
           "select 1 as end; select (1) as /* x */ case, 2 as \"end\"; end | x"},
          {__LINE__,
           "create function f() begin atomic select case when a then 1. end; select 1.5; end; x",
           "create function f() begin atomic select case when a then 1. end; select 1.5; end | x"},
          {__LINE__, "create function begin.atomic() returns int as 'x'; y",
           "create function begin.atomic() returns int as 'x' | y"});
}

TEST(copy_rows_pass_through)
{
    CHECK(
        {__LINE__, "copy t from stdin;\n1\t;\n'2\n\\.\nselect 1;",
         "copy t from stdin <1\t;\n'2\n>/ | select 1"},
        {__LINE__, "COPY \"a;b\".t (a, b) FROM STDIN WITH (FORMAT csv);  -- rows\r\n1\r\n\\.\r\nx",
         "COPY \"a;b\".t (a, b) FROM STDIN WITH (FORMAT csv) <1\r\n>/ | x"},
        {__LINE__, "copy t from stdin;\n\\.", "copy t from stdin/"},
        {__LINE__, "copy t from stdin;\n\\.x\n\\.\n", "copy t from stdin <\\.x\n>/"},
        {__LINE__, "copy t from stdin;\n1\\.\n\\N\n\\.\nx", "copy t from stdin <1\\.\n\\N\n>/ | x"},
        {__LINE__, "copy t from stdin;\n1\n", "copy t from stdin <1\n> | error 3:1"},
        {__LINE__, "copy t from stdin", "error 1:1"},
        {__LINE__, "copy t from stdout;\n1\n\\.\nx", "copy t from stdout <1\n>/ | x"},
        {__LINE__, "copy t to stdout; x", "copy t to stdout | x"},
        {__LINE__, "copy (select 1 from stdin) to stdout; x",
         "copy (select 1 from stdin) to stdout | x"},
        {__LINE__, "copy t from 'file'; x", "copy t from 'file' | x"});
}

TEST(commands_of_psql_are_refused)
{
    CHECK({__LINE__, "\\restrict abc;'\nselect 1;\n\\unrestrict abc;'\n", "select 1"},
          {__LINE__, "select 1;\n\\connect x\n", "select 1 | error 2:1"},
          {__LINE__, "select 1 \\gset", "error 1:10"}, {__LINE__, "\\i x", "error 1:1"});
}

TEST(places_count_lines_and_characters)
{
    struct statement statement = {
        .text = "select 'h\xC3\xB6h',\n  \xC3\xA4 + x", .size = 24, .line = 7, .column = 5};
    static const struct {
        size_t position, line, column;
    } cases[] = {{0, 7, 5}, {1, 7, 5}, {8, 7, 12}, {13, 7, 17}, {15, 8, 1}, {17, 8, 3}, {18, 8, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t line = 0;
        size_t column = 0;
        statement_locate(&statement, cases[i].position, &line, &column);
        assert_int_equal(line, cases[i].line);
        assert_int_equal(column, cases[i].column);
    }
}

static int note_place(void *context, const struct statement *statement, struct error *err)
{
    (void)err;
    struct buf *shown = context;
    buf_append_format(shown, "%zu@%zu:%zu+%zu ", statement->number, statement->line,
                      statement->column, (size_t)statement->offset);
    return 0;
}

static int skip_data(void *context, const void *data, size_t size, struct error *err)
{
    return 0;
}

TEST(each_statement_knows_its_place)
{
    static const char text[] =
        "-- x\n\xC3\xA4;  b;\n\n/* \n */ copy t from stdin;\n1\n2\n\\.\n   c";
    for (size_t piece = 1; piece < sizeof text; piece++) {
        SCOPED(buf) struct buf shown = BUF_INIT;
        struct error err = ERROR_INIT;
        const struct statement_handler handler = {
            .statement = note_place, .data = skip_data, .context = &shown};
        SCOPED(statement_reader)
        struct statement_reader *reader = statement_reader_new(&options, &handler);
        for (size_t at = 0; at < sizeof text - 1; at += piece)
            assert_ok(statement_reader_push(
                          reader, text + at,
                          sizeof text - 1 - at < piece ? sizeof text - 1 - at : piece, &err),
                      err);
        assert_ok(statement_reader_finish(reader, &err), err);
        assert_string_equal(shown.data, "1@2:1+5 2@2:5+10 3@5:5+22 4@9:4+51 ");
    }
}

TEST(a_statement_has_a_maximum)
{
    struct error err = ERROR_INIT;
    SCOPED(buf) struct buf shown = BUF_INIT;
    const struct statement_options small = {
        .dialect = DB_POSTGRES, .name = "case", .max_statement_bytes = 8};
    const struct statement_handler handler = {.statement = show_statement, .context = &shown};
    assert_fails(statement_read_all(&small, &handler, "select 'a long one'", 18, &err), err,
                 ERROR_CORRUPT);
    assert_string_equal(err.message, "case:1:1: statement is longer than 8 bytes");
}

TEST_MAIN(UNIT(plain_statements_end_at_semicolons), UNIT(quotes_hide_semicolons),
          UNIT(dollar_quotes_need_a_whole_tag), UNIT(comments_hide_semicolons),
          UNIT(sql_bodies_are_one_statement), UNIT(words_of_a_body_may_be_names_in_it),
          UNIT(copy_rows_pass_through), UNIT(commands_of_psql_are_refused),
          UNIT(places_count_lines_and_characters), UNIT(each_statement_knows_its_place),
          UNIT(a_statement_has_a_maximum))
