#include "harness/test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/os.h"
#include "db/db.h"
#include "migrate/schema.h"

#include <string.h>

static void read_schema(const char *script, struct schema *schema)
{
    struct error err = ERROR_INIT;
    SCOPED(db) struct db *db = NULL;
    char path[] = ":memory:";
    const struct db_url url = {.engine = DB_SQLITE, .database = path};
    const struct db_options options = {.os = os_real(), .create = true};
    assert_ok(db_open(&url, &options, &db, &err), err);
    SCOPED(string) char *rest = mem_string(script);
    char *at = rest;
    for (char *one = strsep(&at, ";"); one; one = strsep(&at, ";"))
        if (strspn(one, " ") != strlen(one))
            assert_ok(db_execute(db, one, NULL, 0, NULL, &err), err);
    assert_ok(schema_read(db, "schema_migrations", schema, &err), err);
}

/* The lines of the difference, with a bar between them. */
static char *difference(const char *before, const char *after)
{
    SCOPED(schema) struct schema left = SCHEMA_INIT;
    SCOPED(schema) struct schema right = SCHEMA_INIT;
    SCOPED(text_list) struct text_list lines = TEXT_LIST_INIT;
    struct buf buf = BUF_INIT;
    read_schema(before, &left);
    read_schema(after, &right);
    size_t count = schema_compare(&left, &right, &lines);
    assert_true((count == 0) == (lines.count == 0));
    for (size_t i = 0; i < lines.count; i++)
        buf_append_format(&buf, "%s%s", i ? "|" : "", lines.items[i]);
    return buf_steal(&buf);
}

TEST(what_people_do_not_mean_is_no_difference)
{
    static const struct {
        int line;
        const char *before;
        const char *after;
    } cases[] = {
        {__LINE__, "CREATE TABLE t (a integer, b text)", "CREATE TABLE t (b text, a integer)"},
        {__LINE__, "CREATE TABLE t (a integer CHECK (a > 0))",
         "create table t(a integer check(a>0))"},
        {__LINE__, "", "CREATE TABLE schema_migrations (version text)"},
        {__LINE__, "CREATE VIEW v AS SELECT 1 AS a", "CREATE VIEW v AS select 1  as a"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SCOPED(string) char *lines = difference(cases[i].before, cases[i].after);
        if (*lines)
            fail_msg("case at line %d: %s", cases[i].line, lines);
    }
}

TEST(whatever_else_differs_is_told)
{
    static const struct {
        int line;
        const char *before;
        const char *after;
        const char *told; /* a part of it */
    } cases[] = {
        {__LINE__, "CREATE TABLE t (a integer)", "", "- column t.a"},
        {__LINE__, "", "CREATE TABLE t (a integer)", "+ column t.a"},
        {__LINE__, "CREATE TABLE t (a integer)", "CREATE TABLE t (a text)", "+ column t.a: text"},
        {__LINE__, "CREATE TABLE t (a text)", "CREATE TABLE t (a text DEFAULT 'x')", "'x'"},
        {__LINE__, "CREATE TABLE t (a text)", "CREATE TABLE t (a text COLLATE nocase)", "nocase"},
        {__LINE__, "CREATE TABLE t (a text CHECK (a <> 'A'))",
         "CREATE TABLE t (a text CHECK (a <> 'a'))", "'a'"},
        {__LINE__, "CREATE TABLE t (a text)", "CREATE TABLE t (a text); CREATE INDEX i ON t (a)",
         "+ index"},
        {__LINE__, "CREATE VIEW v AS SELECT 1 AS a", "CREATE VIEW v AS SELECT 2 AS a", "2"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SCOPED(string) char *lines = difference(cases[i].before, cases[i].after);
        if (!strstr(lines, cases[i].told))
            fail_msg("case at line %d: %s", cases[i].line, lines);
    }
}

TEST_MAIN(UNIT(what_people_do_not_mean_is_no_difference), UNIT(whatever_else_differs_is_told))
