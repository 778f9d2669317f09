#include "harness/scratch.h"
#include "harness/test.h"

#include "base/buf.h"
#include "base/os.h"
#include "base/stop.h"
#include "db/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

struct place {
    char folder[64];
    struct db_url url;
    struct db_options options;
};

static void place_init(struct place *place)
{
    *place = (struct place){.options = {.os = os_real(), .create = true}};
    scratch_folder(place->folder);
    place->url.engine = DB_SQLITE;
    place->url.database = mem_format("%s/test.db", place->folder);
}

static void place_clear(struct place *place)
{
    static const char *const suffixes[] = {"", "-journal", "-wal", "-shm"};
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        SCOPED(string) char *path = mem_format("%s%s", place->url.database, suffixes[i]);
        unlink(path);
    }
    rmdir(place->folder);
    db_url_clear(&place->url);
}

static struct db *open_place(struct place *place)
{
    struct error err = ERROR_INIT;
    struct db *db = NULL;
    assert_ok(db_open(&place->url, &place->options, &db, &err), err);
    return db;
}

static void execute(struct db *db, const char *sql)
{
    struct error err = ERROR_INIT;
    assert_ok(db_execute(db, sql, NULL, 0, NULL, &err), err);
}

TEST(values_of_every_type_come_back_as_they_went)
{
    struct place place;
    place_init(&place);
    struct error err = ERROR_INIT;
    SCOPED(db) struct db *db = open_place(&place);
    execute(db, "CREATE TABLE t (a, b, c, d, e)");
    const struct db_value values[] = {
        db_integer(INT64_MIN),
        {.type = DB_REAL, .real = 0.5},
        {.type = DB_TEXT, .text = "a\0b", .size = 3},
        {.type = DB_BLOB, .text = "", .size = 0},
        db_text(NULL),
    };
    int64_t changes = -1;
    assert_ok(db_execute(db, "INSERT INTO t VALUES (?, ?, ?, ?, ?)", values, 5, &changes, &err),
              err);
    assert_int_equal(changes, 1);
    assert_ok(db_execute(db, "CREATE TABLE u (a)", NULL, 0, &changes, &err), err);
    assert_int_equal(changes, 0);
    int64_t good = 0;
    assert_int_equal(db_query_integer(db,
                                      "SELECT a = ? AND b = ? AND c = ? AND d = ? AND e IS ? "
                                      "AND typeof(d) = 'blob' FROM t",
                                      values, 5, &good, &err),
                     1);
    assert_int_equal(good, 1);
    char *text = NULL;
    assert_int_equal(db_query_text(db, "SELECT c FROM t", NULL, 0, &text, &err), 1);
    assert_memory_equal(text, "a\0b", 4);
    free(text);
    assert_int_equal(db_query_text(db, "SELECT c FROM t WHERE a = 0", NULL, 0, &text, &err), 0);
    place_clear(&place);
}

static int count_and_nest(void *context, const struct db_value *columns, size_t count,
                          struct error *err)
{
    struct db *db = context;
    (void)count;
    int64_t same = 0;
    assert_int_equal(db_query_integer(db, "SELECT a FROM t WHERE a = ?", columns, 1, &same, err),
                     1);
    assert_int_equal(same, columns[0].integer);
    return same == 2 ? 7 : 0;
}

TEST(query_inside_a_query_and_stopping_one)
{
    struct place place;
    place_init(&place);
    struct error err = ERROR_INIT;
    SCOPED(db) struct db *db = open_place(&place);
    execute(db, "CREATE TABLE t (a)");
    execute(db, "INSERT INTO t VALUES (1), (2), (3)");
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            db_query(db, "SELECT a FROM t ORDER BY a", NULL, 0, count_and_nest, db, &err), 7);
    place_clear(&place);
}

TEST(failing_statement_says_where_and_what)
{
    struct place place;
    place_init(&place);
    struct error err = ERROR_INIT;
    SCOPED(db) struct db *db = open_place(&place);
    assert_fails(db_execute(db, "SELECT '\xc3\xa4', x", NULL, 0, NULL, &err), err, ERROR_FAILED);
    assert_non_null(strstr(err.message, "no such column: x"));
    assert_int_equal(db->fault.position, 13);
    assert_false(db->fault.lock_timeout);
    execute(db, "CREATE TABLE t (a PRIMARY KEY)");
    execute(db, "INSERT INTO t VALUES (1)");
    assert_fails(db_execute(db, "INSERT INTO t VALUES (1)", NULL, 0, NULL, &err), err,
                 ERROR_EXISTS);
    assert_int_equal(db->fault.native_code, 1555);
    assert_fails(db_execute(db, "SELECT 1; SELECT 2", NULL, 0, NULL, &err), err, ERROR_FAILED);
    assert_fails(db_execute(db, "SELECT ?", NULL, 0, NULL, &err), err, ERROR_FAILED);
    assert_ok(db_execute(db, "SELECT 1; -- and no more\n ;", NULL, 0, NULL, &err), err);
    assert_ok(db_execute(db, "/* nothing */", NULL, 0, NULL, &err), err);
    place_clear(&place);
}

TEST(busy_database_is_waited_for_and_then_locked)
{
    struct place place;
    place_init(&place);
    struct error err = ERROR_INIT;
    place.options.lock_timeout_ms = 50;
    SCOPED(db) struct db *one = open_place(&place);
    SCOPED(db) struct db *two = open_place(&place);
    assert_ok(db_begin(one, true, &err), err);
    assert_int_equal(one->ops->in_transaction(one), 1);
    int64_t start_ns = one->os->clock_monotonic_ns(one->os);
    assert_fails(db_begin(two, true, &err), err, ERROR_LOCKED);
    assert_true(one->os->clock_monotonic_ns(one->os) - start_ns >= 50 * 1000000);
    assert_true(two->fault.lock_timeout);
    assert_ok(db_rollback(two, &err), err);
    assert_ok(db_commit(one, &err), err);
    assert_ok(db_begin(two, true, &err), err);
    place_clear(&place);
}

TEST(stop_request_shortens_the_wait)
{
    struct place place;
    place_init(&place);
    struct error err = ERROR_INIT;
    place.options.lock_timeout_ms = 60000;
    SCOPED(db) struct db *one = open_place(&place);
    SCOPED(db) struct db *two = open_place(&place);
    assert_ok(db_begin(one, true, &err), err);
    stop_request();
    assert_fails(db_begin(two, true, &err), err, ERROR_LOCKED);
    stop_clear();
    place_clear(&place);
}

TEST(statement_timeout_ends_a_long_statement)
{
    struct place place;
    place_init(&place);
    struct error err = ERROR_INIT;
    place.options.statement_timeout_ms = 20;
    SCOPED(db) struct db *db = open_place(&place);
    assert_fails(db_execute(db,
                            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                            "SELECT count(*) FROM n",
                            NULL, 0, NULL, &err),
                 err, ERROR_TIMEOUT);
    execute(db, "SELECT 1");
    place_clear(&place);
}

TEST(file_that_is_missing_or_no_database_is_named)
{
    struct place place;
    place_init(&place);
    struct error err = ERROR_INIT;
    struct db *db = NULL;
    place.options.create = false;
    assert_fails(db_open(&place.url, &place.options, &db, &err), err, ERROR_NOT_FOUND);
    assert_non_null(strstr(err.message, place.url.database));
    assert_int_equal(access(place.url.database, F_OK), -1);

    FILE *file = fopen(place.url.database, "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is no database at all\n", file);
    fclose(file);
    db = open_place(&place);
    assert_fails(db_execute(db, "SELECT * FROM sqlite_master", NULL, 0, NULL, &err), err,
                 ERROR_CORRUPT);
    db_close(db);
    place_clear(&place);
}

TEST(read_only_connection_cannot_write)
{
    struct place place;
    place_init(&place);
    struct error err = ERROR_INIT;
    struct db *db = open_place(&place);
    execute(db, "CREATE TABLE t (a)");
    db_close(db);
    place.options.read_only = true;
    db = open_place(&place);
    assert_fails(db_execute(db, "INSERT INTO t VALUES (1)", NULL, 0, NULL, &err), err,
                 ERROR_PERMISSION);
    db_close(db);
    place_clear(&place);
}

TEST(full_synchronous_is_set)
{
    struct place place;
    place_init(&place);
    struct error err = ERROR_INIT;
    place.options.full_synchronous = true;
    SCOPED(db) struct db *db = open_place(&place);
    int64_t level = 0;
    assert_int_equal(db_query_integer(db, "PRAGMA synchronous", NULL, 0, &level, &err), 1);
    assert_int_equal(level, 3);
    place_clear(&place);
}

/* A file may not grow: what a full disk looks like to SQLite, near enough. */
TEST(file_that_cannot_grow_fails_and_keeps_what_was_committed)
{
    struct place place;
    place_init(&place);
    struct error err = ERROR_INIT;
    SCOPED(db) struct db *db = open_place(&place);
    execute(db, "CREATE TABLE t (a)");
    execute(db, "INSERT INTO t VALUES (1)");
    struct rlimit before;
    getrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 65536, .rlim_max = before.rlim_max});
    assert_int_equal(
        db_execute(db, "INSERT INTO t VALUES (randomblob(1000000))", NULL, 0, NULL, &err), -1);
    setrlimit(RLIMIT_FSIZE, &before);
    execute(db, "PRAGMA max_page_count=20");
    assert_fails(db_execute(db, "INSERT INTO t VALUES (randomblob(1000000))", NULL, 0, NULL, &err),
                 err, ERROR_NO_SPACE);
    int64_t rows = 0;
    assert_int_equal(db_query_integer(db, "SELECT count(*) FROM t", NULL, 0, &rows, &err), 1);
    assert_int_equal(rows, 1);
    place_clear(&place);
}

TEST(more_statements_than_the_cache_holds)
{
    struct place place;
    place_init(&place);
    struct error err = ERROR_INIT;
    SCOPED(db) struct db *db = open_place(&place);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 50; i++) {
            SCOPED(string) char *sql = mem_format("SELECT %d", i);
            int64_t value = -1;
            assert_int_equal(db_query_integer(db, sql, NULL, 0, &value, &err), 1);
            assert_int_equal(value, i);
        }
    place_clear(&place);
}

TEST(quoted_text_reads_back)
{
    struct place place;
    place_init(&place);
    struct error err = ERROR_INIT;
    SCOPED(db) struct db *db = open_place(&place);
    static const char text[] = "it's \"a\" `b` \\ \0 end";
    SCOPED(buf) struct buf sql = BUF_INIT;
    buf_append_text(&sql, "SELECT ");
    db_quote_literal(DB_SQLITE, &sql, text, sizeof text - 1);
    buf_append_text(&sql, " = ? AS ");
    db_quote_identifier(DB_SQLITE, &sql, "a \"name\"");
    int64_t same = 0;
    const struct db_value value = {.type = DB_TEXT, .text = text, .size = sizeof text - 1};
    assert_int_equal(db_query_integer(db, sql.data, &value, 1, &same, &err), 1);
    assert_int_equal(same, 1);
    buf_reset(&sql);
    db_quote_identifier(DB_MYSQL, &sql, "a`b\"c");
    db_quote_literal(DB_MYSQL, &sql, "a'b\\c\0d", 7);
    db_quote_literal(DB_POSTGRES, &sql, "a'b\\c", 5);
    assert_string_equal(sql.data, "`a``b\"c`'a\\'b\\\\c\\0d''a''b\\c'");
    place_clear(&place);
}

static bool has_journal(const struct place *place)
{
    SCOPED(string) char *path = mem_format("%s-journal", place->url.database);
    return access(path, F_OK) == 0;
}

TEST(series_keeps_its_journal_to_its_end_and_leaves_a_log_alone)
{
    struct place place;
    place_init(&place);
    struct error err = ERROR_INIT;
    SCOPED(string) char *mode = NULL;
    SCOPED(db) struct db *db = open_place(&place);
    execute(db, "CREATE TABLE t (a)");
    assert_false(has_journal(&place));
    assert_ok(db_series_begin(db, &err), err);
    for (int i = 0; i < 3; i++) {
        execute(db, "INSERT INTO t VALUES (1)");
        assert_true(has_journal(&place));
    }
    db_series_end(db);
    assert_false(has_journal(&place));

    execute(db, "PRAGMA journal_mode = WAL");
    assert_ok(db_series_begin(db, &err), err);
    execute(db, "INSERT INTO t VALUES (1)");
    db_series_end(db);
    assert_int_equal(db_query_text(db, "PRAGMA journal_mode", NULL, 0, &mode, &err), 1);
    assert_string_equal(mode, "wal");
    db_close(STEAL(db));
    place_clear(&place);
}

TEST_MAIN(UNIT(values_of_every_type_come_back_as_they_went),
          UNIT(query_inside_a_query_and_stopping_one), UNIT(failing_statement_says_where_and_what),
          UNIT(busy_database_is_waited_for_and_then_locked), UNIT(stop_request_shortens_the_wait),
          UNIT(statement_timeout_ends_a_long_statement),
          UNIT(file_that_is_missing_or_no_database_is_named),
          UNIT(read_only_connection_cannot_write), UNIT(full_synchronous_is_set),
          UNIT(file_that_cannot_grow_fails_and_keeps_what_was_committed),
          UNIT(more_statements_than_the_cache_holds), UNIT(quoted_text_reads_back),
          UNIT(series_keeps_its_journal_to_its_end_and_leaves_a_log_alone))
