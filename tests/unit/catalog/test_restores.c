#include "fixture.h"

#include "catalog/restores.h"

#include <signal.h>
#include <sys/wait.h>

#define HOUR_NS INT64_C(3600000000000)

static struct restore_row new_row(const char *target)
{
    return (struct restore_row){
        .target = target, .restore_type = "full", .safety_kind = "swap", .worker_id = "w"};
}

static struct restore_row finished(struct fixture *fixture, const char *target, const char *ref,
                                   int64_t undo_until_ns)
{
    struct error err = ERROR_INIT;
    struct restore_row row = new_row(target);
    SCOPED(string) char *self = worker_self(os_real());
    row.worker_id = self;
    assert_ok(restores_insert(fixture->catalog, &row, &err), err);
    row.safety_ref = ref;
    row.undo_until_ns = undo_until_ns;
    assert_ok(restores_finish(fixture->catalog, &row, &err), err);
    row.worker_id = NULL;
    return row;
}

static int count_row(void *context, const struct restore_row *row, struct error *err)
{
    (void)row;
    (void)err;
    ++*(int *)context;
    return 0;
}

TEST(restore_keeps_its_way_back_before_it_is_done)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    struct backup_row backup = fixture_row(&fixture, "shop");
    fixture_succeed(&fixture, &backup);
    struct restore_row row = new_row("shop");
    memcpy(row.backup_id, backup.id, sizeof row.backup_id);
    row.backup_name = "shop_1.sql.zst";
    assert_ok(restores_insert(fixture.catalog, &row, &err), err);
    assert_int_equal(row.number, 1);
    assert_ok(restores_set_ref(fixture.catalog, row.id, "{\"old\":\"/x\"}", HOUR_NS, &err), err);
    SCOPED(restore_row) struct restore_row read = {0};
    assert_int_equal(restores_get_number(fixture.catalog, 1, &read, &err), 1);
    assert_string_equal(read.status, "running");
    assert_string_equal(read.safety_ref, "{\"old\":\"/x\"}");
    assert_int_equal(read.undo_until_ns, HOUR_NS);
    restore_row_clear(&read);

    assert_ok(backups_set_deleting(fixture.catalog, backup.id, &err), err);
    assert_ok(backups_remove(fixture.catalog, backup.id, &err), err);
    assert_int_equal(restores_get(fixture.catalog, row.id, &read, &err), 1);
    assert_string_equal(read.backup_id, "");
    assert_string_equal(read.backup_name, "shop_1.sql.zst");
    fixture_clear(&fixture);
}

TEST(newest_restore_with_a_way_back_is_undone_and_redone)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    struct restore_row one = finished(&fixture, "shop", "{\"n\":1}", 0);
    struct restore_row two = finished(&fixture, "shop", "{\"n\":2}", 0);
    finished(&fixture, "shop", NULL, 0);
    finished(&fixture, "blog", "{\"n\":4}", 0);
    SCOPED(restore_row) struct restore_row row = {0};
    assert_int_equal(restores_get_undoable(fixture.catalog, "shop", false, &row, &err), 1);
    assert_string_equal(row.id, two.id);
    restore_row_clear(&row);
    assert_ok(restores_set_undone(fixture.catalog, two.id, HOUR_NS, "{\"n\":22}", 0, &err), err);
    assert_int_equal(restores_get_undoable(fixture.catalog, "shop", false, &row, &err), 1);
    assert_string_equal(row.id, one.id);
    restore_row_clear(&row);
    assert_int_equal(restores_get_undoable(fixture.catalog, "shop", true, &row, &err), 1);
    assert_string_equal(row.id, two.id);
    assert_string_equal(row.safety_ref, "{\"n\":22}");
    assert_int_equal(restores_get_undoable(fixture.catalog, "nothing", true, &one, &err), 0);
    fixture_clear(&fixture);
}

static int discard(void *context, const struct restore_row *row, struct error *err)
{
    assert_string_equal(row->safety_ref, "{\"n\":1}");
    return restores_set_discarded(context, row->id, err);
}

TEST(old_copies_past_their_date_are_visited_once)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    int64_t now_ns = catalog_now(fixture.catalog);
    finished(&fixture, "shop", "{\"n\":1}", now_ns - HOUR_NS);
    finished(&fixture, "shop", "{\"n\":2}", now_ns + HOUR_NS);
    finished(&fixture, "shop", "{\"n\":3}", 0);
    assert_ok(restores_each_expired(fixture.catalog, now_ns, discard, fixture.catalog, &err), err);
    int count = 0;
    assert_ok(restores_each_expired(fixture.catalog, now_ns, count_row, &count, &err), err);
    assert_int_equal(count, 0);
    assert_ok(restores_list(fixture.catalog, &(struct restore_filter){.target = "shop"}, count_row,
                            &count, &err),
              err);
    assert_int_equal(count, 3);
    count = 0;
    assert_ok(restores_list(fixture.catalog, &(struct restore_filter){.limit = 2}, count_row,
                            &count, &err),
              err);
    assert_int_equal(count, 2);
    fixture_clear(&fixture);
}

static int fail_dead(void *context, const struct restore_row *row, struct error *err)
{
    assert_non_null(strstr(row->error_message, "interrupted: process"));
    assert_string_equal(row->safety_ref, "{}");
    return restores_fail(context, row->id, row->error_message, false, err);
}

TEST(restore_of_a_killed_process_is_found_with_its_ref)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    pid_t child = fork();
    if (child == 0) {
        struct catalog *own = fixture_open(&fixture);
        struct restore_row row = new_row("shop");
        SCOPED(string) char *self = worker_self(os_real());
        row.worker_id = self;
        if (restores_insert(own, &row, &err) < 0 ||
            restores_set_ref(own, row.id, "{}", 0, &err) < 0)
            _exit(1);
        raise(SIGKILL);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
    assert_ok(restores_each_dead(fixture.catalog, fail_dead, fixture.catalog, &err), err);
    SCOPED(restore_row) struct restore_row row = {0};
    assert_int_equal(restores_get_number(fixture.catalog, 1, &row, &err), 1);
    assert_string_equal(row.status, "failed");
    assert_null(row.safety_ref);
    assert_fails(restores_finish(fixture.catalog, &row, &err), err, ERROR_FAILED);
    fixture_clear(&fixture);
}

TEST(an_undo_under_way_is_running_until_the_log_has_it)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    struct restore_row made = finished(&fixture, "shop", "{\"n\":1}", 0);
    int dead = 0;
    assert_ok(restores_set_undoing(fixture.catalog, made.id, "{\"n\":2}", "w", &err), err);
    assert_fails(restores_set_undoing(fixture.catalog, made.id, "{\"n\":2}", "w", &err), err,
                 ERROR_FAILED);
    error_clear(&err);
    assert_ok(restores_each_dead(fixture.catalog, count_row, &dead, &err), err);
    assert_int_equal(dead, 1);
    assert_ok(restores_set_undone(fixture.catalog, made.id, HOUR_NS, "{\"n\":3}", 0, &err), err);
    SCOPED(restore_row) struct restore_row row = {0};
    assert_int_equal(restores_get_number(fixture.catalog, 1, &row, &err), 1);
    assert_string_equal(row.status, "success");
    assert_int_equal(row.undone_ns, HOUR_NS);
    fixture_clear(&fixture);
}

TEST_MAIN(UNIT(restore_keeps_its_way_back_before_it_is_done),
          UNIT(newest_restore_with_a_way_back_is_undone_and_redone),
          UNIT(old_copies_past_their_date_are_visited_once),
          UNIT(restore_of_a_killed_process_is_found_with_its_ref),
          UNIT(an_undo_under_way_is_running_until_the_log_has_it))
