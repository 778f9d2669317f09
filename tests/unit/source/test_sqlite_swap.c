#include "harness/os_faulty.h"
#include "harness/segments_memory.h"
#include "harness/sqlite_fixture.h"
#include "harness/test.h"

#include "base/os.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define USERS "SELECT count(*) FROM users"

/* An artifact of a shop with `rows` rows, whose file is removed again. */
static struct segments_memory *artifact_of(const struct sqlite_fixture *fixture,
                                           const char *journal_mode, int rows, char **ret_metadata)
{
    struct error err = ERROR_INIT;
    struct dump_result result = {0};
    struct segments_memory *memory = segments_memory_new(NULL);
    sqlite_fixture_shop(fixture->path, journal_mode, rows);
    assert_ok(sqlite_fixture_dump(fixture->path, false, memory, &result, &err), err);
    *ret_metadata = mem_string(result.metadata);
    dump_result_clear(&result);
    unlink(fixture->path);
    return memory;
}

static const struct source_ops *driver(void)
{
    return source_find("sqlite");
}

TEST(restore_replaces_and_undo_goes_both_ways)
{
    static const char *const modes[] = {"wal", "delete", "persist"};
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        struct sqlite_fixture fixture;
        sqlite_fixture_init(&fixture);
        struct error err = ERROR_INIT;
        SCOPED(string) char *metadata = NULL;
        SCOPED(string) char *kept = NULL;
        struct segments_memory *memory = artifact_of(&fixture, "delete", 10, &metadata);
        sqlite_fixture_shop(fixture.path, modes[i], 20);
        chmod(fixture.path, 0640);
        assert_ok(sqlite_fixture_restore(os_real(), fixture.path, memory, "sqlite3", metadata, true,
                                         &kept, &err),
                  err);
        struct stat there;
        stat(fixture.path, &there);
        assert_int_equal(there.st_mode & 0777, 0640);
        assert_string_equal(sqlite_fixture_ask(fixture.path, USERS), "10");
        assert_ok(driver()->undo(os_real(), kept, NULL, false, NULL, &err), err);
        assert_string_equal(sqlite_fixture_ask(fixture.path, USERS), "20");
        assert_string_equal(sqlite_fixture_ask(fixture.path, "PRAGMA journal_mode"),
                            i == 0 ? "wal" : "delete");
        assert_ok(driver()->undo(os_real(), kept, NULL, false, NULL, &err), err);
        assert_string_equal(sqlite_fixture_ask(fixture.path, USERS), "10");
        assert_ok(driver()->discard(os_real(), kept, NULL, &err), err);
        assert_ok(driver()->discard(os_real(), kept, NULL, &err), err);
        assert_string_equal(sqlite_fixture_names(fixture.folder), "shop.db");
        segments_memory_free(memory);
        sqlite_fixture_clear(&fixture);
    }
}

TEST(restore_to_a_new_path_can_be_undone)
{
    struct sqlite_fixture fixture;
    sqlite_fixture_init(&fixture);
    struct error err = ERROR_INIT;
    SCOPED(string) char *metadata = NULL;
    SCOPED(string) char *kept = NULL;
    struct segments_memory *memory = artifact_of(&fixture, "wal", 10, &metadata);
    assert_ok(sqlite_fixture_restore(os_real(), fixture.path, memory, "sqlite3", metadata, true,
                                     &kept, &err),
              err);
    assert_string_equal(sqlite_fixture_names(fixture.folder), "shop.db");
    assert_string_equal(sqlite_fixture_ask(fixture.path, "PRAGMA journal_mode"), "wal");
    assert_ok(driver()->undo(os_real(), kept, NULL, false, NULL, &err), err);
    assert_int_not_equal(access(fixture.path, F_OK), 0);
    assert_ok(driver()->undo(os_real(), kept, NULL, false, NULL, &err), err);
    assert_string_equal(sqlite_fixture_ask(fixture.path, USERS), "10");
    assert_string_equal(sqlite_fixture_names(fixture.folder), "shop.db");
    segments_memory_free(memory);
    sqlite_fixture_clear(&fixture);
}

TEST(without_keep_nothing_stays_behind)
{
    struct sqlite_fixture fixture;
    sqlite_fixture_init(&fixture);
    struct error err = ERROR_INIT;
    SCOPED(string) char *metadata = NULL;
    struct segments_memory *memory = artifact_of(&fixture, "delete", 10, &metadata);
    sqlite_fixture_shop(fixture.path, "wal", 20);
    assert_ok(sqlite_fixture_restore(os_real(), fixture.path, memory, "sqlite3", metadata, false,
                                     NULL, &err),
              err);
    assert_string_equal(sqlite_fixture_names(fixture.folder), "shop.db");
    segments_memory_free(memory);
    sqlite_fixture_clear(&fixture);
}

TEST(idle_connection_of_another_program_refuses_the_restore)
{
    struct sqlite_fixture fixture;
    sqlite_fixture_init(&fixture);
    struct error err = ERROR_INIT;
    SCOPED(string) char *metadata = NULL;
    struct segments_memory *memory = artifact_of(&fixture, "delete", 10, &metadata);
    sqlite_fixture_shop(fixture.path, "delete", 20);
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        sqlite3 *app = sqlite_fixture_open(fixture.path);
        sqlite3_exec(app, "SELECT 1 FROM users", NULL, NULL, NULL);
        if (write(ready[1], "x", 1) == 1)
            pause();
        _exit(0);
    }
    char byte = 0;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_fails(sqlite_fixture_restore(os_real(), fixture.path, memory, "sqlite3", metadata, true,
                                        NULL, &err),
                 err, ERROR_LOCKED);
    char pid[32];
    snprintf(pid, sizeof pid, "%d (", child);
    assert_non_null(strstr(err.message, pid));
    assert_non_null(strstr(err.hint, "stop"));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_string_equal(sqlite_fixture_ask(fixture.path, USERS), "20");
    assert_string_equal(sqlite_fixture_names(fixture.folder), "shop.db");
    segments_memory_free(memory);
    sqlite_fixture_clear(&fixture);
    close(ready[0]);
    close(ready[1]);
}

TEST(undo_says_what_was_written_since)
{
    struct sqlite_fixture fixture;
    sqlite_fixture_init(&fixture);
    struct error err = ERROR_INIT;
    SCOPED(string) char *metadata = NULL;
    SCOPED(string) char *kept = NULL;
    SCOPED(string) char *nothing = NULL;
    SCOPED(string) char *changed = NULL;
    struct segments_memory *memory = artifact_of(&fixture, "wal", 10, &metadata);
    sqlite_fixture_shop(fixture.path, "delete", 20);
    assert_ok(sqlite_fixture_restore(os_real(), fixture.path, memory, "sqlite3", metadata, true,
                                     &kept, &err),
              err);
    assert_ok(driver()->undo(os_real(), kept, NULL, true, &nothing, &err), err);
    assert_null(nothing);
    sqlite_fixture_run(fixture.path, "DELETE FROM tags");
    assert_ok(driver()->undo(os_real(), kept, NULL, true, &changed, &err), err);
    assert_non_null(changed);
    assert_string_equal(sqlite_fixture_ask(fixture.path, USERS), "10");
    segments_memory_free(memory);
    sqlite_fixture_clear(&fixture);
}

TEST(what_is_no_database_can_be_replaced_and_comes_back_on_undo)
{
    struct sqlite_fixture fixture;
    sqlite_fixture_init(&fixture);
    struct error err = ERROR_INIT;
    SCOPED(string) char *metadata = NULL;
    SCOPED(string) char *kept = NULL;
    struct segments_memory *memory = artifact_of(&fixture, "delete", 10, &metadata);
    char wal[128];
    snprintf(wal, sizeof wal, "%s-wal", fixture.path);
    FILE *file = fopen(fixture.path, "w");
    for (int i = 0; i < 5000; i++)
        fputs("garbage ", file);
    fclose(file);
    file = fopen(wal, "w");
    fputs("its own log", file);
    fclose(file);
    assert_ok(sqlite_fixture_restore(os_real(), fixture.path, memory, "sqlite3", metadata, true,
                                     &kept, &err),
              err);
    assert_string_equal(sqlite_fixture_ask(fixture.path, USERS), "10");
    assert_int_not_equal(access(wal, F_OK), 0);
    assert_ok(driver()->undo(os_real(), kept, NULL, false, NULL, &err), err);
    struct stat there;
    assert_int_equal(stat(fixture.path, &there), 0);
    assert_int_equal(there.st_size, 40000);
    assert_int_equal(stat(wal, &there), 0);
    assert_int_equal(there.st_size, 11);
    segments_memory_free(memory);
    sqlite_fixture_clear(&fixture);
}

TEST(damaged_or_cut_artifact_leaves_the_target_as_it_was)
{
    struct sqlite_fixture fixture;
    sqlite_fixture_init(&fixture);
    sqlite_fixture_shop(fixture.path, "wal", 20);
    struct error err = ERROR_INIT;
    char page[4096] = "SQLite format 3";
    struct segments_memory *memory = segments_memory_new(NULL);
    segments_memory_add(memory, SECTION_DATA, page, sizeof page);
    assert_fails(
        sqlite_fixture_restore(os_real(), fixture.path, memory, "sqlite3", NULL, true, NULL, &err),
        err, ERROR_RESTORE);
    segments_memory_free(memory);
    assert_string_equal(sqlite_fixture_names(fixture.folder), "shop.db");
    assert_string_equal(sqlite_fixture_ask(fixture.path, USERS), "20");
    assert_string_equal(sqlite_fixture_ask(fixture.path, "PRAGMA journal_mode"), "wal");
    sqlite_fixture_clear(&fixture);
}

/* ---- break each call in turn ---- */

static bool restore_with(enum fault fault, long at, const struct sqlite_fixture *fixture,
                         struct segments_memory *memory, const char *metadata, struct error *err)
{
    struct os *os = os_faulty(fault, at);
    return sqlite_fixture_restore(os, fixture->path, memory, "sqlite3", metadata, true, NULL,
                                  err) == 0;
}

TEST(any_failing_call_leaves_old_or_new)
{
    struct sqlite_fixture fixture;
    sqlite_fixture_init(&fixture);
    SCOPED(string) char *metadata = NULL;
    struct segments_memory *memory = artifact_of(&fixture, "wal", 10, &metadata);
    static const enum fault faults[] = {FAULT_EIO, FAULT_NO_SPACE, FAULT_INTERRUPT};
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        for (long at = 1;; at++) {
            struct error err = ERROR_INIT;
            unlink(fixture.path);
            sqlite_fixture_shop(fixture.path, "wal", 20);
            bool done = restore_with(faults[i], at, &fixture, memory, metadata, &err);
            bool hit = os_faulty_calls() >= at;
            const char *users = sqlite_fixture_ask(fixture.path, USERS);
            if (err.code != ERROR_STRANDED)
                assert_string_equal(users, done ? "10" : "20");
            assert_string_equal(sqlite_fixture_ask(fixture.path, "PRAGMA journal_mode"), "wal");
            assert_string_equal(sqlite_fixture_ask(fixture.path, "PRAGMA integrity_check"), "ok");
            if (!done && err.code != ERROR_STRANDED)
                assert_string_equal(sqlite_fixture_names(fixture.folder), "shop.db");
            sqlite_fixture_clear(&fixture);
            mkdir(fixture.folder, 0700);
            if (!hit)
                break;
        }
    }
    segments_memory_free(memory);
    sqlite_fixture_clear(&fixture);
}

/* In a child that dies at its `at`-th call; the line of the restore log comes back through a
 * file. */
static bool killed_restore(const struct sqlite_fixture *fixture, struct segments_memory *memory,
                           const char *metadata, long at)
{
    pid_t child = fork();
    if (child != 0) {
        int status = 0;
        waitpid(child, &status, 0);
        return WIFSIGNALED(status);
    }
    struct os *os = os_faulty(FAULT_KILL, at);
    struct error err = ERROR_INIT;
    struct source_target target = {.url = {.database = mem_string(fixture->path)}};
    struct load_options options = {
        .os = os, .jobs = 1, .format = "sqlite3", .metadata = metadata, .keep = true};
    struct load *load = NULL;
    driver()->load(&target, &options, &load, &err);
    struct load_preview preview = {0};
    load->ops->preview(load, NULL, &preview, &err);
    for (int step = 0; step < 2; step++) { /* known early, and again after the check */
        char path[128];
        snprintf(path, sizeof path, "%s/kept", fixture->folder);
        FILE *file = fopen(path, "w");
        fputs(load->kept, file);
        fclose(file);
        if (step == 0) {
            load->ops->fill(load, segments_memory_source(memory), &err);
            load->ops->check(load, &err);
        }
    }
    load->ops->commit(load, &err);
    load_free(load);
    _exit(0);
}

static bool read_kept(const struct sqlite_fixture *fixture, char kept[2048])
{
    char path[128];
    snprintf(path, sizeof path, "%s/kept", fixture->folder);
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    size_t size = fread(kept, 1, 2047, file);
    kept[size] = '\0';
    fclose(file);
    unlink(path);
    return true;
}

TEST(killed_at_any_call_recover_tells_the_side)
{
    static const char *const modes[] = {"wal", "delete"};
    struct sqlite_fixture fixture;
    sqlite_fixture_init(&fixture);
    SCOPED(string) char *metadata = NULL;
    struct segments_memory *memory = artifact_of(&fixture, "wal", 10, &metadata);
    int after = 0;
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        bool killed = true;
        for (long at = 1; killed; at++) {
            struct error err = ERROR_INIT;
            enum load_state side = LOAD_BEFORE;
            char kept[2048];
            sqlite_fixture_shop(fixture.path, modes[i], 20);
            killed = killed_restore(&fixture, memory, metadata, at);
            if (read_kept(&fixture, kept)) {
                assert_ok(driver()->recover(os_real(), kept, NULL, &side, &err), err);
                assert_ok(driver()->recover(os_real(), kept, NULL, &side, &err), err);
            }
            const char *users = sqlite_fixture_ask(fixture.path, USERS);
            assert_string_equal(users, side == LOAD_AFTER ? "10" : "20");
            if (side == LOAD_AFTER)
                assert_ok(driver()->undo(os_real(), kept, NULL, false, NULL, &err), err);
            assert_string_equal(sqlite_fixture_ask(fixture.path, USERS), "20");
            assert_string_equal(sqlite_fixture_ask(fixture.path, "PRAGMA journal_mode"), modes[i]);
            if (side == LOAD_AFTER)
                assert_ok(driver()->discard(os_real(), kept, NULL, &err), err);
            assert_string_equal(sqlite_fixture_names(fixture.folder), "shop.db");
            unlink(fixture.path);
            after += side == LOAD_AFTER;
        }
    }
    assert_true(after > 0);
    segments_memory_free(memory);
    sqlite_fixture_clear(&fixture);
}

TEST_MAIN(UNIT(restore_replaces_and_undo_goes_both_ways), UNIT(restore_to_a_new_path_can_be_undone),
          UNIT(without_keep_nothing_stays_behind),
          UNIT(idle_connection_of_another_program_refuses_the_restore),
          UNIT(undo_says_what_was_written_since),
          UNIT(what_is_no_database_can_be_replaced_and_comes_back_on_undo),
          UNIT(damaged_or_cut_artifact_leaves_the_target_as_it_was),
          UNIT(any_failing_call_leaves_old_or_new), UNIT(killed_at_any_call_recover_tells_the_side))
