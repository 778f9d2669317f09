#include "fixture.h"

#include "base/file.h"
#include "catalog/backup_find.h"
#include "catalog/backup_work.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define HOUR_NS INT64_C(3600000000000)

/* Numbers of the rows that were visited, in order. */
struct seen {
    int64_t numbers[64];
    int count;
};

static int see(void *context, const struct backup_row *row, struct error *err)
{
    struct seen *seen = context;
    (void)err;
    assert_true(seen->count < 64);
    seen->numbers[seen->count++] = row->number;
    return 0;
}

static void assert_seen(const struct seen *seen, int count, const int64_t *numbers)
{
    assert_int_equal(seen->count, count);
    for (int i = 0; i < count; i++)
        assert_int_equal(seen->numbers[i], numbers[i]);
}
#define ASSERT_SEEN(seen, ...)                                                                     \
    assert_seen(&(seen), (int)ARRAY_SIZE(((const int64_t[]){__VA_ARGS__})),                        \
                (const int64_t[]){__VA_ARGS__})

static void list(struct fixture *fixture, const struct backup_filter *filter, struct seen *seen)
{
    struct error err = ERROR_INIT;
    *seen = (struct seen){0};
    assert_ok(backups_list(fixture->catalog, filter, see, seen, &err), err);
}

static int see_file(void *context, const struct backup_file_row *file, struct error *err)
{
    (void)err;
    assert_string_equal(file->destination, "local");
    assert_int_equal(file->compressed_size_bytes, 100);
    ++*(int *)context;
    return 0;
}

TEST(backup_goes_from_pending_to_success_with_all_its_fields)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    struct backup_row row = fixture_row(&fixture, "shop");
    row.initiated_by = "ann";
    row.tags = "[\"before deploy\"]";
    row.engine = "sqlite";
    row.verified_level = 1;
    row.verified_ns = 1769824800123456789;
    row.rows = 0;
    fixture_succeed(&fixture, &row);

    SCOPED(backup_row) struct backup_row read = BACKUP_ROW_INIT;
    assert_int_equal(backups_get(fixture.catalog, row.id, &read, &err), 1);
    assert_int_equal(read.number, 1);
    assert_string_equal(read.status, "success");
    assert_string_equal(read.app, "shop");
    assert_string_equal(read.destination, "local");
    assert_string_equal(read.trigger, "manual");
    assert_string_equal(read.tags, "[\"before deploy\"]");
    assert_string_equal(read.name, "shop_1.sql.zst");
    assert_int_equal(read.verified_ns, 1769824800123456000);
    assert_int_equal(read.rows, 0);
    assert_int_equal(read.source_bytes, -1);
    assert_int_equal(read.progress_percentage, 100);
    assert_null(read.notes);
    assert_int_equal(read.expires_ns, 0);
    int files = 0;
    assert_ok(backup_files_list(fixture.catalog, row.id, see_file, &files, &err), err);
    assert_int_equal(files, 1);
    fixture_clear(&fixture);
}

TEST(finishing_what_is_not_running_any_more_changes_nothing)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    struct backup_row row = fixture_row(&fixture, "shop");
    const struct backup_file_row file = {.file_path = "x",
                                         .file_name = "x",
                                         .file_type = "sql",
                                         .size_bytes = -1,
                                         .compressed_size_bytes = -1};
    assert_ok(backups_insert(fixture.catalog, &row, &err), err);
    assert_fails(backups_finish(fixture.catalog, &row, &file, 1, &err), err, ERROR_FAILED);
    assert_ok(backups_start(fixture.catalog, row.id, "w", &err), err);
    assert_fails(backups_start(fixture.catalog, row.id, "w", &err), err, ERROR_FAILED);
    assert_ok(backups_fail(fixture.catalog, row.id, "disk on fire", &err), err);
    assert_fails(backups_finish(fixture.catalog, &row, &file, 1, &err), err, ERROR_FAILED);
    assert_non_null(strstr(err.message, "failed"));
    assert_int_equal(fixture_count(&fixture, "SELECT count(*) FROM backup_files"), 0);
    assert_int_equal(fixture_count(&fixture, "SELECT count(*) FROM backups WHERE status = 'failed' "
                                             "AND error_message = 'disk on fire'"),
                     1);
    assert_ok(backups_set_deleting(fixture.catalog, row.id, &err), err);
    assert_ok(backups_remove(fixture.catalog, row.id, &err), err);
    assert_fails(backups_set_deleting(fixture.catalog, row.id, &err), err, ERROR_NOT_FOUND);
    row = fixture_row(&fixture, "shop");
    assert_ok(backups_insert(fixture.catalog, &row, &err), err);
    assert_int_equal(row.number, 2); /* a number is not given twice */
    fixture_clear(&fixture);
}

TEST(backup_is_found_in_every_way_people_name_it)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    struct backup_row one = fixture_row(&fixture, "shop");
    struct backup_row two = fixture_row(&fixture, "blog");
    struct backup_row three = fixture_row(&fixture, "shop");
    memcpy(one.id, "01AAAAAAAAAAAAAAAAAAAAAAAA", 27);
    memcpy(two.id, "01AAAAAAAAAAAAAAAAAAAAAAAZ", 27);
    memcpy(three.id, "01AAAAZZZZZZZZZZZZZZZZZZZZ", 27);
    three.incomplete = true;
    fixture_succeed(&fixture, &one);
    fixture_succeed(&fixture, &two);
    fixture_succeed(&fixture, &three);
    static const struct {
        int line;
        const char *text;
        int64_t number; /* 0: not found, -1: error */
    } cases[] = {
        {__LINE__, "1", 1},
        {__LINE__, "03", 3},
        {__LINE__, "4", 0},
        {__LINE__, "99999999999999999999", 0},
        {__LINE__, "01AAAAAAAAAAAAAAAAAAAAAAAA", 1},
        {__LINE__, "01aaaaaaaaaaaaaaaaaaaaaaaz", 2},
        {__LINE__, "01AAAAZ", 3},
        {__LINE__, "01AAAA", -1},
        {__LINE__, "01AAA", 0},
        {__LINE__, "01AAAAAAAAAAAAAAAAAAAAAAAAA", 0},
        {__LINE__, "latest", 2},
        {__LINE__, "latest:shop", 1},
        {__LINE__, "latest:nothing", 0},
        {__LINE__, "blog_2.sql.zst", 2},
        {__LINE__, "' OR 1=1 --", 0},
        {__LINE__, "", 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SCOPED(backup_row) struct backup_row row = BACKUP_ROW_INIT;
        int found = backups_find(fixture.catalog, cases[i].text, &row, &err);
        assert_case(cases[i].line, found == (cases[i].number > 0 ? 1 : (int)cases[i].number));
        assert_case(cases[i].line, found != 1 || row.number == cases[i].number);
    }
    SCOPED(backup_row) struct backup_row latest = BACKUP_ROW_INIT;
    assert_int_equal(backups_get_latest(fixture.catalog, "shop", "database", true, &latest, &err),
                     1);
    assert_int_equal(latest.number, 3);
    fixture_clear(&fixture);
}

TEST(list_is_newest_first_and_filtered)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct seen seen;
    struct backup_row rows[4];
    static const char *const targets[] = {"shop", "blog", "shop", "shop"};
    for (int i = 0; i < 4; i++) {
        rows[i] = fixture_row(&fixture, targets[i]);
        rows[i].created_ns = 1769824800000000000 + i * HOUR_NS;
        if (i == 3)
            rows[i].created_ns = rows[0].created_ns; /* made later, as old as the first */
        if (i == 2)
            rows[i].type = "files";
        fixture_succeed(&fixture, &rows[i]);
    }
    list(&fixture, &(struct backup_filter){0}, &seen);
    ASSERT_SEEN(seen, 3, 2, 4, 1);
    list(&fixture, &(struct backup_filter){.target = "shop"}, &seen);
    ASSERT_SEEN(seen, 3, 4, 1);
    list(&fixture, &(struct backup_filter){.type = "files", .app = "shop"}, &seen);
    ASSERT_SEEN(seen, 3);
    list(&fixture, &(struct backup_filter){.limit = 2, .offset = 1, .everything = true}, &seen);
    ASSERT_SEEN(seen, 2, 4);
    list(&fixture, &(struct backup_filter){.since_ns = rows[1].created_ns}, &seen);
    ASSERT_SEEN(seen, 3, 2);
    list(&fixture, &(struct backup_filter){.app = "nobody"}, &seen);
    assert_int_equal(seen.count, 0);
    list(&fixture, &(struct backup_filter){.status = "success", .destination = "local"}, &seen);
    assert_int_equal(seen.count, 4);
    fixture_clear(&fixture);
}

TEST(newest_good_backup_never_expires)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    static const struct {
        const char *target, *type;
        bool incomplete;
    } made[] = {
        {"shop", "database", false}, /* 1 goes: 3 is newer */
        {"shop", "files", false},    /* 2 stays: the only good one of its type */
        {"shop", "database", false}, /* 3 stays: the newest good one */
        {"shop", "database", true},  /* 4 goes: a good one exists */
        {"blog", "database", true},  /* 5 goes: 6 is newer and no worse */
        {"blog", "database", true},  /* 6 stays: there is nothing better */
    };
    for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
        struct backup_row row = fixture_row(&fixture, made[i].target);
        row.type = made[i].type;
        row.incomplete = made[i].incomplete;
        row.created_ns = 1769824800000000000 + (int64_t)i * HOUR_NS;
        row.expires_ns = row.created_ns + HOUR_NS;
        fixture_succeed(&fixture, &row);
        assert_int_equal(backups_is_kept(fixture.catalog, &row, &err),
                         made[i].incomplete && i == 3 ? 0 : 1);
    }
    struct seen seen = {0};
    int64_t now_ns = catalog_now(fixture.catalog);
    assert_ok(
        backups_list_expired(fixture.catalog, NULL, now_ns + 365 * 24 * HOUR_NS, see, &seen, &err),
        err);
    ASSERT_SEEN(seen, 1, 4, 5);
    seen = (struct seen){0};
    assert_ok(backups_list_expired(fixture.catalog, "blog", now_ns + 365 * 24 * HOUR_NS, see, &seen,
                                   &err),
              err);
    ASSERT_SEEN(seen, 5);
    seen = (struct seen){0};
    assert_ok(backups_list_expired(fixture.catalog, NULL, 1769824800000000000, see, &seen, &err),
              err);
    assert_int_equal(seen.count, 0);
    fixture_clear(&fixture);
}

TEST(rows_of_a_killed_worker_become_failed)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    struct backup_row alive = fixture_row(&fixture, "blog");
    SCOPED(string) char *self = worker_self(os_real());
    assert_ok(backups_insert(fixture.catalog, &alive, &err), err);
    assert_ok(backups_start(fixture.catalog, alive.id, self, &err), err);
    struct backup_row waiting = fixture_row(&fixture, "wiki");
    assert_ok(backups_insert(fixture.catalog, &waiting, &err), err);

    pid_t child = fork();
    if (child == 0) {
        struct catalog *own = fixture_open(&fixture);
        struct backup_row row = fixture_row(&fixture, "shop");
        SCOPED(string) char *worker = worker_self(os_real());
        row.worker_id = worker;
        if (backups_insert(own, &row, &err) < 0 || backups_start(own, row.id, worker, &err) < 0)
            _exit(1);
        raise(SIGKILL);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
    struct seen seen = {0};
    assert_ok(backups_settle_dead(fixture.catalog, see, &seen, &err), err);
    ASSERT_SEEN(seen, 3);
    SCOPED(backup_row) struct backup_row row = BACKUP_ROW_INIT;
    assert_int_equal(backups_get_number(fixture.catalog, 3, &row, &err), 1);
    assert_string_equal(row.status, "failed");
    SCOPED(string)
    char *want = mem_format("interrupted: process %d ended before it was done", (int)child);
    assert_string_equal(row.error_message, want);
    seen = (struct seen){0};
    assert_ok(backups_settle_dead(fixture.catalog, see, &seen, &err), err);
    assert_int_equal(seen.count, 0);
    fixture_clear(&fixture);
}

TEST(verified_level_only_rises_until_damage_is_found)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    struct backup_row row = fixture_row(&fixture, "shop");
    fixture_succeed(&fixture, &row);
    assert_ok(backups_set_verified(fixture.catalog, row.id, 2, 2 * HOUR_NS, &err), err);
    assert_ok(backups_set_verified(fixture.catalog, row.id, 1, 3 * HOUR_NS, &err), err);
    SCOPED(backup_row) struct backup_row read = BACKUP_ROW_INIT;
    assert_int_equal(backups_get(fixture.catalog, row.id, &read, &err), 1);
    assert_int_equal(read.verified_level, 2);
    assert_int_equal(read.verified_ns, 2 * HOUR_NS);
    assert_ok(backups_set_damaged(fixture.catalog, row.id, -1, 4 * HOUR_NS, &err), err);
    backup_row_clear(&read);
    assert_int_equal(backups_get(fixture.catalog, row.id, &read, &err), 1);
    assert_int_equal(read.verified_level, -1);
    assert_int_equal(read.verified_ns, 0);
    fixture_clear(&fixture);
}

/* The write-ahead log cannot grow at some point of a finish: the row is as before, or finished. */
TEST(finish_on_a_full_disk_is_all_or_nothing)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    struct rlimit before;
    getrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_IGN);
    fixture_execute(&fixture, "PRAGMA wal_checkpoint(TRUNCATE)");
    int failed = 0;
    for (rlim_t limit = 0; limit < 60000 && failed >= 0; limit += 2000) {
        struct backup_row row = fixture_row(&fixture, "shop");
        row.notes = "x";
        const struct backup_file_row file = {.file_path = "f",
                                             .file_name = "f",
                                             .file_type = "sql",
                                             .size_bytes = 1,
                                             .compressed_size_bytes = 1};
        assert_ok(backups_insert(fixture.catalog, &row, &err), err);
        assert_ok(backups_start(fixture.catalog, row.id, "w", &err), err);
        fixture_execute(&fixture, "PRAGMA wal_checkpoint(TRUNCATE)");
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = limit, .rlim_max = before.rlim_max});
        int result = backups_finish(fixture.catalog, &row, &file, 1, &err);
        setrlimit(RLIMIT_FSIZE, &before);
        failed += result < 0;
        SCOPED(backup_row) struct backup_row read = BACKUP_ROW_INIT;
        assert_int_equal(backups_get(fixture.catalog, row.id, &read, &err), 1);
        assert_string_equal(read.status, result < 0 ? "running" : "success");
        const struct db_value id = db_text(row.id);
        int64_t files = -1;
        assert_int_equal(db_query_integer(fixture.catalog->db,
                                          "SELECT count(*) FROM backup_files WHERE backup_id = ?",
                                          &id, 1, &files, &err),
                         1);
        assert_int_equal(files, result < 0 ? 0 : 1);
    }
    assert_true(failed > 2 && failed < 30);
    fixture_clear(&fixture);
}

TEST(two_workers_never_claim_the_same_row)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    enum { ROWS = 12, WORKERS = 3 };
    for (int i = 0; i < ROWS; i++) {
        struct backup_row row = fixture_row(&fixture, "shop");
        row.priority = i == 5 ? 9 : 0;
        if (i == 6)
            row.scheduled_ns = catalog_now(fixture.catalog) + HOUR_NS;
        assert_ok(backups_insert(fixture.catalog, &row, &err), err);
    }
    SCOPED(backup_row) struct backup_row first = BACKUP_ROW_INIT;
    assert_int_equal(backups_claim(fixture.catalog, "w0", &first, &err), 1);
    assert_int_equal(first.number, 6);
    assert_string_equal(first.status, "running");
    pid_t children[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        children[i] = fork();
        if (children[i] > 0)
            continue;
        struct catalog *own = fixture_open(&fixture);
        int claimed = 0, found = 0;
        struct backup_row row = BACKUP_ROW_INIT;
        while ((found = backups_claim(own, "w", &row, &err)) == 1) {
            claimed++;
            backup_row_clear(&row);
        }
        _exit(found < 0 ? 99 : claimed);
    }
    int total = 0;
    for (int i = 0; i < WORKERS; i++) {
        int status = 0;
        waitpid(children[i], &status, 0);
        assert_true(WIFEXITED(status));
        total += WEXITSTATUS(status);
    }
    assert_int_equal(total, ROWS - 2);
    fixture_clear(&fixture);
}

static int count_row(void *context, const struct backup_row *row, struct error *err)
{
    (void)err;
    assert_string_equal(row->destination, "local");
    ++*(int *)context;
    return 0;
}

static double seconds_since(int64_t start_ns)
{
    return (double)(os_real()->clock_monotonic_ns(os_real()) - start_ns) / 1e9;
}

TEST(a_hundred_thousand_rows_are_listed)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    struct backup_row row = fixture_row(&fixture, "shop");
    row.retention_days = 30;
    row.expires_ns = HOUR_NS;
    row.checksum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    fixture_succeed(&fixture, &row);
    fixture_execute(
        &fixture,
        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
        "INSERT INTO backups (id, number, app_id, backup_destination_id, target, name, type, "
        "status, started_at, finished_at, size_bytes, file_path, checksum, expires_at, created_at) "
        "SELECT printf('01KEDGE%019d', i), i, app_id, backup_destination_id, "
        "'target' || (i % 50), 'shop_2026-01-31_' || i, type, "
        "CASE WHEN i % 20 THEN 'success' ELSE 'failed' END, started_at, finished_at, i, "
        "'shop_2026-01-31_' || i, checksum, expires_at, "
        "strftime('%Y-%m-%dT%H:%M:%f000Z', '2020-01-01', '+' || i || ' minutes') FROM n, backups");
    static const struct {
        const char *what;
        struct backup_filter filter;
        int rows;
    } cases[] = {
        {"50 newest", {.limit = 50}, 50},
        {"all", {0}, 100000},
        {"50 of a status", {.status = "success", .limit = 50}, 50},
        {"50 of a target", {.target = "target7", .limit = 50}, 50},
        {"50 of an app", {.app = "shop", .limit = 50}, 50},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int count = 0;
        int64_t start_ns = os_real()->clock_monotonic_ns(os_real());
        assert_ok(backups_list(fixture.catalog, &cases[i].filter, count_row, &count, &err), err);
        print_message("# %s: %.1f ms\n", cases[i].what, seconds_since(start_ns) * 1e3);
        assert_int_equal(count, cases[i].rows);
    }
    struct seen seen = {0};
    int64_t start_ns = os_real()->clock_monotonic_ns(os_real());
    SCOPED(backup_row) struct backup_row latest = BACKUP_ROW_INIT;
    assert_int_equal(backups_find(fixture.catalog, "latest:target7", &latest, &err), 1);
    print_message("# latest of a target: %.1f ms\n", seconds_since(start_ns) * 1e3);
    start_ns = os_real()->clock_monotonic_ns(os_real());
    assert_ok(backups_settle_dead(fixture.catalog, see, &seen, &err), err);
    print_message("# dead workers: %.1f ms\n", seconds_since(start_ns) * 1e3);
    start_ns = os_real()->clock_monotonic_ns(os_real());
    int expired = 0;
    assert_ok(backups_list_expired(fixture.catalog, NULL, catalog_now(fixture.catalog), count_row,
                                   &expired, &err),
              err);
    print_message("# expired: %d rows, %.1f ms\n", expired, seconds_since(start_ns) * 1e3);
    assert_true(expired > 90000);
    fixture_clear(&fixture);
}

TEST_MAIN(UNIT(backup_goes_from_pending_to_success_with_all_its_fields),
          UNIT(finishing_what_is_not_running_any_more_changes_nothing),
          UNIT(backup_is_found_in_every_way_people_name_it),
          UNIT(list_is_newest_first_and_filtered), UNIT(newest_good_backup_never_expires),
          UNIT(rows_of_a_killed_worker_become_failed),
          UNIT(verified_level_only_rises_until_damage_is_found),
          UNIT(finish_on_a_full_disk_is_all_or_nothing), UNIT(two_workers_never_claim_the_same_row),
          UNIT(a_hundred_thousand_rows_are_listed))
