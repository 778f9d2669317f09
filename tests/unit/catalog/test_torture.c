/*
 * Every call of the system is made to fail, one after the other: the catalogue opens again, and
 * what was promised is there.
 */
#include "fixture.h"

#include "catalog/backup_find.h"
#include "harness/os_faulty.h"
#include "harness/vfs_faulty.h"

#include <sys/wait.h>

/* The catalogue with every call counted; on failure NULL. */
static struct catalog *open_faulty(const struct fixture *fixture, struct os *os)
{
    struct error err = ERROR_INIT;
    struct catalog *catalog = NULL;
    const struct catalog_options options = {.url = fixture->path};
    return catalog_open(os, &options, &catalog, &err) < 0 ? NULL : catalog;
}

/* Make a catalogue with call `at` broken. Answers how many calls there were. */
static long make_broken(enum fault fault, long at)
{
    struct fixture fixture;
    fixture_folder(&fixture);
    struct os *os = os_faulty(fault, at);
    vfs_faulty_install(false);
    catalog_close(open_faulty(&fixture, os));
    vfs_faulty_remove();
    long calls = os_faulty_calls();

    fixture.catalog = fixture_open(&fixture);
    assert_int_equal(fixture_count(&fixture, "SELECT count(*) FROM schema_migrations WHERE status "
                                             "= 'applied'"),
                     4);
    fixture_clear(&fixture);
    return calls;
}

TEST(catalogue_whose_making_failed_at_any_call_is_made_by_the_next_run)
{
    static const enum fault faults[] = {FAULT_EIO, FAULT_NO_SPACE, FAULT_DEAD};
    long calls = make_broken(FAULT_NONE, 0);
    assert_true(calls > 10);
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
        for (long at = 1; at <= calls; at++)
            make_broken(faults[i], at);
}

/* Finish a backup with call `at` broken, in a process of its own. Its answer: 0 it was told
 * success, 1 it was not, 2 the call was never reached; killed: -1. */
static int finish_broken(const struct fixture *fixture, struct backup_row *row, enum fault fault,
                         long at)
{
    pid_t child = fork();
    if (child == 0) {
        struct error err = ERROR_INIT;
        const struct backup_file_row file = {.file_path = "f",
                                             .file_name = "f",
                                             .file_type = "sql",
                                             .size_bytes = 1,
                                             .compressed_size_bytes = 1};
        struct os *os = os_faulty(fault, at);
        vfs_faulty_install(false);
        struct catalog *catalog = open_faulty(fixture, os);
        int result = !catalog ? 1 : backups_finish(catalog, row, &file, 1, &err) < 0 ? 1 : 0;
        _exit(result == 0 && os_faulty_calls() < at ? 2 : result);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(finish_that_was_reported_is_there_and_one_that_failed_left_nothing_half)
{
    static const enum fault faults[] = {FAULT_EIO, FAULT_NO_SPACE, FAULT_DEAD, FAULT_KILL};
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        int answer = 1;
        for (long at = 1; answer != 2 && at < 500; at++) {
            struct fixture fixture;
            fixture_init(&fixture);
            struct error err = ERROR_INIT;
            struct backup_row row = fixture_row(&fixture, "shop");
            assert_ok(backups_insert(fixture.catalog, &row, &err), err);
            assert_ok(backups_start(fixture.catalog, row.id, "w", &err), err);
            catalog_close(fixture.catalog);
            answer = finish_broken(&fixture, &row, faults[i], at);
            fixture.catalog = fixture_open(&fixture);
            SCOPED(backup_row) struct backup_row read = BACKUP_ROW_INIT;
            assert_int_equal(backups_get(fixture.catalog, row.id, &read, &err), 1);
            int64_t files = fixture_count(&fixture, "SELECT count(*) FROM backup_files");
            if (answer == 0 || answer == 2)
                assert_string_equal(read.status, "success");
            /* When nothing can be written any more, nothing can be taken back either: then it may
             * be there, whole. */
            if (answer == 1 && faults[i] == FAULT_EIO)
                assert_string_equal(read.status, "running");
            assert_int_equal(files, strcmp(read.status, "success") == 0 ? 1 : 0);
            fixture_clear(&fixture);
        }
        assert_int_equal(answer, 2);
    }
}

TEST_MAIN(UNIT(catalogue_whose_making_failed_at_any_call_is_made_by_the_next_run),
          UNIT(finish_that_was_reported_is_there_and_one_that_failed_left_nothing_half))
