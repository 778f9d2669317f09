#include "fixture.h"

#include "catalog/schedules.h"

TEST(schedule_keeps_its_runs_when_the_configuration_changes)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    struct schedule_row row = SCHEDULE_ROW_INIT;
    row.name = "nightly";
    row.target = "shop";
    row.type = "database";
    row.cron_expression = "0 2 * * *";
    assert_ok(schedules_upsert(fixture.catalog, &row, &err), err);
    assert_ok(schedules_set_next(fixture.catalog, row.id, 1000000, &err), err);
    assert_int_equal(schedules_take(fixture.catalog, row.id, 1000000, 2000000, &err), 1);
    assert_int_equal(schedules_take(fixture.catalog, row.id, 1000000, 2000000, &err), 0);
    assert_ok(schedules_count(fixture.catalog, row.id, true, &err), err);
    row.cron_expression = "0 3 * * *";
    assert_ok(schedules_upsert(fixture.catalog, &row, &err), err);
    struct schedule_row read = SCHEDULE_ROW_INIT;
    assert_int_equal(schedules_get(fixture.catalog, "nightly", &read, &err), 1);
    assert_string_equal(read.cron_expression, "0 3 * * *");
    assert_int_equal(read.next_run_ns, 2000000);
    assert_true(read.last_run_ns > 0);
    assert_int_equal(read.success_count, 1);
    assert_int_equal(read.retention_days, -1);
    schedule_row_clear(&read);
    assert_int_equal(schedules_remove(fixture.catalog, "nightly", &err), 1);
    assert_int_equal(schedules_get(fixture.catalog, "nightly", &read, &err), 0);
    fixture_clear(&fixture);
}

TEST_MAIN(UNIT(schedule_keeps_its_runs_when_the_configuration_changes))
