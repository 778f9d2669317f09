#include "fixture.h"

#include "base/file.h"
#include "base/moment.h"
#include "base/text.h"
#include "catalog/connections.h"
#include "catalog/dialect.h"
#include "catalog/lock.h"
#include "db/url.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

TEST(new_catalogue_is_private_and_has_every_table_and_view)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct stat info;
    assert_int_equal(stat(fixture.path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(
        fixture_count(&fixture,
                      "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN "
                      "('apps', 'backup_destinations', 'database_connections', 'backups', "
                      "'backup_files', 'restores', 'schedules', 'schema_migrations')"),
        8);
    assert_int_equal(
        fixture_count(&fixture, "SELECT (SELECT count(*) FROM database_backups) "
                                "+ (SELECT count(*) FROM backup_history) + (SELECT count(*) FROM "
                                "backup_schedule) + (SELECT count(*) FROM backup_restore_log)"),
        0);
    assert_int_equal(fixture_count(&fixture, "PRAGMA foreign_keys"), 1);
    assert_int_equal(fixture_count(&fixture, "PRAGMA synchronous"), 3);
    fixture_clear(&fixture);
}

TEST(opening_again_changes_nothing)
{
    struct fixture fixture;
    fixture_init(&fixture);
    int64_t version = fixture_count(&fixture, "PRAGMA data_version");
    struct catalog *other = fixture_open(&fixture);
    catalog_close(other);
    assert_int_equal(fixture_count(&fixture, "PRAGMA data_version"), version);
    assert_int_equal(
        fixture_count(&fixture, "SELECT count(*) FROM schema_migrations WHERE status = 'applied' "
                                "AND length(checksum) = 64"),
        4);
    fixture_clear(&fixture);
}

TEST(newer_schema_is_refused)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    struct catalog *other = NULL;
    const struct catalog_options options = {.url = fixture.path};
    fixture_execute(&fixture, "INSERT INTO schema_migrations (version, name, status, created_at, "
                              "updated_at) VALUES ('29990101000000', 'x', 'applied', 'x', 'x')");
    assert_fails(catalog_open(os_real(), &options, &other, &err), err, ERROR_FAILED);
    assert_non_null(strstr(err.message, "29990101000000"));
    assert_non_null(strstr(err.hint, "newer"));
    fixture_execute(&fixture, "DELETE FROM schema_migrations WHERE version = '29990101000000'");
    fixture_clear(&fixture);
}

TEST(file_that_is_no_catalogue_is_refused_with_the_way_out)
{
    struct error err = ERROR_INIT;
    char path[64];
    scratch_file(path);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    for (int i = 0; i < 200; i++)
        assert_int_equal(write(fd, "not a database at all\n", 22), 22);
    close(fd);
    struct catalog *catalog = NULL;
    const struct catalog_options options = {.url = path};
    assert_fails(catalog_open(os_real(), &options, &catalog, &err), err, ERROR_CORRUPT);
    assert_non_null(strstr(err.hint, "rebuild"));
    unlink(path);
}

/* The processes make and use one catalogue at once, from nothing. */
TEST(processes_at_once_get_different_numbers)
{
    struct fixture fixture;
    struct error err = ERROR_INIT;
    enum { PROCESSES = 4, ROWS = 15 };
    fixture_folder(&fixture);
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] > 0)
            continue;
        const struct catalog_options options = {.url = fixture.path};
        struct destination_row local = {.name = "local", .url = "/x", .is_default = true};
        if (catalog_open(os_real(), &options, &fixture.catalog, &err) < 0 ||
            apps_upsert(fixture.catalog, "shop", fixture.app_id, &err) < 0 ||
            destinations_upsert(fixture.catalog, &local, &err) < 0) {
            fprintf(stderr, "# %s\n", err.message);
            _exit(1);
        }
        memcpy(fixture.destination_id, local.id, sizeof local.id);
        for (int j = 0; j < ROWS; j++) {
            struct backup_row row = fixture_row(&fixture, "shop");
            if (backups_insert(fixture.catalog, &row, &err) < 0) {
                fprintf(stderr, "# %s\n", err.message);
                _exit(1);
            }
        }
        catalog_close(fixture.catalog);
        _exit(0);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;
        waitpid(children[i], &status, 0);
        assert_int_equal(status, 0);
    }
    fixture.catalog = fixture_open(&fixture);
    assert_int_equal(fixture_count(&fixture, "SELECT count(*) FROM backups"), PROCESSES * ROWS);
    assert_int_equal(fixture_count(&fixture, "SELECT max(number) FROM backups"), PROCESSES * ROWS);
    assert_int_equal(fixture_count(&fixture, "SELECT count(*) FROM apps"), 1);
    fixture_clear(&fixture);
}

TEST(upsert_writes_only_what_differs)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    struct catalog *other = fixture_open(&fixture);
    int64_t before = fixture_count(&fixture, "PRAGMA data_version");

    struct destination_row local = {.name = "local", .url = "/srv/backups", .is_active = true};
    assert_ok(destinations_upsert(other, &local, &err), err);
    assert_string_equal(local.id, fixture.destination_id);
    char app_id[27];
    assert_ok(apps_upsert(other, "shop", app_id, &err), err);
    assert_string_equal(app_id, fixture.app_id);
    assert_int_equal(fixture_count(&fixture, "PRAGMA data_version"), before);

    local.url = "/mnt/backups";
    assert_ok(destinations_upsert(other, &local, &err), err);
    assert_int_not_equal(fixture_count(&fixture, "PRAGMA data_version"), before);
    struct destination_row read = {0};
    assert_int_equal(destinations_get(fixture.catalog, "local", &read, &err), 1);
    assert_string_equal(read.url, "/mnt/backups");
    assert_string_equal(read.kind, "local");
    assert_string_equal(read.id, fixture.destination_id);
    destination_row_clear(&read);
    catalog_close(other);
    fixture_clear(&fixture);
}

TEST(only_one_destination_is_the_default_and_no_password_is_stored)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    struct destination_row one = {.name = "one", .url = "/one", .is_default = true};
    struct destination_row two = {.name = "two",
                                  .url = "sftp://u:hunter2@host/backups",
                                  .is_default = true,
                                  .options = "{\"a\": 1}"};
    assert_ok(destinations_upsert(fixture.catalog, &one, &err), err);
    assert_ok(destinations_upsert(fixture.catalog, &two, &err), err);
    assert_int_equal(fixture_count(&fixture, "SELECT count(*) FROM backup_destinations WHERE "
                                             "is_default = 1 AND name = 'two'"),
                     1);
    assert_int_equal(fixture_count(&fixture, "SELECT count(*) FROM backup_destinations WHERE "
                                             "is_default = 1"),
                     1);
    struct destination_row read = {0};
    assert_int_equal(destinations_get(fixture.catalog, "two", &read, &err), 1);
    assert_string_equal(read.url, "sftp://u@host/backups");
    assert_string_equal(read.kind, "sftp");
    destination_row_clear(&read);

    struct db_url url = DB_URL_INIT;
    struct connection_row connection = {.port = -1};
    char id[27];
    assert_ok(db_url_parse("postgres://u:hunter2@h:99/d?sslmode=require", &url, &err), err);
    assert_ok(connections_upsert(fixture.catalog, "shop", fixture.app_id, &url, id, &err), err);
    assert_ok(connections_set_tested(fixture.catalog, "shop", "ok", &err), err);
    assert_int_equal(connections_get(fixture.catalog, "shop", &connection, &err), 1);
    assert_string_equal(connection.ssl_mode, "require");
    assert_string_equal(connection.test_result, "ok");
    assert_int_equal(connection.port, 99);
    assert_int_equal(fixture_count(&fixture, "SELECT count(*) FROM database_connections WHERE "
                                             "password_encrypted IS NULL"),
                     1);
    connection_row_clear(&connection);
    db_url_clear(&url);
    fixture_clear(&fixture);
}

TEST(enumerations_and_references_are_checked_by_the_database)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    struct backup_row row = fixture_row(&fixture, "shop");
    row.type = "everything";
    assert_fails(backups_insert(fixture.catalog, &row, &err), err, ERROR_FAILED);
    row = fixture_row(&fixture, "shop");
    row.tags = "[1, ";
    assert_fails(backups_insert(fixture.catalog, &row, &err), err, ERROR_FAILED);
    row = fixture_row(&fixture, "shop");
    memcpy(row.app_id, "01ARZ3NDEKTSV4RRFFQ69G5FAV", 27);
    assert_fails(backups_insert(fixture.catalog, &row, &err), err, ERROR_FAILED);
    row = fixture_row(&fixture, "shop");
    fixture_succeed(&fixture, &row);
    assert_int_equal(row.number, 1); /* the failed ones did not take a number */
    assert_int_equal(apps_remove(fixture.catalog, "shop", &err), 1);
    assert_int_equal(fixture_count(&fixture, "SELECT count(*) FROM backups"), 0);
    assert_int_equal(fixture_count(&fixture, "SELECT count(*) FROM backup_files"), 0);
    fixture_clear(&fixture);
}

TEST(target_is_locked_once_and_freed_when_its_holder_is_killed)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct target_lock *lock = NULL;
        if (catalog_lock_target(fixture.catalog, "a/b c", "backup", &lock, &err) < 0)
            _exit(1);
        if (write(ready[1], "x", 1) == 1)
            pause();
        _exit(0);
    }
    char byte = 0;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    struct target_lock *lock = NULL;
    assert_fails(catalog_lock_target(fixture.catalog, "a/b c", "restore", &lock, &err), err,
                 ERROR_LOCKED);
    SCOPED(string) char *pid = mem_format("backup by process %d since", (int)child);
    assert_non_null(strstr(err.message, pid));
    struct target_lock *other = NULL;
    assert_ok(catalog_lock_target(fixture.catalog, "a/b d", "restore", &other, &err), err);
    target_lock_free(other);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_ok(catalog_lock_target(fixture.catalog, "a/b c", "restore", &lock, &err), err);
    target_lock_free(lock);
    close(ready[0]);
    close(ready[1]);
    fixture_clear(&fixture);
}

TEST(times_come_back_as_they_went)
{
    static const int64_t moments[] = {1,          951782399,  951782400, 951868800,
                                      1769824800, 4102444799, 4107542399};
    const struct dialect *dialect = dialect_of(DB_SQLITE);
    for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
        char text[DIALECT_TIME_SIZE];
        int64_t moment_ns = moments[i] * 1000000000 + 123456000;
        int64_t back_ns = 0;
        dialect_format_time(dialect, moment_ns, text);
        assert_int_equal(dialect_parse_time(text, strlen(text), &back_ns), 0);
        assert_int_equal(back_ns, moment_ns);
    }
    int64_t ns = 0;
    assert_int_equal(dialect_parse_time("2026-01-31 02:00:00.5+00", 24, &ns), 0);
    assert_int_equal(ns, 1769824800500000000);
    assert_int_equal(dialect_parse_time("2026-01-31", 10, &ns), 0);
    assert_int_equal(dialect_parse_time("yesterday", 9, &ns), -1);
    assert_int_equal(dialect_parse_time("2026-13-31T02:00:00Z", 20, &ns), -1);
}

static int no_file_left(struct os *os, int dir, const char *path, int flags, mode_t mode)
{
    if (strstr(path, "/stat") == NULL)
        return os_real()->openat(os, dir, path, flags, mode);
    errno = EMFILE;
    return -1;
}

TEST(worker_that_cannot_be_looked_at_lives_while_its_heart_beats)
{
    struct os os = *os_real();
    SCOPED(string) char *self = worker_self(&os);
    os.openat = no_file_left;
    int64_t now_ns = os.clock_wall_ns(&os);
    assert_int_equal(worker_check(&os, self), WORKER_UNKNOWN);
    assert_null(worker_epitaph(&os, self, now_ns));
    SCOPED(string) char *silent = worker_epitaph(&os, self, now_ns - 2 * MOMENT_DAY);
    assert_non_null(strstr(silent, "no sign of process"));
}

TEST(worker_is_dead_when_its_process_is_another_one)
{
    struct os *os = os_real();
    SCOPED(string) char *self = worker_self(os);
    assert_int_equal(worker_check(os, self), WORKER_ALIVE);
    SCOPED(string) char *later = mem_format("%s1", self);
    assert_int_equal(worker_check(os, later), WORKER_DEAD);
    SCOPED(string) char *other = mem_format("x%s", self);
    assert_int_equal(worker_check(os, other), WORKER_ELSEWHERE);
    assert_int_equal(worker_check(os, "nonsense"), WORKER_DEAD);
    SCOPED(string) char *rebooted = mem_string(self);
    char *boot = strchr(rebooted, '/') + 1;
    boot[0] = boot[0] == 'a' ? 'b' : 'a';
    assert_int_equal(worker_check(os, rebooted), WORKER_REBOOTED);
    int64_t now_ns = os->clock_wall_ns(os);
    assert_null(worker_epitaph(os, self, 0));
    assert_null(worker_epitaph(os, other, now_ns));
    SCOPED(string) char *silent = worker_epitaph(os, other, now_ns - INT64_C(90000000000000));
    assert_non_null(strstr(silent, "no sign of process"));
    SCOPED(string) char *gone = worker_epitaph(os, later, now_ns);
    assert_non_null(strstr(gone, "interrupted: process"));
}

TEST(lists_go_into_columns_and_back)
{
    struct error err = ERROR_INIT;
    struct text_list list = TEXT_LIST_INIT;
    struct text_list back = TEXT_LIST_INIT;
    assert_null(catalog_json_of_list(&list));
    text_list_add(&list, "a \"b\"");
    text_list_add(&list, "\xff");
    SCOPED(string) char *json = catalog_json_of_list(&list);
    assert_string_equal(json, "[\"a \\\"b\\\"\",\"\\\\xff\"]");
    assert_ok(catalog_list_of_json(json, &back, &err), err);
    assert_int_equal(back.count, 2);
    text_list_clear(&back);
    assert_ok(catalog_list_of_json(NULL, &back, &err), err);
    assert_fails(catalog_list_of_json("{}", &back, &err), err, ERROR_CORRUPT);
    assert_fails(catalog_list_of_json("[1]", &back, &err), err, ERROR_CORRUPT);
    text_list_clear(&list);
}

TEST_MAIN(UNIT(new_catalogue_is_private_and_has_every_table_and_view),
          UNIT(opening_again_changes_nothing), UNIT(newer_schema_is_refused),
          UNIT(file_that_is_no_catalogue_is_refused_with_the_way_out),
          UNIT(processes_at_once_get_different_numbers), UNIT(upsert_writes_only_what_differs),
          UNIT(only_one_destination_is_the_default_and_no_password_is_stored),
          UNIT(enumerations_and_references_are_checked_by_the_database),
          UNIT(target_is_locked_once_and_freed_when_its_holder_is_killed),
          UNIT(times_come_back_as_they_went), UNIT(worker_is_dead_when_its_process_is_another_one),
          UNIT(worker_that_cannot_be_looked_at_lives_while_its_heart_beats),
          UNIT(lists_go_into_columns_and_back))
