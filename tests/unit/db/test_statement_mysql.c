#include "statement_cases.h"

static const struct statement_options options = {.dialect = DB_MYSQL, .name = "case"};

#define CHECK(...)                                                                                 \
    static const struct statement_case cases[] = {__VA_ARGS__};                                    \
    check_cases(&options, cases, sizeof cases / sizeof *cases)
#define SAME(text)                                                                                 \
    {                                                                                              \
        __LINE__, text "; x", text " | x"                                                          \
    }

TEST(quotes_hide_semicolons)
{
    CHECK({__LINE__, "select ';', 'a'';', 'b\\';', \"c\\\";\", `d;`; x",
           "select ';', 'a'';', 'b\\';', \"c\\\";\", `d;` | x"},
          {__LINE__, "select `a\\`; x", "select `a\\` | x"},
          {__LINE__, "select 'a\\\\'; x", "select 'a\\\\' | x"},
          {__LINE__, "select 'a\r\nb'; x", "select 'a\nb' | x"},
          {__LINE__, "select \\N; x", "select \\N | x"}, {__LINE__, "select 'a", "error 1:8"},
          {__LINE__, "x;\nselect `a", "x | error 2:8"});
}

TEST(comments_hide_semicolons)
{
    CHECK({__LINE__, "# a;\nselect 1 # b;\n; x", "select 1 | x"},
          {__LINE__, "-- a;\nselect 1--2; x --", "select 1--2 | x"},
          {__LINE__, "--a;\nselect 1; /* ; */ x", "select 1 | x"},
          {__LINE__, "select 1 --\t;\n; x", "select 1 | x"},
          {__LINE__, "/*!50003 select 1 */; /*!40101 SET x=';' */; y",
           "/*!50003 select 1 */ | /*!40101 SET x=';' */ | y"},
          {__LINE__, "/*M!100 select 1 */;x", "/*M!100 select 1 */ | x"},
          {__LINE__, "/*M!999999\\- enable the sandbox mode */ \n-- x\nselect 1;", "select 1"},
          {__LINE__, "select /*+ ; */ 1;x", "select /*+ ; */ 1 | x"},
          {__LINE__, "x; /* ", "x | error 1:4"}, {__LINE__, "x; /*! y", "x | error 1:4"});
}

TEST(delimiters_are_followed)
{
    CHECK({__LINE__, "delimiter //\nselect 1; select 2//\nselect 3 //\ndelimiter ;\nx; y",
           "select 1; select 2 | select 3 | x | y"},
          {__LINE__, "DELIMITER ;;\nselect ';;', ';' ;;\nDELIMITER ;\nx", "select ';;', ';' | x"},
          {__LINE__, "delimiter 'MySQL'\nselect * from t1MySQL\ndelimiter ;\nx;",
           "select * from t1 | x"},
          {__LINE__, "delimiter delimiter\nselect * from t1delimiter\ndelimiter ;\nx;",
           "select * from t1 | x"},
          {__LINE__, "delimiter done\nselect 1\ndone\nselect 2 done\ndelimiter ;\nx;",
           "select 1 | select 2 | x"},
          {__LINE__, "delimiter d//\nselect 1\nd//\nselect 2 d//\ndelimiter ;\nx;",
           "select 1 | select 2 | x"},
          {__LINE__, "delimiter $$\r\nselect 1$$\r\ndelimiter ;\r\nx;", "select 1 | x"},
          {__LINE__, "select 1\ndelimiter //\nx//", "select 1 | x"},
          {__LINE__, "select 1; delimiter //\nx;//", "select 1 | x;"},
          {__LINE__, "select a, delimiter from t; x", "select a, delimiter from t | x"},
          {__LINE__, "delimiter \\n\\n\nselect 1\n\nselect 2\n\ndelimiter ;\nx;",
           "select 1 | select 2 | x"},
          {__LINE__, "/* delimiter // */ select 1;\n-- delimiter //\nx;", "select 1 | x"},
          {__LINE__, "x;\ndelimiter\n", "x | error 2:1"},
          {__LINE__, "delimiter aaaaaaaaaaaaaaaaaaaaaaaaa\n", "error 1:1"});
}

TEST(bodies_need_no_delimiter)
{
    CHECK(
        SAME("create procedure p() begin select 1; select 2; end"),
        SAME("create procedure p(begin int) begin set x = begin; begin select 1; end; end"),
        SAME("create function f() returns int deterministic return if(1,2,3)"),
        SAME("create function f() returns char(3) character set utf8 return repeat('x', 3)"),
        SAME("create function f(a int) returns set('a','b') begin return a; end"),
        SAME("create procedure p() if a then select 1; elseif b then select 2; else select 3; end "
             "if"),
        SAME("create procedure p() begin if if(a,b,c) then select 1; end if; end"),
        SAME("create procedure p() begin case x when 1 then select 1; else begin end; end case; "
             "end"),
        SAME("create procedure p() begin set x = case a when 1 then 2 else 3 end; select 1; end"),
        SAME("create procedure p() begin if case when a then b end then select 1; end if; end"),
        SAME("create procedure p() l: begin leave l; end l"),
        SAME("create procedure p() begin l: loop set a := 1; leave l; end loop l; select 1; end"),
        SAME(
            "create procedure p() begin while a < 1 do set a = a + 1; do sleep(1); end while; end"),
        SAME("create procedure p() begin repeat set a = repeat('x', 1); until a end repeat; end"),
        SAME("create procedure p() begin for i in 1 .. 3 do select i; end for; select 1; end"),
        SAME("create procedure p() begin declare exit handler for sqlexception begin select 1; "
             "rollback; end; select 2; end"),
        SAME(
            "create procedure p() begin declare continue handler for sqlstate value '23000', 1062, "
            "not found begin end; declare c cursor for select 1; select 2; end"),
        SAME("create procedure p() begin declare continue handler for not found set d = true; "
             "select 1; end"),
        SAME("create procedure p() comment 'x' sql security invoker begin select 1; end"),
        SAME("create definer = `root`@`localhost` procedure p() begin select 1; end"),
        SAME(
            "create or replace definer=event@table trigger t before insert on x for each row begin "
            "set new.begin = new.end; end"),
        SAME("create trigger t before insert on x for each row follows y begin select 1; end"),
        SAME("create trigger t before insert on x for each row set new.a = 1"),
        SAME(
            "create trigger t before insert on x for each row if new.a then set new.b = 1; end if"),
        SAME("create event e on schedule every 1 day do begin select 1; select 2; end"),
        SAME("alter event e on schedule every 1 day do begin select 1; end"),
        SAME("begin not atomic select 1; select 2; end"),
        SAME("if 1 then begin not atomic declare x int; select 1; end; end if"),
        SAME("create procedure p() begin select begin, `begin` from t where end > 1; end"),
        SAME("create procedure p() begin create temporary table if not exists t(a int); select 1; "
             "end"),
        SAME("/*!50003 create*/ /*!50017 definer=x@y*/ /*!50003 trigger t before insert on x for "
             "each "
             "row begin select 1; end */"),
        {__LINE__, "begin; select 1; commit; begin work; end;",
         "begin | select 1 | commit | begin work | end"},
        {__LINE__, "create table t(begin int, end int); select case when 1 then 2 end; x",
         "create table t(begin int, end int) | select case when 1 then 2 end | x"},
        {__LINE__, "create view case_view as select if(1,2,3), case a when 1 then 2 end; x",
         "create view case_view as select if(1,2,3), case a when 1 then 2 end | x"},
        {__LINE__, "drop procedure if exists p; create index i on t(a); x",
         "drop procedure if exists p | create index i on t(a) | x"},
        {__LINE__, "create procedure p() begin select 1;", "error 1:1"});
}

TEST(sql_mode_is_followed)
{
    CHECK(
        {__LINE__, "set sql_mode='NO_BACKSLASH_ESCAPES'; select 'a\\'; x",
         "set sql_mode='NO_BACKSLASH_ESCAPES' | select 'a\\' | x"},
        {__LINE__, "set session sql_mode = concat(@@sql_mode, ',ANSI_QUOTES'); select \"a\\\"; x",
         "set session sql_mode = concat(@@sql_mode, ',ANSI_QUOTES') | select \"a\\\" | x"},
        {__LINE__, "set global sql_mode='NO_BACKSLASH_ESCAPES'; select 'a\\';'; x",
         "set global sql_mode='NO_BACKSLASH_ESCAPES' | select 'a\\';' | x"},
        {__LINE__,
         "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_BACKSLASH_ESCAPES' */; select '\\'; "
         "/*!40101 SET SQL_MODE=@OLD_SQL_MODE */; select '\\';'; x",
         "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_BACKSLASH_ESCAPES' */ | select '\\' "
         "| "
         "/*!40101 SET SQL_MODE=@OLD_SQL_MODE */ | select '\\';' | x"},
        {__LINE__, "set sql_mode=default; select '\\';'; x",
         "set sql_mode=default | select '\\';' | x"});
}

TEST(commands_of_the_client_are_refused)
{
    CHECK({__LINE__, "use shop;\nselect 1;", "use shop | select 1"},
          {__LINE__, "select 1;\nuse shop\nselect 2;", "select 1 | error 2:1"},
          {__LINE__, "source more.sql\n", "error 1:1"}, {__LINE__, "select 1\\G\n", "error 1:9"},
          {__LINE__, "help 'select';", "help 'select'"}, {__LINE__, "quit", "error 1:1"},
          {__LINE__, "\\u shop\n", "error 1:1"}, {__LINE__, "status_of x;", "status_of x"});
}

TEST_MAIN(UNIT(quotes_hide_semicolons), UNIT(comments_hide_semicolons),
          UNIT(delimiters_are_followed), UNIT(bodies_need_no_delimiter), UNIT(sql_mode_is_followed),
          UNIT(commands_of_the_client_are_refused))
