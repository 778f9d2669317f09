#include "harness/os_faulty.h"
#include "harness/scratch.h"
#include "harness/test.h"
#include "harness/vfs_faulty.h"

#include "base/mem.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];
static char path[96];

static int run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static void remove_database(void)
{
    static const char *const ends[] = {"", "-journal", "-wal", "-shm"};
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
}

static void make_database(const char *journal)
{
    remove_database();
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    char sql[256];
    snprintf(sql, sizeof sql,
             "pragma journal_mode = %s; create table t (a); insert into t values (1), (2), (3);",
             journal);
    assert_int_equal(run(db, sql), SQLITE_OK);
    sqlite3_close(db);
}

static int change_database(void)
{
    sqlite3 *db = NULL;
    int code = sqlite3_open(path, &db);
    if (code == SQLITE_OK)
        code = run(db, "begin; update t set a = a + 10; insert into t values (zeroblob(20000));"
                       "commit;");
    sqlite3_close(db);
    return code;
}

static long query_number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    long number = (long)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

/* Whether the change is there; it is there whole or not at all. */
static bool is_changed(void)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(query_number(db, "select count(*) from pragma_integrity_check "
                                      "where integrity_check <> 'ok'"),
                     0);
    long rows = query_number(db, "select count(*) from t");
    long sum = query_number(db, "select sum(a) from t where typeof(a) = 'integer'");
    sqlite3_close(db);
    assert_true((rows == 3 && sum == 6) || (rows == 4 && sum == 36));
    return rows == 4;
}

static int start(void **state)
{
    (void)state;
    scratch_folder(folder);
    snprintf(path, sizeof path, "%s/db", folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    remove_database();
    return rmdir(folder);
}

static void check_failures(enum fault fault, const char *journal, bool reads)
{
    long at = 1;
    for (;; at++) {
        make_database(journal);
        os_faulty(fault, at);
        vfs_faulty_install(reads);
        int code = change_database();
        bool hit = os_faulty_calls() >= at;
        vfs_faulty_remove();
        bool changed = is_changed();
        if (code == SQLITE_OK)
            assert_true(changed);
        if (!hit)
            break;
    }
    assert_true(at > 5);
}

TEST(each_failing_call_leaves_a_whole_database)
{
    static const enum fault faults[] = {FAULT_EIO, FAULT_NO_SPACE, FAULT_DEAD, FAULT_INTERRUPT};
    static const char *const journals[] = {"delete", "wal"};
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
        for (size_t j = 0; j < ARRAY_SIZE(journals); j++)
            check_failures(faults[i], journals[j], false);
}

TEST(reads_count_when_asked_to)
{
    check_failures(FAULT_EIO, "wal", true);
    make_database("delete");
    os_faulty(FAULT_NONE, 0);
    vfs_faulty_install(false);
    assert_int_equal(change_database(), SQLITE_OK);
    long without = os_faulty_calls();
    make_database("delete");
    os_faulty(FAULT_NONE, 0);
    vfs_faulty_install(true);
    assert_int_equal(change_database(), SQLITE_OK);
    assert_true(os_faulty_calls() > without);
    vfs_faulty_remove();
}

TEST(a_process_killed_at_any_call_leaves_a_whole_database)
{
    for (long at = 1;; at++) {
        make_database("delete");
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            os_faulty(FAULT_KILL, at);
            vfs_faulty_install(false);
            _exit(change_database() == SQLITE_OK ? 0 : 1);
        }
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        bool changed = is_changed();
        if (WIFEXITED(status)) {
            assert_int_equal(WEXITSTATUS(status), 0);
            assert_true(changed);
            break;
        }
        assert_int_equal(WTERMSIG(status), SIGKILL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT(each_failing_call_leaves_a_whole_database),
                                       UNIT(reads_count_when_asked_to),
                                       UNIT(a_process_killed_at_any_call_leaves_a_whole_database)};
    tap_mend_skips();
    return cmocka_run_group_tests(tests, start, end);
}
