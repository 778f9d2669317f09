/*
 * What every driver behind db.h has to keep. SQLite always; PostgreSQL and MySQL/MariaDB when
 * KEDGE_TEST_POSTGRES_URL and KEDGE_TEST_MYSQL_URL name a database that may be written to.
 */
#include "harness/test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/os.h"
#include "db/db.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char *const urls[] = {
    [DB_SQLITE] = NULL,
    [DB_POSTGRES] = "KEDGE_TEST_POSTGRES_URL",
    [DB_MYSQL] = "KEDGE_TEST_MYSQL_URL",
};

static struct db *open_with(enum db_engine engine, int64_t statement_timeout_ms)
{
    struct error err = ERROR_INIT;
    struct db *db = NULL;
    struct db_url url = DB_URL_INIT;
    const struct db_options options = {.os = os_real(),
                                       .create = true,
                                       .lock_timeout_ms = 1000,
                                       .statement_timeout_ms = statement_timeout_ms};
    const char *text = urls[engine] ? getenv(urls[engine]) : "sqlite::memory:";
    if (!text)
        return NULL;
    assert_ok(db_url_parse(text, &url, &err), err);
    assert_ok(db_open(&url, &options, &db, &err), err);
    db_url_clear(&url);
    return db;
}

/* NULL when there is no such server. */
static struct db *open_engine(enum db_engine engine)
{
    return open_with(engine, 0);
}

static int show_row(void *context, const struct db_value *columns, size_t count, struct error *err)
{
    (void)err;
    struct buf *shown = context;
    for (size_t i = 0; i < count; i++) {
        if (columns[i].type == DB_NULL)
            buf_append_text(shown, "NULL");
        else if (columns[i].type == DB_INTEGER)
            buf_append_format(shown, "%" PRId64, columns[i].integer);
        else if (columns[i].type == DB_REAL)
            buf_append_format(shown, "%g", columns[i].real);
        else
            buf_append_format(shown, "%s:%.*s", columns[i].type == DB_BLOB ? "blob" : "text",
                              (int)columns[i].size, columns[i].text);
        buf_append_char(shown, i + 1 < count ? ',' : '\n');
    }
    return 0;
}

static void run(struct db *db, const char *sql)
{
    struct error err = ERROR_INIT;
    assert_ok(db_execute(db, sql, NULL, 0, NULL, &err), err);
}

static int64_t ask(struct db *db, const char *sql)
{
    struct error err = ERROR_INIT;
    int64_t value = -1;
    assert_int_equal(db_query_integer(db, sql, NULL, 0, &value, &err), 1);
    return value;
}

#define EACH_ENGINE(db)                                                                            \
    for (int engine_ = DB_SQLITE; engine_ <= DB_MYSQL; engine_++)                                  \
        for (struct db *db = open_engine((enum db_engine)engine_); db; db_close(db), db = NULL)

static const char *blob_type(struct db *db)
{
    return db->ops->engine == DB_POSTGRES ? "BYTEA" : "BLOB";
}

TEST(values_come_back_as_they_went)
{
    EACH_ENGINE(db)
    {
        struct error err = ERROR_INIT;
        SCOPED(buf) struct buf shown = BUF_INIT;
        SCOPED(string)
        char *create = mem_format("CREATE TABLE conformance (a BIGINT, b DOUBLE PRECISION, c TEXT, "
                                  "d %s)",
                                  blob_type(db));
        run(db, "DROP TABLE IF EXISTS conformance");
        run(db, create);
        struct db_value values[] = {db_integer(INT64_MIN),
                                    {.type = DB_REAL, .real = 0.5},
                                    db_text("it's \\ a \"?\" \xC3\xA4"),
                                    {.type = DB_BLOB, .text = "\1\2\xFF", .size = 3}};
        int64_t changes = 0;
        assert_ok(db_execute(db, "INSERT INTO conformance VALUES (?, ?, ?, ?)", values, 4, &changes,
                             &err),
                  err);
        assert_int_equal(changes, 1);
        struct db_value nulls[] = {DB_VALUE_NULL, DB_VALUE_NULL, db_text(NULL), DB_VALUE_NULL};
        assert_ok(
            db_execute(db, "INSERT INTO conformance VALUES (?, ?, ?, ?)", nulls, 4, NULL, &err),
            err);
        assert_ok(db_query(db, "SELECT * FROM conformance ORDER BY a IS NULL", NULL, 0, show_row,
                           &shown, &err),
                  err);
        assert_string_equal(shown.data, "-9223372036854775808,0.5,text:it's \\ a \"?\" \xC3\xA4,"
                                        "blob:\1\2\xFF\nNULL,NULL,NULL,NULL\n");
        SCOPED(buf) struct buf whole = BUF_INIT;
        assert_ok(db_query_whole(db, "SELECT * FROM conformance ORDER BY a IS NULL", NULL, 0,
                                 show_row, &whole, &err),
                  err);
        assert_string_equal(whole.data, shown.data);
        const struct db_value wanted = db_text("it's \\ a \"?\" \xC3\xA4");
        int64_t found = 0;
        assert_int_equal(db_query_integer(db,
                                          "SELECT count(*) FROM conformance WHERE c = ? AND "
                                          "'?' = '?'",
                                          &wanted, 1, &found, &err),
                         1);
        assert_int_equal(found, 1);
        run(db, "DROP TABLE conformance");
    }
}

TEST(a_rollback_takes_back_and_a_commit_keeps)
{
    EACH_ENGINE(db)
    {
        struct error err = ERROR_INIT;
        run(db, "DROP TABLE IF EXISTS conformance");
        run(db, "CREATE TABLE conformance (a INTEGER PRIMARY KEY)");
        assert_ok(db_begin(db, true, &err), err);
        run(db, "INSERT INTO conformance VALUES (1)");
        assert_int_equal(db->ops->in_transaction(db), 1);
        assert_ok(db_rollback(db, &err), err);
        assert_ok(db_rollback(db, &err), err);
        assert_int_equal(db->ops->in_transaction(db), 0);
        assert_int_equal(ask(db, "SELECT count(*) FROM conformance"), 0);
        assert_ok(db_begin(db, true, &err), err);
        run(db, "INSERT INTO conformance VALUES (1)");
        assert_ok(db_commit(db, &err), err);
        assert_int_equal(ask(db, "SELECT count(*) FROM conformance"), 1);
        assert_fails(db_execute(db, "INSERT INTO conformance VALUES (1)", NULL, 0, NULL, &err), err,
                     ERROR_EXISTS);
        assert_int_equal(ask(db, "SELECT count(*) FROM conformance"), 1);
        run(db, "DROP TABLE conformance");
    }
}

/* Servers that count themselves say so; the others must not run half a statement. */
TEST(parameters_that_do_not_fit_are_refused)
{
    const struct db_value two[] = {db_integer(1), db_integer(2)};
    EACH_ENGINE(db)
    {
        struct error err = ERROR_INIT;
        assert_fails(db_execute(db, "SELECT ? + ?", two, 1, NULL, &err), err, ERROR_FAILED);
        assert_fails(db_execute(db, "SELECT ? + 1", two, 2, NULL, &err), err, ERROR_FAILED);
        assert_int_equal(ask(db, "SELECT 7"), 7);
    }
}

TEST(a_failure_names_the_place_in_the_statement)
{
    EACH_ENGINE(db)
    {
        struct error err = ERROR_INIT;
        assert_fails(db_execute(db, "SELECT 1,\n  FROM nowhere", NULL, 0, NULL, &err), err,
                     ERROR_FAILED);
        assert_true(db->fault.position >= 11 && db->fault.position <= 14);
        assert_int_equal(ask(db, "SELECT 7"), 7);
    }
}

static int stop_at_two(void *context, const struct db_value *columns, size_t count,
                       struct error *err)
{
    (void)count;
    (void)err;
    ++*(int *)context;
    return columns[0].integer == 2 ? 5 : 0;
}

TEST(a_query_can_be_left_and_the_connection_goes_on)
{
    EACH_ENGINE(db)
    {
        struct error err = ERROR_INIT;
        int rows = 0;
        assert_int_equal(db_query(db, "SELECT 1 UNION SELECT 2 UNION SELECT 3 ORDER BY 1", NULL, 0,
                                  stop_at_two, &rows, &err),
                         5);
        assert_int_equal(rows, 2);
        assert_int_equal(ask(db, "SELECT 7"), 7);
        assert_int_equal(db_query_whole(db, "SELECT 1 UNION SELECT 2 UNION SELECT 3 ORDER BY 1",
                                        NULL, 0, stop_at_two, &rows, &err),
                         5);
        assert_int_equal(rows, 4);
        assert_int_equal(ask(db, "SELECT 7"), 7);
    }
}

TEST(a_query_for_what_is_not_there_fails_either_way_and_the_connection_goes_on)
{
    EACH_ENGINE(db)
    {
        struct error err = ERROR_INIT;
        int rows = 0;
        assert_int_equal(
            db_query(db, "SELECT a FROM is_not_there", NULL, 0, stop_at_two, &rows, &err), -1);
        assert_int_equal(
            db_query_whole(db, "SELECT a FROM is_not_there", NULL, 0, stop_at_two, &rows, &err),
            -1);
        assert_int_equal(rows, 0);
        assert_int_equal(ask(db, "SELECT 7"), 7);
    }
}

TEST(a_lock_that_is_not_to_be_had_is_told_apart)
{
    EACH_ENGINE(db)
    {
        struct error err = ERROR_INIT;
        if (db->ops->engine == DB_SQLITE)
            continue;
        struct db *other = open_engine(db->ops->engine);
        run(db, "DROP TABLE IF EXISTS conformance");
        run(db, "CREATE TABLE conformance (a INTEGER PRIMARY KEY)");
        run(db, "INSERT INTO conformance VALUES (1)");
        assert_ok(db_begin(other, true, &err), err);
        run(other, "UPDATE conformance SET a = 2");
        assert_fails(db_execute(db, "UPDATE conformance SET a = 3", NULL, 0, NULL, &err), err,
                     ERROR_TIMEOUT);
        assert_true(db->fault.lock_timeout);
        assert_ok(db_rollback(other, &err), err);
        db_close(other);
        run(db, "DROP TABLE conformance");
    }
}

TEST(an_update_counts_the_rows_it_found)
{
    EACH_ENGINE(db)
    {
        struct error err = ERROR_INIT;
        int64_t changes = -1;
        run(db, "DROP TABLE IF EXISTS conformance");
        run(db, "CREATE TABLE conformance (a INTEGER PRIMARY KEY, b INTEGER)");
        run(db, "INSERT INTO conformance VALUES (1, 5), (2, 5), (3, 6)");
        const char *sql = "UPDATE conformance SET b = 5 WHERE b = 5";
        assert_ok(db_execute(db, sql, NULL, 0, &changes, &err), err);
        assert_int_equal(changes, 2);
        sql = "UPDATE conformance SET b = 5 WHERE a = 9";
        assert_ok(db_execute(db, sql, NULL, 0, &changes, &err), err);
        assert_int_equal(changes, 0);
        assert_ok(db_execute(db, "DELETE FROM conformance", NULL, 0, &changes, &err), err);
        assert_int_equal(changes, 3);
        run(db, "DROP TABLE conformance");
    }
}

/* Takes minutes unless it is stopped, and does not end well when it is. */
static const char *const slow[] = {
    [DB_SQLITE] = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
                  "1000000000000) SELECT count(*) FROM n",
    [DB_POSTGRES] = "SELECT count(*) FROM generate_series(1, 1000000) AS a, "
                    "generate_series(1, 1000000) AS b",
    [DB_MYSQL] = "SELECT count(*) FROM information_schema.columns AS a, "
                 "information_schema.columns AS b, information_schema.columns AS c",
};

static int64_t now_ms(void)
{
    struct os *os = os_real();
    return os->clock_monotonic_ns(os) / 1000000;
}

TEST(a_statement_that_takes_too_long_is_ended)
{
    for (int engine = DB_SQLITE; engine <= DB_MYSQL; engine++) {
        struct error err = ERROR_INIT;
        struct db *db = open_with((enum db_engine)engine, 300);
        int64_t started_ms = now_ms();
        if (!db)
            continue;
        assert_fails(db_query(db, slow[engine], NULL, 0, NULL, NULL, &err), err, ERROR_TIMEOUT);
        assert_in_range(now_ms() - started_ms, 250, 5000);
        assert_false(db->fault.connection_lost);
        assert_int_equal(ask(db, "SELECT 7"), 7);
        db_close(db);
    }
}

/* Its first rows come at once, its last ones in minutes. */
static const char *const slow_rows[] = {
    [DB_SQLITE] = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
                  "1000000000000) SELECT i, 'x' FROM n",
    [DB_POSTGRES] = "SELECT repeat('x', 30000), pg_sleep(0.02) FROM generate_series(1, 10000)",
    [DB_MYSQL] = "SELECT REPEAT('x', 30000), SLEEP(0.02) FROM information_schema.columns AS a, "
                 "information_schema.columns AS b",
};

static int count_row(void *context, const struct db_value *columns, size_t count, struct error *err)
{
    (void)columns, (void)count, (void)err;
    ++*(size_t *)context;
    return 0;
}

TEST(a_statement_whose_rows_take_too_long_is_ended)
{
    for (int engine = DB_SQLITE; engine <= DB_MYSQL; engine++) {
        struct error err = ERROR_INIT;
        struct db *db = open_with((enum db_engine)engine, 500);
        int64_t started_ms = now_ms();
        size_t rows = 0;
        if (!db)
            continue;
        assert_fails(db_query(db, slow_rows[engine], NULL, 0, count_row, &rows, &err), err,
                     ERROR_TIMEOUT);
        assert_in_range(now_ms() - started_ms, 450, 5000);
        assert_true(rows > 0);
        assert_false(db->fault.connection_lost);
        assert_int_equal(ask(db, "SELECT 7"), 7);
        db_close(db);
    }
}

static void *cancel_later(void *context)
{
    os_real()->sleep_ms(os_real(), 300);
    db_cancel(context);
    return NULL;
}

TEST(another_thread_can_end_a_statement)
{
    EACH_ENGINE(db)
    {
        struct error err = ERROR_INIT;
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, cancel_later, db), 0);
        int result = db_query(db, slow[db->ops->engine], NULL, 0, NULL, NULL, &err);
        pthread_join(thread, NULL);
        assert_int_equal(result, -1);
        assert_int_equal(err.code, ERROR_INTERRUPTED);
        assert_false(db->fault.connection_lost);
        assert_int_equal(ask(db, "SELECT 7"), 7);
    }
}

TEST(a_lost_connection_is_told_apart)
{
    EACH_ENGINE(db)
    {
        struct error err = ERROR_INIT;
        bool postgres = db->ops->engine == DB_POSTGRES;
        if (db->ops->engine == DB_SQLITE)
            continue;
        struct db *other = open_engine(db->ops->engine);
        int64_t session = ask(db, postgres ? "SELECT pg_backend_pid()" : "SELECT connection_id()");
        SCOPED(string)
        char *kill = mem_format(
            postgres ? "SELECT pg_terminate_backend(%" PRId64 ")" : "KILL %" PRId64, session);
        assert_ok(db_query(other, kill, NULL, 0, NULL, NULL, &err), err);
        assert_fails(db_execute(db, "SELECT 1", NULL, 0, NULL, &err), err, ERROR_FAILED);
        assert_true(db->fault.connection_lost);
        assert_int_equal(ask(other, "SELECT 7"), 7);
        db_close(other);
    }
}

TEST(a_session_of_our_own_is_not_shared)
{
    EACH_ENGINE(db)
    {
        struct error err = ERROR_INIT;
        if (db->ops->is_shared)
            assert_int_equal(db->ops->is_shared(db, &err), 0);
    }
}

/* Open the engine's database with another user, or with `query` after its URL. */
static int open_as(enum db_engine engine, const char *user, const char *password, const char *query,
                   struct error *err)
{
    struct db *db = NULL;
    struct db_url url = DB_URL_INIT;
    const struct db_options options = {.os = os_real()};
    SCOPED(string) char *text = mem_format("%s%s", getenv(urls[engine]), query);
    int result = db_url_parse(text, &url, err);
    if (result == 0 && user) {
        free(url.user);
        free(url.password);
        url.user = mem_string(user);
        url.password = mem_string(password);
    }
    if (result == 0)
        result = db_open(&url, &options, &db, err);
    if (result == 0)
        assert_int_equal(ask(db, "SELECT 7"), 7);
    db_close(db);
    db_url_clear(&url);
    return result;
}

TEST(a_password_may_hold_any_character)
{
    static const char *const passwords[] = {
        "p'q",
        "p\"q",
        "p\\q",
        "a b",
        "%41@:/?#[]&=;$,+",
        "`~!^*",
        "\t\n",
        "\xC3\xA4\xE2\x82\xAC",
        "\\'\\\\'--",
        "0x0",
    };
    EACH_ENGINE(db)
    {
        struct error err = ERROR_INIT;
        bool postgres = db->ops->engine == DB_POSTGRES;
        if (db->ops->engine == DB_SQLITE)
            continue;
        for (size_t i = 0; i < sizeof passwords / sizeof *passwords; i++) {
            SCOPED(buf) struct buf sql = BUF_INIT;
            run(db, postgres ? "DROP ROLE IF EXISTS kedge_any" : "DROP USER IF EXISTS kedge_any");
            buf_append_text(&sql, postgres ? "CREATE ROLE kedge_any LOGIN PASSWORD "
                                           : "CREATE USER kedge_any IDENTIFIED BY ");
            db_quote_literal(db->ops->engine, &sql, passwords[i], strlen(passwords[i]));
            run(db, sql.data);
            if (!postgres)
                run(db, "GRANT ALL ON *.* TO kedge_any");
            assert_ok(open_as(db->ops->engine, "kedge_any", passwords[i], "", &err), err);
            /* PostgreSQL trusts us in tests. */
            if (!postgres)
                assert_fails(open_as(db->ops->engine, "kedge_any", "wrong", "", &err), err,
                             ERROR_PERMISSION);
            assert_null(strstr(err.message, passwords[i]));
        }
        run(db, postgres ? "DROP ROLE kedge_any" : "DROP USER kedge_any");
    }
}

TEST(encryption_that_is_required_is_not_done_without)
{
    static const char *const refused[] = {"?sslmode=require", "?sslmode=verify-ca",
                                          "?sslmode=verify-full"};
    static const char *const accepted[] = {"?sslmode=disable", "?sslmode=prefer"};
    /* MySQL has encryption always and nothing that says so. */
    static const char *const asked[] = {
        [DB_POSTGRES] = "SELECT count(*) FROM pg_settings WHERE name = 'ssl' AND setting = 'off'",
        [DB_MYSQL] = "SELECT count(*) FROM information_schema.global_variables "
                     "WHERE variable_name = 'HAVE_SSL' AND variable_value <> 'YES'",
    };
    EACH_ENGINE(db)
    {
        struct error err = ERROR_INIT;
        enum db_engine engine = db->ops->engine;
        int64_t without = 0;
        if (engine == DB_SQLITE)
            continue;
        if (db_query_integer(db, asked[engine], NULL, 0, &without, &err) < 0 || !without) {
            assert_ok(open_as(engine, NULL, NULL, "?sslmode=require", &err), err);
            continue;
        }
        for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
            assert_int_equal(open_as(db->ops->engine, NULL, NULL, refused[i], &err), -1);
        for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++)
            assert_ok(open_as(db->ops->engine, NULL, NULL, accepted[i], &err), err);
    }
}

TEST(statements_sent_together_stop_at_the_first_that_fails)
{
    EACH_ENGINE(db)
    {
        struct error err = ERROR_INIT;
        size_t done = 99;
        const struct db_value seven = db_integer(7);
        const struct db_statement statements[] = {
            {"CREATE TABLE conformance (a BIGINT)", 35, NULL, 0},
            {"INSERT INTO conformance VALUES (?)", 34, &seven, 1},
            {"SELECT a FROM conformance", 25, NULL, 0},
            {"INSERT INTO conformance VALUES (nix)", 36, NULL, 0},
            {"INSERT INTO conformance VALUES (8)", 34, NULL, 0},
        };
        if (!db->ops->batch)
            continue;
        run(db, "DROP TABLE IF EXISTS conformance");
        assert_ok(db->ops->batch(db, statements, 3, &done, &err), err);
        assert_int_equal(done, 3);
        assert_ok(db->ops->batch(db, statements, 0, &done, &err), err);
        assert_int_equal(done, 0);
        assert_fails(db->ops->batch(db, statements + 1, 4, &done, &err), err, ERROR_FAILED);
        assert_int_equal(done, 2);
        assert_int_equal(db->fault.position, 33);
        assert_false(db->fault.connection_lost);
        /* Without BEGIN the whole was one transaction. */
        assert_int_equal(ask(db, "SELECT sum(a) FROM conformance"), 7);
        run(db, "DROP TABLE conformance");
    }
}

TEST_MAIN(UNIT(values_come_back_as_they_went), UNIT(a_rollback_takes_back_and_a_commit_keeps),
          UNIT(parameters_that_do_not_fit_are_refused),
          UNIT(a_failure_names_the_place_in_the_statement),
          UNIT(a_query_can_be_left_and_the_connection_goes_on),
          UNIT(a_query_for_what_is_not_there_fails_either_way_and_the_connection_goes_on),
          UNIT(a_lock_that_is_not_to_be_had_is_told_apart),
          UNIT(an_update_counts_the_rows_it_found), UNIT(a_statement_that_takes_too_long_is_ended),
          UNIT(a_statement_whose_rows_take_too_long_is_ended),
          UNIT(another_thread_can_end_a_statement), UNIT(a_lost_connection_is_told_apart),
          UNIT(a_session_of_our_own_is_not_shared), UNIT(a_password_may_hold_any_character),
          UNIT(encryption_that_is_required_is_not_done_without),
          UNIT(statements_sent_together_stop_at_the_first_that_fails))
