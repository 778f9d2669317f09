#include "harness/migration_text.h"
#include "harness/test.h"

#include "base/error.h"
#include "base/mem.h"
#include "migrate/migration.h"

#include <stdio.h>
#include <string.h>

static void give(struct migration_set *set, const char *version)
{
    migration_set_give(set, migration_of_text(DB_SQLITE, version, "SELECT 1;\n"));
}

static void assert_found(const struct migration_set *set, const char *version, const char *wanted)
{
    const struct migration *found = migration_set_find(set, version);
    if (!wanted) {
        assert_null(found);
        return;
    }
    assert_non_null(found);
    assert_string_equal(found->version, wanted);
}

TEST(versions_are_compared_as_numbers_where_they_are_numbers)
{
    static const struct {
        int line;
        const char *low;
        const char *high; /* NULL: the same as the next */
        const char *same;
    } cases[] = {
        {__LINE__, "2", "10", NULL},
        {__LINE__, "1.2", "1.10", NULL},
        {__LINE__, "1.9", "2", NULL},
        {__LINE__, "99999999999999999999", "100000000000000000000", NULL},
        {__LINE__, "20240101000001", "R__views", NULL},
        {__LINE__, "R__a", "R__b", NULL},
        {__LINE__, "1", NULL, "001"},
        {__LINE__, "1", NULL, "1.0.0"},
        {__LINE__, "1.2", NULL, "1.2.0"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *other = cases[i].high ? cases[i].high : cases[i].same;
        int forth = migration_version_compare(cases[i].low, other);
        int back = migration_version_compare(other, cases[i].low);
        if (cases[i].high ? forth >= 0 || back <= 0 : forth != 0 || back != 0)
            fail_msg("line %d: %d and %d", cases[i].line, forth, back);
    }
}

TEST(a_set_finds_each_of_its_migrations_and_no_other)
{
    struct error err = ERROR_INIT;
    SCOPED(migration_set) struct migration_set set = MIGRATION_SET_INIT;
    assert_found(&set, "1", NULL);
    for (int i = 1; i <= 1000; i++) {
        char version[16];
        snprintf(version, sizeof version, "%d", 2 * i);
        give(&set, version);
    }
    give(&set, "R__views");
    assert_ok(migration_set_sort(&set, &err), err);
    for (int i = 1; i <= 2001; i++) {
        char version[16];
        snprintf(version, sizeof version, "%d", i);
        assert_found(&set, version, i % 2 ? NULL : version);
    }
    assert_found(&set, "0008", "8");
    assert_found(&set, "R__views", "R__views");
    assert_found(&set, "R__other", NULL);
}

TEST(a_set_finds_what_was_given_out_of_order_before_and_after_sorting)
{
    static const char *const versions[] = {"10", "2", "R__v", "1", "30", "3"};
    struct error err = ERROR_INIT;
    SCOPED(migration_set) struct migration_set set = MIGRATION_SET_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        give(&set, versions[i]);
        for (size_t j = 0; j < ARRAY_SIZE(versions); j++)
            assert_found(&set, versions[j], j <= i ? versions[j] : NULL);
    }
    assert_ok(migration_set_sort(&set, &err), err);
    for (size_t j = 0; j < ARRAY_SIZE(versions); j++)
        assert_found(&set, versions[j], versions[j]);
    assert_string_equal(set.items[0]->version, "1");
    assert_string_equal(set.items[5]->version, "R__v");
    give(&set, "4");
    assert_found(&set, "4", "4");
    assert_found(&set, "30", "30");
}

TEST(two_of_one_version_are_refused_with_both_named)
{
    struct error err = ERROR_INIT;
    SCOPED(migration_set) struct migration_set set = MIGRATION_SET_INIT;
    give(&set, "1");
    give(&set, "2");
    give(&set, "01");
    assert_int_equal(migration_set_sort(&set, &err), -1);
    assert_non_null(strstr(err.message, "two migrations have the version"));
}

TEST_MAIN(UNIT(versions_are_compared_as_numbers_where_they_are_numbers),
          UNIT(a_set_finds_each_of_its_migrations_and_no_other),
          UNIT(a_set_finds_what_was_given_out_of_order_before_and_after_sorting),
          UNIT(two_of_one_version_are_refused_with_both_named))
