#include "harness/migration_text.h"
#include "harness/test.h"

#include "base/mem.h"
#include "migrate/plan.h"

#include <string.h>

#define DOWN "SELECT 1;\n-- +migrate Down\nSELECT 2;\n"

/* What a folder and a history are made of: "1 2! 3 R__v" and "1 2=failed 3@2 4#sum". */
struct site {
    struct migration_set set;
    struct history_rows rows;
};

static void site_clear(struct site *site)
{
    migration_set_clear(&site->set);
    history_rows_clear(&site->rows);
}

/* A version ended by "!" has no way down. */
static void add_migration(struct site *site, const char *word)
{
    struct error err = ERROR_INIT;
    size_t size = strcspn(word, "!");
    SCOPED(string) char *version = mem_string_n(word, size);
    struct migration *migration =
        migration_of_text(DB_SQLITE, version, word[size] ? "SELECT 1;\n" : DOWN);
    migration->repeatable = migration_version_repeatable(version);
    migration_set_give(&site->set, migration);
    assert_ok(migration_set_sort(&site->set, &err), err);
}

/* VERSION[@BATCH][=STATUS][#CHECKSUM]: applied in batch 1 with the right sum unless it says so.
 * Rows come in the order of their bytes. */
static void add_row(struct site *site, const char *word)
{
    struct history_row row = {.status = HISTORY_APPLIED, .batch = 1};
    row.memory = mem_string(word);
    row.memory[strcspn(word, "@=#")] = '\0';
    row.version = row.memory;
    row.name = "test";
    const struct migration *migration = migration_set_find(&site->set, row.version);
    const char *batch = strchr(word, '@');
    const char *status = strchr(word, '=');
    const char *sum = strchr(word, '#');
    if (batch)
        row.batch = batch[1] - '0';
    if (status)
        assert_true(history_status_parse(status + 1, &row.status));
    row.checksum = sum ? row.memory + (sum + 1 - word) : migration ? migration->checksum : "";
    ARRAY_GROW(site->rows.items, site->rows.count, site->rows.capacity);
    size_t at = site->rows.count++;
    for (; at > 0 && strcmp(site->rows.items[at - 1].version, row.version) > 0; at--)
        site->rows.items[at] = site->rows.items[at - 1];
    site->rows.items[at] = row;
}

static void each_word(struct site *site, const char *words,
                      void (*add)(struct site *site, const char *word))
{
    while (*words) {
        SCOPED(string) char *word = mem_string_n(words, strcspn(words, " "));
        add(site, word);
        words += strlen(word);
        words += *words == ' ';
    }
}

/* "+1 -2 +3late +4again": the way, the version, and what the step knows. */
static char *shown(const struct migrate_plan *plan)
{
    struct buf buf = BUF_INIT;
    for (size_t i = 0; i < plan->count; i++) {
        const struct migrate_step *step = &plan->items[i];
        bool up = step->direction == MIGRATE_UP;
        buf_append_format(&buf, "%s%c%s%s%s", i ? " " : "", up ? '+' : '-',
                          step->migration->version, step->late ? "late" : "",
                          up && step->recorded ? "again" : "");
    }
    return buf_steal(&buf);
}

struct planned {
    int line;
    const char *folder;
    const char *history;
    struct migrate_request request;
    const char *plan;    /* or NULL: */
    const char *message; /* part of the error */
    enum error_code error;
};

static void check(const struct planned *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct error err = ERROR_INIT;
        struct site site = {0};
        SCOPED(migrate_plan) struct migrate_plan plan = MIGRATE_PLAN_INIT;
        each_word(&site, cases[i].folder, add_migration);
        each_word(&site, cases[i].history, add_row);
        int result = migrate_plan_make(&site.set, &site.rows, &cases[i].request, &plan, &err);
        SCOPED(string) char *made = shown(&plan);
        if ((result == 0) != (cases[i].plan != NULL))
            fail_msg("case at line %d: %s%s", cases[i].line, made, err.message);
        if (cases[i].plan && strcmp(made, cases[i].plan) != 0)
            fail_msg("case at line %d: %s", cases[i].line, made);
        if (!cases[i].plan &&
            (err.code != cases[i].error || !strstr(err.message, cases[i].message)))
            fail_msg("case at line %d: %d %s", cases[i].line, (int)err.code, err.message);
        site_clear(&site);
    }
}

#define UP                                                                                         \
    {                                                                                              \
        .kind = MIGRATE_PLAN_UP                                                                    \
    }
#define UP_TO(v)                                                                                   \
    {                                                                                              \
        .kind = MIGRATE_PLAN_UP, .version = v                                                      \
    }
#define ONE(v)                                                                                     \
    {                                                                                              \
        .kind = MIGRATE_PLAN_ONE_UP, .version = v                                                  \
    }
#define STEPS(n)                                                                                   \
    {                                                                                              \
        .kind = MIGRATE_PLAN_DOWN_STEPS, .steps = n                                                \
    }
#define BATCH                                                                                      \
    {                                                                                              \
        .kind = MIGRATE_PLAN_DOWN_BATCH                                                            \
    }
#define TO(v)                                                                                      \
    {                                                                                              \
        .kind = MIGRATE_PLAN_DOWN_TO, .version = v                                                 \
    }
#define ALL                                                                                        \
    {                                                                                              \
        .kind = MIGRATE_PLAN_DOWN_ALL                                                              \
    }

TEST(up_runs_what_is_not_applied_in_the_order_of_versions)
{
    static const struct planned cases[] = {
        {__LINE__, "1 2 10", "", UP, .plan = "+1 +2 +10"},
        {__LINE__, "1 2 10", "1 2", UP, .plan = "+10"},
        {__LINE__, "1 2 10", "1 2 10", UP, .plan = ""},
        {__LINE__, "1 2 3", "2=failed 1=rollback 3=pending", UP, .plan = "+1again +2again +3again"},
        {__LINE__, "1 2 3", "1 3", UP, .plan = "+2late"},
        {__LINE__, "1 2 10", "", UP_TO("2"), .plan = "+1 +2"},
        {__LINE__, "1 2 10", "", ONE("2"), .plan = "+2"},
        {__LINE__, "1 2 10", "2", ONE("2"), .plan = ""},
        {__LINE__, "1 2", "", UP_TO("3"), NULL, "version 3", ERROR_NOT_FOUND},
        {__LINE__, "1", "1 9", UP, .plan = ""},
        {__LINE__, "", "", UP, .plan = ""},
    };
    check(cases, ARRAY_SIZE(cases));
}

TEST(an_applied_one_that_changed_stops_everything)
{
    static const struct planned cases[] = {
        {__LINE__, "1 2", "1#other", UP, NULL, "checksum mismatch for version 1", ERROR_CORRUPT},
        {__LINE__, "1 2", "1#other 2", STEPS(2), NULL, "mismatch for version 1", ERROR_CORRUPT},
        {__LINE__, "1 2", "1=failed", UP, .plan = "+1again +2"},
        {__LINE__, "1 2", "1#", UP, .plan = "+2"},
    };
    check(cases, ARRAY_SIZE(cases));
}

TEST(a_repeatable_one_runs_again_when_it_changed)
{
    static const struct planned cases[] = {
        {__LINE__, "1 R__v", "1 R__v", UP, .plan = ""},
        {__LINE__, "1 R__v", "1 R__v#other", UP, .plan = "+R__vagain"},
        {__LINE__, "1 R__v", "", UP, .plan = "+1 +R__v"},
        {__LINE__, "1 R__v", "R__v", UP, .plan = "+1"},
    };
    check(cases, ARRAY_SIZE(cases));
}

TEST(down_undoes_the_newest_first)
{
    static const struct planned cases[] = {
        {__LINE__, "1 2 10", "1 2 10", STEPS(2), .plan = "-10 -2"},
        {__LINE__, "1 2 10", "1 2 10=failed", STEPS(1), .plan = "-2"},
        {__LINE__, "1 2 10", "1 2 10", STEPS(9), .plan = "-10 -2 -1"},
        {__LINE__, "1 2 10", "", STEPS(1), .plan = ""},
        {__LINE__, "1 2 3", "1@1 2@2 3@2", BATCH, .plan = "-3 -2"},
        {__LINE__, "1 2 3", "1@3 2@1 3@2", BATCH, .plan = "-1"},
        {__LINE__, "1 2 3", "1@1 2@1 3@2=rollback", BATCH, .plan = "-2 -1"},
        {__LINE__, "1 2 10", "1 2 10", TO("1"), .plan = "-10 -2"},
        {__LINE__, "1 2 10", "1 2 10", TO("10"), .plan = ""},
        {__LINE__, "1 2 10", "1 2", TO("10"), NULL, "version 10 is not applied", ERROR_NOT_FOUND},
        {__LINE__, "1 2", "1 2", ALL, .plan = "-2 -1"},
    };
    check(cases, ARRAY_SIZE(cases));
}

TEST(what_cannot_be_undone_is_named)
{
    static const struct planned cases[] = {
        {__LINE__, "1 2!", "1 2", STEPS(1), NULL, "2.sql has no Down section", ERROR_FAILED},
        {__LINE__, "1 2!", "1 2", ALL, NULL, "version 2 cannot be undone", ERROR_FAILED},
        {__LINE__, "1 2!", "1", STEPS(1), .plan = "-1"},
        {__LINE__, "1", "1 2", STEPS(1), NULL, "its file is missing", ERROR_FAILED},
        {__LINE__, "1", "1 2", TO("2"), .plan = ""},
    };
    check(cases, ARRAY_SIZE(cases));
}

TEST(a_repeatable_one_is_undone_only_with_everything)
{
    static const struct planned cases[] = {
        {__LINE__, "1 R__v", "1 R__v", STEPS(5), .plan = "-1"},
        {__LINE__, "1 R__v", "1 R__v", BATCH, .plan = "-1"},
        {__LINE__, "1 R__v", "1 R__v", ALL, .plan = "-R__v -1"},
        {__LINE__, "1", "1 R__v", ALL, .plan = "-1"},
    };
    check(cases, ARRAY_SIZE(cases));
}

TEST_MAIN(UNIT(up_runs_what_is_not_applied_in_the_order_of_versions),
          UNIT(an_applied_one_that_changed_stops_everything),
          UNIT(a_repeatable_one_runs_again_when_it_changed), UNIT(down_undoes_the_newest_first),
          UNIT(what_cannot_be_undone_is_named),
          UNIT(a_repeatable_one_is_undone_only_with_everything))
