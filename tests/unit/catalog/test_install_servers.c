/*
 * The installation on servers that the environment names (test_engines.c): cut at any line, it
 * leaves PostgreSQL as it was; MySQL/MariaDB cannot undo it, so the next run completes it.
 */
#include "fixture.h"

#include "base/buf.h"
#include "base/stop.h"
#include "catalog/install.h"

#include <stdio.h>
#include <stdlib.h>

struct place {
    const char *url;
    struct buf lines;
    int cut_after;        /* so many lines; 0: never */
    const char *cut_with; /* statement that ends the other sessions; NULL: a stop is requested */
};

static struct db *open_url(const char *text)
{
    struct error err = ERROR_INIT;
    struct db_url url = DB_URL_INIT;
    struct db *db = NULL;
    const struct db_options options = {.os = os_real(), .application = "test"};
    assert_ok(db_url_parse(text, &url, &err), err);
    assert_ok(db_open(&url, &options, &db, &err), err);
    db_url_clear(&url);
    return db;
}

static void execute(const char *url, const char *sql)
{
    struct error err = ERROR_INIT;
    struct db *db = open_url(url);
    assert_ok(db_query(db, sql, NULL, 0, NULL, NULL, &err), err);
    db_close(db);
}

static int64_t count(const char *url, const char *sql)
{
    struct error err = ERROR_INIT;
    int64_t value = -1;
    struct db *db = open_url(url);
    assert_int_equal(db_query_integer(db, sql, NULL, 0, &value, &err), 1);
    db_close(db);
    return value;
}

static void note_line(void *context, enum install_mark mark, const char *text)
{
    struct place *place = context;
    (void)mark;
    buf_append_text(&place->lines, text);
    buf_append_char(&place->lines, '\n');
    if (place->cut_after && --place->cut_after == 0) {
        if (place->cut_with)
            execute(place->url, place->cut_with);
        else
            stop_request();
    }
}

static int install(struct place *place, struct error *err)
{
    const struct install_options options = {.url = place->url, .line = note_line, .context = place};
    buf_reset(&place->lines);
    int result = catalog_install(os_real(), &options, err);
    stop_clear();
    return result;
}

#define POSTGRES_DROP                                                                              \
    "DO $$ BEGIN DROP SCHEMA IF EXISTS kedge CASCADE; DROP TABLE IF EXISTS "                       \
    "public.database_backups; END $$"
#define POSTGRES_KILL                                                                              \
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kedge'"
#define POSTGRES_COUNT                                                                             \
    "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = 'kedge') + (SELECT count(*) "       \
    "FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname LIKE '%backup%')"

TEST(postgres_is_as_it_was_wherever_it_is_cut)
{
    struct place place = {.url = getenv("KEDGE_TEST_POSTGRES_URL"), .lines = BUF_INIT};
    if (!place.url)
        return;
    for (int kill = 0; kill < 2; kill++) {
        int unchanged = 0;
        for (int after = 1; after <= 10; after++) {
            struct error err = ERROR_INIT;
            execute(place.url, POSTGRES_DROP);
            place.cut_after = after;
            place.cut_with = kill ? POSTGRES_KILL : NULL;
            int result = install(&place, &err);
            assert_int_equal(count(place.url, POSTGRES_COUNT) == 0, result < 0);
            unchanged += result < 0;
            place.cut_after = 0;
            assert_ok(install(&place, &err), err);
        }
        assert_true(unchanged >= 6 && unchanged < 10);
    }
    execute(place.url, POSTGRES_DROP);
    buf_clear(&place.lines);
}

TEST(postgres_table_from_before_and_missing_rights_are_told)
{
    const char *url = getenv("KEDGE_TEST_POSTGRES_URL");
    struct place place = {.url = url, .lines = BUF_INIT};
    struct error err = ERROR_INIT;
    if (!url)
        return;
    execute(url, POSTGRES_DROP);
    execute(url, "CREATE TABLE public.database_backups (id SERIAL PRIMARY KEY, filename TEXT, "
                 "s3_key TEXT, file_size INTEGER, backup_type TEXT, status TEXT, created_by TEXT, "
                 "created_at TIMESTAMP, completed_at TIMESTAMP)");
    assert_fails(install(&place, &err), err, ERROR_FAILED);
    assert_string_equal(err.message,
                        "Required column metadata is missing from database_backups table");
    execute(url, "ALTER TABLE public.database_backups ADD COLUMN metadata JSONB");
    assert_ok(install(&place, &err), err);
    assert_non_null(
        strstr(place.lines.data, "Migration not needed - table already exists and is valid"));
    execute(url, POSTGRES_DROP);

    /* The same server, as somebody who may do nothing. */
    struct db_url parts = DB_URL_INIT;
    assert_ok(db_url_parse(url, &parts, &err), err);
    execute(url, "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = "
                 "'kedge_nobody') THEN CREATE ROLE kedge_nobody LOGIN PASSWORD 'x'; END IF; END "
                 "$$");
    SCOPED(string)
    char *nobody =
        mem_format("postgres://kedge_nobody:x@%s:%d/%s", parts.host, parts.port, parts.database);
    place.url = nobody;
    assert_fails(install(&place, &err), err, ERROR_PERMISSION);
    assert_string_equal(err.message, "permission denied for schema public");
    assert_non_null(strstr(err.hint, "GRANT CREATE ON SCHEMA public TO kedge_nobody;"));
    SCOPED(string) char *closed = mem_format("postgres://x:hunter2@%s:1/x", parts.host);
    place.url = closed;
    assert_int_equal(install(&place, &err), -1);
    assert_non_null(strstr(err.message, "connection to server failed"));
    assert_null(strstr(err.message, "hunter2"));
    execute(url, "DROP ROLE kedge_nobody");
    db_url_clear(&parts);
    buf_clear(&place.lines);
}

TEST(mysql_is_completed_by_the_next_run)
{
    struct place place = {.url = getenv("KEDGE_TEST_MYSQL_URL"), .lines = BUF_INIT};
    int completed = 0;
    if (!place.url)
        return;
    for (int after = 1; after <= 10; after++) {
        struct error err = ERROR_INIT;
        execute(place.url, "DROP DATABASE IF EXISTS kedge");
        place.cut_after = after;
        install(&place, &err);
        place.cut_after = 0;
        assert_ok(install(&place, &err), err);
        completed += strstr(place.lines.data, "already") != NULL;
        assert_int_equal(count(place.url, "SELECT count(*) FROM kedge.apps"), 0);
        assert_int_equal(count(place.url, "SELECT count(*) FROM kedge.database_backups"), 0);
    }
    assert_true(completed >= 3);
    execute(place.url, "DROP DATABASE IF EXISTS kedge");
    buf_clear(&place.lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(postgres_is_as_it_was_wherever_it_is_cut),
        UNIT(postgres_table_from_before_and_missing_rights_are_told),
        UNIT(mysql_is_completed_by_the_next_run),
    };
    /* cmocka writes a skipped test as "not ok", which Meson takes at its word. */
    if (!getenv("KEDGE_TEST_POSTGRES_URL") && !getenv("KEDGE_TEST_MYSQL_URL")) {
        puts("1..0 # SKIP no server is named");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
