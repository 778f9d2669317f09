#include "harness/migration_text.h"
#include "harness/test.h"

#include "base/mem.h"
#include "migrate/lint.h"
#include "migrate/migration.h"

#include <string.h>

#define UP "-- +migrate Up\n"
#define TABLE "CREATE TABLE t (id bigint PRIMARY KEY, a integer, b integer);\n"

struct judged {
    int line;
    enum db_engine engine;
    const char *before; /* an earlier migration, or NULL */
    const char *text;
    const char *found; /* "rule:line rule:line", in the order of the file */
};

static void judge(struct lint *lint, const char *version, const char *text,
                  struct lint_findings *findings)
{
    SCOPED(migration) struct migration *migration = migration_of_text(lint->engine, version, text);
    SCOPED(string) char *path = mem_format("%s.sql", version);
    const struct lint_text file = {path, text, strlen(text)};
    lint_migration(lint, migration, &file, 1, findings);
}

static char *shown(const struct lint_findings *findings)
{
    struct buf buf = BUF_INIT;
    for (size_t i = 0; i < findings->count; i++)
        buf_append_format(&buf, "%s%s:%zu", i ? " " : "", findings->items[i].rule->name,
                          findings->items[i].line);
    return buf_steal(&buf);
}

static void check(const struct judged *cases, size_t count, bool wants_down)
{
    for (size_t i = 0; i < count; i++) {
        SCOPED(lint_findings) struct lint_findings findings = LINT_FINDINGS_INIT;
        struct lint lint = {.engine = cases[i].engine, .wants_down = wants_down};
        if (cases[i].before)
            judge(&lint, "1", cases[i].before, NULL);
        judge(&lint, "2", cases[i].text, &findings);
        SCOPED(string) char *found = shown(&findings);
        if (strcmp(found, cases[i].found) != 0)
            fail_msg("case at line %d: %s", cases[i].line, found);
        lint_clear(&lint);
    }
}

TEST(what_is_new_may_be_changed_at_will)
{
    static const struct judged cases[] = {
        {__LINE__, DB_POSTGRES, NULL, UP TABLE "CREATE INDEX i ON t (a);\n", ""},
        {__LINE__, DB_POSTGRES, NULL, UP TABLE "ALTER TABLE T ALTER COLUMN a SET NOT NULL;\n", ""},
        {__LINE__, DB_POSTGRES, UP TABLE, UP "CREATE INDEX i ON t (a);\n",
         "index-without-concurrently:2"},
        {__LINE__, DB_POSTGRES, UP TABLE, UP "ALTER TABLE public.t ALTER COLUMN a SET NOT NULL;\n",
         "set-not-null:2"},
        {__LINE__, DB_MYSQL, NULL, UP TABLE "ALTER TABLE t DROP PRIMARY KEY;\n", ""},
        {__LINE__, DB_MYSQL, UP TABLE, UP "ALTER TABLE t DROP PRIMARY KEY;\n",
         "drop-primary-key:2"},
    };
    check(cases, ARRAY_SIZE(cases), false);
}

TEST(a_type_change_is_judged_by_the_type_that_earlier_migrations_gave)
{
    static const struct judged cases[] = {
        {__LINE__, DB_POSTGRES, UP "CREATE TABLE t (id bigint PRIMARY KEY, a varchar(20));\n",
         UP "ALTER TABLE t ALTER COLUMN a TYPE varchar(40);\n", ""},
        {__LINE__, DB_POSTGRES, UP "CREATE TABLE t (id bigint PRIMARY KEY, a varchar(20));\n",
         UP "ALTER TABLE t ALTER COLUMN a TYPE varchar(10);\n", "column-type-rewrite:2"},
        {__LINE__, DB_POSTGRES, NULL, UP "ALTER TABLE t ALTER COLUMN a TYPE varchar(10);\n",
         "column-type-unknown:2"},
        {__LINE__, DB_POSTGRES, NULL,
         UP "ALTER TABLE t ALTER COLUMN a TYPE varchar(10) USING left(a, 10);\n",
         "column-type-rewrite:2"},
    };
    check(cases, ARRAY_SIZE(cases), false);
}

TEST(what_loses_data_is_found_in_every_dialect)
{
    static const enum db_engine engines[] = {DB_POSTGRES, DB_MYSQL, DB_SQLITE};
    for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
        const struct judged cases[] = {
            {__LINE__, engines[i], NULL, UP "DROP TABLE t;\n", "drop-table:2"},
            {__LINE__, engines[i], NULL, UP "DELETE FROM t;\n", "delete-without-where:2"},
            {__LINE__, engines[i], NULL, UP "DELETE FROM t WHERE id = 1;\n", ""},
            {__LINE__, engines[i], NULL, UP "UPDATE t SET a = 1;\n", "update-without-where:2"},
            {__LINE__, engines[i], NULL, UP "SELECT 1;\n/* DROP TABLE t; */\n", ""},
            {__LINE__, engines[i], NULL, UP "INSERT INTO t VALUES ('DROP TABLE t');\n", ""},
            {__LINE__, engines[i], NULL, UP, "empty-migration:1"},
        };
        check(cases, ARRAY_SIZE(cases), false);
    }
}

TEST(each_statement_of_a_block_is_judged_at_its_own_line)
{
    static const struct judged cases[] = {
        {__LINE__, DB_POSTGRES, NULL,
         UP "SELECT 1;\n-- +migrate StatementBegin\nSELECT 2;\n  DROP TABLE t;\n"
            "-- +migrate StatementEnd\n",
         "drop-table:5"},
    };
    check(cases, ARRAY_SIZE(cases), false);
}

TEST(what_is_allowed_with_a_reason_is_silent)
{
    static const struct judged cases[] = {
        {__LINE__, DB_SQLITE, NULL,
         UP "-- kedge:allow drop-table: nobody reads it\nDROP TABLE t;\n", ""},
        {__LINE__, DB_SQLITE, NULL, UP "DROP TABLE t; -- kedge:allow drop-table: nobody reads it\n",
         ""},
        {__LINE__, DB_SQLITE, NULL, UP "-- kedge:allow drop-table\nDROP TABLE t;\n",
         "allow-without-reason:2 drop-table:3"},
        {__LINE__, DB_SQLITE, NULL, UP "-- kedge:allow drop-tabel: x\nDROP TABLE t;\n",
         "allow-unknown-rule:2 drop-table:3"},
        {__LINE__, DB_SQLITE, NULL, UP "-- kedge:allow drop-column: x\nDROP TABLE t;\n",
         "allow-unused:2 drop-table:3"},
        {__LINE__, DB_SQLITE, NULL,
         UP "-- kedge:allow drop-table: x\nDROP TABLE t;\nDROP TABLE u;\n", "drop-table:4"},
    };
    check(cases, ARRAY_SIZE(cases), false);
}

TEST(the_way_back_is_compared_with_the_way_up)
{
    static const struct judged cases[] = {
        {__LINE__, DB_SQLITE, NULL, UP TABLE, "missing-down:2"},
        {__LINE__, DB_SQLITE, NULL, UP TABLE "-- +migrate Down\nDROP TABLE t;\n", ""},
        {__LINE__, DB_SQLITE, NULL,
         UP TABLE "CREATE TABLE u (id bigint PRIMARY KEY);\n-- +migrate Down\nDROP TABLE t;\n",
         "down-incomplete:3"},
        {__LINE__, DB_SQLITE, NULL, UP TABLE "-- +migrate Down\nDROP TABLE t;\nDROP TABLE u;\n",
         "down-drops-more:5"},
    };
    check(cases, ARRAY_SIZE(cases), true);
}

TEST(rules_have_names_of_their_own_and_are_found_by_them)
{
    const struct lint_rule *rule = NULL;
    for (size_t i = 0; (rule = lint_rule_at(i)) != NULL; i++) {
        assert_true(rule->reason && *rule->reason);
        assert_ptr_equal(lint_rule_find(rule->name), rule);
    }
    assert_null(lint_rule_find("no-such-rule"));
}

TEST_MAIN(UNIT(what_is_new_may_be_changed_at_will),
          UNIT(a_type_change_is_judged_by_the_type_that_earlier_migrations_gave),
          UNIT(what_loses_data_is_found_in_every_dialect),
          UNIT(each_statement_of_a_block_is_judged_at_its_own_line),
          UNIT(what_is_allowed_with_a_reason_is_silent),
          UNIT(the_way_back_is_compared_with_the_way_up),
          UNIT(rules_have_names_of_their_own_and_are_found_by_them))
