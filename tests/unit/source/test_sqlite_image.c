#include "harness/segments_memory.h"
#include "harness/sqlite_fixture.h"
#include "harness/test.h"

#include "base/file.h"
#include "base/os.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *content_of(const char *path, size_t *ret_size)
{
    struct error err = ERROR_INIT;
    struct buf buf = BUF_INIT;
    assert_ok(file_read_all(os_real(), path, &buf, &err), err);
    *ret_size = buf.length;
    return buf_steal(&buf);
}

/* Journal mode, change counter, page count and what says that it is valid. */
static void blank_counters(char *data)
{
    memset(data + 18, 0, 2);
    memset(data + 24, 0, 8);
    memset(data + 92, 0, 8);
}

/* Dump `path` and restore it to <folder>/copy.db. */
static void copy_through(const struct sqlite_fixture *fixture, const char *path, char copy[96])
{
    struct error err = ERROR_INIT;
    struct dump_result result = {0};
    struct segments_memory *memory = segments_memory_new(NULL);
    assert_ok(sqlite_fixture_dump(path, false, memory, &result, &err), err);
    snprintf(copy, 96, "%s/copy.db", fixture->folder);
    assert_ok(sqlite_fixture_restore(os_real(), copy, memory, "sqlite3", result.metadata, true,
                                     NULL, &err),
              err);
    dump_result_clear(&result);
    segments_memory_free(memory);
}

TEST(image_equals_the_file_but_for_counters)
{
    static const int page_sizes[] = {512, 1024, 4096, 8192, 65536};
    for (size_t i = 0; i < ARRAY_SIZE(page_sizes); i++) {
        struct sqlite_fixture fixture;
        sqlite_fixture_init(&fixture);
        char pragma[64];
        snprintf(pragma, sizeof pragma, "PRAGMA page_size=%d; VACUUM", page_sizes[i]);
        sqlite_fixture_run(fixture.path, pragma);
        sqlite_fixture_shop(fixture.path, "delete", 2000);
        char copy[96];
        copy_through(&fixture, fixture.path, copy);
        size_t old_size = 0;
        size_t new_size = 0;
        char *old_data = content_of(fixture.path, &old_size);
        char *new_data = content_of(copy, &new_size);
        assert_int_equal(old_size, new_size);
        blank_counters(old_data);
        blank_counters(new_data);
        assert_memory_equal(old_data, new_data, old_size);
        free(old_data);
        free(new_data);
        sqlite_fixture_clear(&fixture);
    }
}

TEST(pages_that_are_in_the_wal_only_are_read_and_the_wal_stays)
{
    struct sqlite_fixture fixture;
    sqlite_fixture_init(&fixture);
    sqlite_fixture_shop(fixture.path, "wal", 500);
    sqlite3 *app = sqlite_fixture_open(fixture.path);
    sqlite3_exec(app,
                 "PRAGMA wal_autocheckpoint=0; UPDATE users SET note = randomblob(300);"
                 "CREATE TABLE late(x); INSERT INTO late VALUES('here')",
                 NULL, NULL, NULL);
    char wal[128];
    snprintf(wal, sizeof wal, "%s-wal", fixture.path);
    struct stat before;
    struct stat after;
    assert_int_equal(stat(wal, &before), 0);
    char copy[96];
    copy_through(&fixture, fixture.path, copy);
    assert_int_equal(stat(wal, &after), 0);
    assert_int_equal(before.st_size, after.st_size);
    assert_int_equal(before.st_ino, after.st_ino);
    const char *sum = "SELECT count(*) || '/' || sum(length(note)) FROM users";
    assert_string_equal(sqlite_fixture_ask(copy, "SELECT x FROM late"), "here");
    assert_string_equal(sqlite_fixture_ask(copy, sum), sqlite_fixture_ask(fixture.path, sum));
    assert_string_equal(sqlite_fixture_ask(copy, "PRAGMA integrity_check"), "ok");
    assert_string_equal(sqlite_fixture_ask(copy, "PRAGMA journal_mode"), "wal");
    sqlite3_close(app);
    sqlite_fixture_clear(&fixture);
}

TEST(wal_of_an_application_that_died_is_kept)
{
    struct sqlite_fixture fixture;
    sqlite_fixture_init(&fixture);
    sqlite_fixture_shop(fixture.path, "wal", 100);
    pid_t child = fork();
    if (child == 0) {
        sqlite3 *app = sqlite_fixture_open(fixture.path);
        sqlite3_exec(app, "UPDATE users SET name = 'changed'", NULL, NULL, NULL);
        kill(getpid(), SIGKILL);
    }
    waitpid(child, NULL, 0);
    char wal[128];
    snprintf(wal, sizeof wal, "%s-wal", fixture.path);
    size_t before_size = 0;
    size_t after_size = 0;
    char *before = content_of(wal, &before_size);
    char copy[96];
    copy_through(&fixture, fixture.path, copy);
    char *after = content_of(wal, &after_size);
    assert_int_equal(before_size, after_size);
    assert_memory_equal(before, after, before_size);
    assert_string_equal(sqlite_fixture_ask(copy, "SELECT count(*) FROM users WHERE name='changed'"),
                        "100");
    free(before);
    free(after);
    sqlite_fixture_clear(&fixture);
}

TEST(reading_a_closed_wal_database_leaves_no_files_behind)
{
    struct sqlite_fixture fixture;
    sqlite_fixture_init(&fixture);
    sqlite_fixture_shop(fixture.path, "wal", 100);
    struct error err = ERROR_INIT;
    struct dump_result result = {0};
    struct segments_memory *memory = segments_memory_new(NULL);
    assert_ok(sqlite_fixture_dump(fixture.path, false, memory, &result, &err), err);
    assert_string_equal(sqlite_fixture_names(fixture.folder), "shop.db");
    dump_result_clear(&result);
    segments_memory_free(memory);
    sqlite_fixture_clear(&fixture);
}

TEST(hot_journal_is_rolled_back_first)
{
    struct sqlite_fixture fixture;
    sqlite_fixture_init(&fixture);
    sqlite_fixture_shop(fixture.path, "delete", 3000);
    pid_t child = fork();
    if (child == 0) {
        sqlite3 *app = sqlite_fixture_open(fixture.path);
        sqlite3_exec(
            app, "PRAGMA cache_size=5; PRAGMA cache_spill=1; BEGIN; UPDATE users SET name='bad'",
            NULL, NULL, NULL);
        kill(getpid(), SIGKILL);
    }
    waitpid(child, NULL, 0);
    assert_string_equal(sqlite_fixture_names(fixture.folder), "shop.db shop.db-journal");
    char copy[96];
    copy_through(&fixture, fixture.path, copy);
    assert_string_equal(sqlite_fixture_ask(copy, "SELECT count(*) FROM users WHERE name='bad'"),
                        "0");
    assert_string_equal(sqlite_fixture_ask(copy, "PRAGMA integrity_check"), "ok");
    sqlite_fixture_clear(&fixture);
}

TEST(empty_database_and_strange_names)
{
    static const char *const names[] = {"a b.db", "100%.db", "what?.db",
                                        "x#y.db", "⚓.db",    "q'u\"ote.db"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct sqlite_fixture fixture;
        sqlite_fixture_init(&fixture);
        char path[128];
        snprintf(path, sizeof path, "%s/%s", fixture.folder, names[i]);
        if (i == 0)
            close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        else
            sqlite_fixture_run(path, "CREATE TABLE t(x)");
        char copy[96];
        copy_through(&fixture, path, copy);
        assert_string_equal(sqlite_fixture_ask(copy, "SELECT count(*) FROM sqlite_schema"),
                            i ? "1" : "0");
        sqlite_fixture_clear(&fixture);
    }
}

TEST(what_is_no_database_is_said_so)
{
    struct sqlite_fixture fixture;
    sqlite_fixture_init(&fixture);
    struct segments_memory *memory = segments_memory_new(NULL);
    struct error err = ERROR_INIT;
    struct dump_result result = {0};
    assert_fails(sqlite_fixture_dump(fixture.path, false, memory, &result, &err), err,
                 ERROR_SOURCE);
    assert_fails(sqlite_fixture_dump(fixture.folder, false, memory, &result, &err), err,
                 ERROR_SOURCE);
    FILE *file = fopen(fixture.path, "w");
    for (int i = 0; i < 5000; i++)
        fputc(i % 251, file);
    fclose(file);
    assert_fails(sqlite_fixture_dump(fixture.path, false, memory, &result, &err), err,
                 ERROR_SOURCE);
    assert_non_null(strstr(err.hint, "encrypted"));
    unlink(fixture.path);
    sqlite_fixture_shop(fixture.path, "delete", 1000);
    assert_int_equal(truncate(fixture.path, 20000), 0);
    assert_fails(sqlite_fixture_dump(fixture.path, false, memory, &result, &err), err,
                 ERROR_SOURCE);
    assert_int_equal(segments_memory_count(memory), 0);
    segments_memory_free(memory);
    sqlite_fixture_clear(&fixture);
}

/* ---- with others writing ---- */

#define LEDGER                                                                                     \
    "CREATE TABLE ledger(id INTEGER PRIMARY KEY, amount INTEGER, pad BLOB);"                       \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 3000) "                \
    "INSERT INTO ledger SELECT i, 0, zeroblob(200) FROM n"

/* Moves amounts about; each transaction leaves the sum at 0. */
static pid_t start_writer(const char *path, unsigned seed, bool checkpoints)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    sqlite3 *app = sqlite_fixture_open(path);
    srandom(seed);
    for (unsigned turn = 0;; turn++) {
        char sql[512];
        long amount = random() % 100;
        snprintf(sql, sizeof sql,
                 "BEGIN IMMEDIATE;"
                 "UPDATE ledger SET amount = amount + %ld, pad = zeroblob(%ld) WHERE id = %ld;"
                 "UPDATE ledger SET amount = amount - %ld, pad = zeroblob(%ld) WHERE id = %ld;"
                 "COMMIT",
                 amount, random() % 400, random() % 3000 + 1, amount, random() % 400,
                 random() % 3000 + 1);
        if (sqlite3_exec(app, sql, NULL, NULL, NULL) != SQLITE_OK)
            sqlite3_exec(app, "ROLLBACK", NULL, NULL, NULL);
        if (checkpoints && turn % 50 == 0)
            sqlite3_exec(app, turn % 100 ? "PRAGMA wal_checkpoint(TRUNCATE)" : "VACUUM", NULL, NULL,
                         NULL);
        if (turn % 97 == 0)
            sqlite3_exec(app, "CREATE TABLE IF NOT EXISTS extra(x); DROP TABLE extra", NULL, NULL,
                         NULL);
    }
}

static void dump_among_writers(const char *journal_mode, int rounds)
{
    struct sqlite_fixture fixture;
    sqlite_fixture_init(&fixture);
    char sql[1024];
    snprintf(sql, sizeof sql, "PRAGMA page_size=1024; PRAGMA journal_mode=%s; " LEDGER,
             journal_mode);
    sqlite_fixture_run(fixture.path, sql);
    pid_t writers[3];
    for (unsigned i = 0; i < ARRAY_SIZE(writers); i++)
        writers[i] = start_writer(fixture.path, i + 1, i == 0);
    for (int round = 0; round < rounds; round++) {
        char copy[96];
        copy_through(&fixture, fixture.path, copy);
        assert_string_equal(sqlite_fixture_ask(copy, "PRAGMA integrity_check"), "ok");
        assert_string_equal(sqlite_fixture_ask(copy, "SELECT sum(amount) FROM ledger"), "0");
        unlink(copy);
    }
    for (size_t i = 0; i < ARRAY_SIZE(writers); i++) {
        kill(writers[i], SIGKILL);
        waitpid(writers[i], NULL, 0);
    }
    sqlite_fixture_clear(&fixture);
}

TEST(each_image_is_one_state_among_wal_writers)
{
    dump_among_writers("wal", 40);
}

TEST(each_image_is_one_state_among_rollback_writers)
{
    dump_among_writers("delete", 15);
}

TEST_MAIN(UNIT(image_equals_the_file_but_for_counters),
          UNIT(pages_that_are_in_the_wal_only_are_read_and_the_wal_stays),
          UNIT(wal_of_an_application_that_died_is_kept),
          UNIT(reading_a_closed_wal_database_leaves_no_files_behind),
          UNIT(hot_journal_is_rolled_back_first), UNIT(empty_database_and_strange_names),
          UNIT(what_is_no_database_is_said_so), UNIT(each_image_is_one_state_among_wal_writers),
          UNIT(each_image_is_one_state_among_rollback_writers))
