#include "harness/migration_text.h"
#include "harness/test.h"

#include "base/mem.h"
#include "migrate/lint_allow.h"
#include "migrate/migration.h"

#include <string.h>

#define UP "-- +migrate Up\n"

/* Rules of this test's own: "one" and "two". */
static const struct lint_rule rules[] = {
    {"one", LINT_ERROR, LINT_EVERY, false, "the first", "do not"},
    {"two", LINT_WARNING, LINT_EVERY, false, "the second", "do not"},
};

static const struct lint_rule *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
        if (strcmp(rules[i].name, name) == 0)
            return &rules[i];
    return NULL;
}

/* "one" is found in every statement, "two" once about all of the migration. */
static char *left_of(enum db_engine engine, const char *text)
{
    struct buf shown = BUF_INIT;
    SCOPED(lint_findings) struct lint_findings findings = LINT_FINDINGS_INIT;
    SCOPED(migration) struct migration *migration = migration_of_text(engine, "1", text);
    const char *path = migration->parts[MIGRATE_UP].path;
    for (int way = MIGRATE_UP; way <= MIGRATE_DOWN; way++)
        for (size_t i = 0; i < migration->parts[way].count; i++) {
            lint_report_at(&findings, &rules[0], path, migration->parts[way].items[i].line, 1,
                           mem_string("one"));
            findings.items[findings.count - 1].statement = i;
            findings.items[findings.count - 1].direction = (enum direction)way;
        }
    lint_report_at(&findings, &rules[1], path, 1, 1, mem_string("two"));
    findings.items[findings.count - 1].statement = SIZE_MAX;
    const struct lint_text file = {path, text, strlen(text)};
    lint_allow(&file, engine, migration, &findings, 0, find);
    for (size_t i = 0; i < findings.count; i++)
        buf_append_format(&shown, "%s%s:%zu", i ? " " : "", findings.items[i].rule->name,
                          findings.items[i].line);
    return buf_steal(&shown);
}

TEST(a_comment_silences_the_statement_it_is_about)
{
    static const struct {
        int line;
        const char *text;
        const char *left;
    } cases[] = {
        {__LINE__, UP "SELECT 1;\nSELECT 2;\n", "one:2 one:3 two:1"},
        {__LINE__, UP "-- kedge:allow one: it is so\nSELECT 1;\nSELECT 2;\n", "one:4 two:1"},
        {__LINE__, UP "SELECT 1; -- kedge:allow one: it is so\nSELECT 2;\n", "one:3 two:1"},
        {__LINE__, UP "SELECT\n-- kedge:allow one: it is so\n1;\nSELECT 2;\n", "one:5 two:1"},
        {__LINE__, UP "SELECT 1;\n-- kedge:allow one: it is so\n\n-- more\nSELECT 2;\n",
         "one:2 two:1"},
        {__LINE__,
         UP "SELECT 1;\n-- kedge:allow one: it is so\n-- +migrate Down\nSELECT 2;\nSELECT 3;\n",
         "one:2 one:6 two:1"},
        {__LINE__, UP "SELECT 1;\n-- kedge:allow two: anywhere\n", "one:2"},
        {__LINE__, UP "-- kedge:allow one, two: both\nSELECT 1;\n", ""},
        {__LINE__, UP "--kedge:allow one two: both\nSELECT 1;\n", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SCOPED(string) char *left = left_of(DB_POSTGRES, cases[i].text);
        if (strcmp(left, cases[i].left) != 0)
            fail_msg("case at line %d: %s", cases[i].line, left);
    }
}

TEST(one_that_silences_nothing_is_told)
{
    static const struct {
        int line;
        const char *text;
        const char *left;
    } cases[] = {
        {__LINE__, UP "-- kedge:allow one\nSELECT 1;\n", "one:3 two:1 allow-without-reason:2"},
        {__LINE__, UP "-- kedge:allow one: \t\nSELECT 1;\n", "one:3 two:1 allow-without-reason:2"},
        {__LINE__, UP "-- kedge:allow three: it is so\nSELECT 1;\n",
         "one:3 two:1 allow-unknown-rule:2"},
        {__LINE__, UP "SELECT 1;\n-- kedge:allow one: too late\n", "one:2 two:1 allow-unused:3"},
        {__LINE__, UP "-- kedge:allowed one: another word\nSELECT 1;\n", "one:3 two:1"},
        {__LINE__, UP "SELECT '\n-- kedge:allow one: in a text\n';\n", "one:2 two:1"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SCOPED(string) char *left = left_of(DB_POSTGRES, cases[i].text);
        if (strcmp(left, cases[i].left) != 0)
            fail_msg("case at line %d: %s", cases[i].line, left);
    }
}

TEST_MAIN(UNIT(a_comment_silences_the_statement_it_is_about),
          UNIT(one_that_silences_nothing_is_told))
