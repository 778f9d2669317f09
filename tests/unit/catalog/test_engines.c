/*
 * The same catalogue on every engine. SQLite always; PostgreSQL and MySQL/MariaDB when
 * KEDGE_TEST_POSTGRES_URL and KEDGE_TEST_MYSQL_URL name a server whose schema `kedge` may be
 * dropped.
 */
#include "fixture.h"

#include "artifact/manifest.h"
#include "catalog/backup_find.h"
#include "catalog/backup_work.h"
#include "catalog/check.h"
#include "catalog/connections.h"
#include "catalog/dialect.h"
#include "catalog/import.h"
#include "catalog/install.h"
#include "catalog/lock.h"
#include "catalog/restores.h"
#include "catalog/schedules.h"
#include "catalog/stats.h"

#include "base/text.h"

#include <sys/wait.h>

#define HOUR_NS INT64_C(3600000000000)

static const struct engine {
    const char *name, *variable, *drop;
} engines[] = {
    {"sqlite", NULL, NULL},
    {"postgres", "KEDGE_TEST_POSTGRES_URL", "DROP SCHEMA IF EXISTS kedge CASCADE"},
    {"mysql", "KEDGE_TEST_MYSQL_URL", "DROP DATABASE IF EXISTS kedge"},
};

static void drop_all(const char *text, const char *sql)
{
    struct error err = ERROR_INIT;
    struct db_url url = DB_URL_INIT;
    struct db *db = NULL;
    const struct db_options options = {.os = os_real()};
    assert_ok(db_url_parse(text, &url, &err), err);
    assert_ok(db_open(&url, &options, &db, &err), err);
    assert_ok(db_execute(db, sql, NULL, 0, NULL, &err), err);
    db_close(db);
    db_url_clear(&url);
}

/* A fresh catalogue there; false when there is no such server. */
static bool engine_init(const struct engine *engine, struct fixture *fixture)
{
    struct error err = ERROR_INIT;
    if (!engine->variable) {
        fixture_init(fixture);
        return true;
    }
    const char *url = getenv(engine->variable);
    if (!url)
        return false;
    *fixture = (struct fixture){0};
    snprintf(fixture->path, sizeof fixture->path, "%s", url);
    drop_all(url, engine->drop);
    fixture->catalog = fixture_open(fixture);
    fixture_fill(fixture, &err);
    return true;
}

static void engine_clear(const struct engine *engine, struct fixture *fixture)
{
    if (!engine->variable) {
        fixture_clear(fixture);
        return;
    }
    catalog_close(fixture->catalog);
    drop_all(fixture->path, engine->drop);
}

/* Run `body` on each engine there is. */
static void on_each(void (*body)(struct fixture *fixture, const struct engine *engine))
{
    for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
        struct fixture fixture;
        if (!engine_init(&engines[i], &fixture)) {
            print_message("# %s: no server\n", engines[i].name);
            continue;
        }
        body(&fixture, &engines[i]);
        engine_clear(&engines[i], &fixture);
    }
}

static int count_row(void *context, const struct backup_row *row, struct error *err)
{
    (void)row;
    (void)err;
    ++*(int *)context;
    return 0;
}

static void check_schema(struct fixture *fixture, const struct engine *engine)
{
    struct error err = ERROR_INIT;
    struct text_list problems = TEXT_LIST_INIT;
    size_t tables = 0;
    (void)engine;
    assert_ok(catalog_check(fixture->catalog, &problems, &tables, &err), err);
    for (size_t i = 0; i < problems.count; i++)
        print_message("# %s\n", problems.items[i]);
    assert_int_equal(problems.count, 0);
    assert_int_equal(tables, 12);
    text_list_clear(&problems);
    struct catalog *again = fixture_open(fixture);
    catalog_close(again);
}

TEST(schema_is_whole_and_opens_again)
{
    on_each(check_schema);
}

static void live(struct fixture *fixture, const struct engine *engine)
{
    struct error err = ERROR_INIT;
    struct catalog *catalog = fixture->catalog;
    (void)engine;
    struct backup_row row = fixture_row(fixture, "shop");
    row.tags = "[\"a\", \"b\"]";
    row.metadata = "{\"k\": \"it's \\u00e4\"}";
    row.verified_level = 0;
    row.verified_ns = 1769824800123456000;
    row.expires_ns = 2 * HOUR_NS;
    row.created_ns = HOUR_NS;
    fixture_succeed(fixture, &row);
    struct backup_row second = fixture_row(fixture, "shop");
    fixture_succeed(fixture, &second);
    assert_ok(backups_progress(catalog, second.id, 10, &err), err);

    SCOPED(backup_row) struct backup_row read = BACKUP_ROW_INIT;
    assert_int_equal(backups_find(catalog, "1", &read, &err), 1);
    assert_string_equal(read.id, row.id);
    assert_int_equal(read.verified_ns, 1769824800123456000);
    assert_int_equal(read.created_ns, HOUR_NS);
    assert_string_equal(read.app, "shop");
    assert_true(text_starts(read.metadata, "{"));
    struct text_list tags = TEXT_LIST_INIT;
    assert_ok(catalog_list_of_json(read.tags, &tags, &err), err);
    assert_int_equal(tags.count, 2);
    text_list_clear(&tags);
    backup_row_clear(&read);
    SCOPED(string) char *prefix = mem_string_n(row.id, 26);
    assert_int_equal(backups_find(catalog, prefix, &read, &err), 1);
    backup_row_clear(&read);
    assert_int_equal(backups_find(catalog, "latest:shop", &read, &err), 1);
    assert_int_equal(read.number, 2);
    backup_row_clear(&read);
    assert_int_equal(backups_find(catalog, "shop_1.sql.zst", &read, &err), 1);
    assert_int_equal(backups_find(catalog, "nothing", &second, &err), 0);

    int count = 0;
    assert_ok(backups_list(catalog,
                           &(struct backup_filter){.app = "shop",
                                                   .status = "success",
                                                   .target = "shop",
                                                   .type = "database",
                                                   .destination = "local",
                                                   .since_ns = 1,
                                                   .limit = 5,
                                                   .everything = true},
                           count_row, &count, &err),
              err);
    assert_int_equal(count, 2);
    count = 0;
    assert_ok(backups_list(catalog, &(struct backup_filter){.offset = 1}, count_row, &count, &err),
              err);
    assert_int_equal(count, 1);
    count = 0;
    assert_ok(backups_list_expired(catalog, NULL, catalog_now(catalog), count_row, &count, &err),
              err);
    assert_int_equal(count, 1);
    assert_int_equal(backups_is_kept(catalog, &row, &err), 0);
    assert_ok(backups_settle_dead(catalog, count_row, &count, &err), err);
    assert_ok(backups_set_verified(catalog, row.id, 2, HOUR_NS, &err), err);
    assert_ok(backups_set_expiry(catalog, row.id, 7, HOUR_NS, &err), err);
    assert_ok(backups_set_deleting(catalog, row.id, &err), err);
    assert_ok(backups_set_deleting(catalog, row.id, &err), err);
    assert_ok(backups_remove(catalog, row.id, &err), err);
    assert_fails(backups_set_deleting(catalog, row.id, &err), err, ERROR_NOT_FOUND);
}

TEST(backups_live_on_every_engine)
{
    on_each(live);
}

static void refuse(struct fixture *fixture, const struct engine *engine)
{
    struct error err = ERROR_INIT;
    (void)engine;
    struct backup_row row = fixture_row(fixture, "shop");
    row.type = "everything";
    assert_int_equal(backups_insert(fixture->catalog, &row, &err), -1);
    row = fixture_row(fixture, "shop");
    row.tags = "[1, ";
    assert_int_equal(backups_insert(fixture->catalog, &row, &err), -1);
    row = fixture_row(fixture, "shop");
    memcpy(row.app_id, "01ARZ3NDEKTSV4RRFFQ69G5FAV", 27);
    assert_int_equal(backups_insert(fixture->catalog, &row, &err), -1);
    row = fixture_row(fixture, "Shop");
    fixture_succeed(fixture, &row);
    assert_int_equal(row.number, 1);
    char id[27];
    assert_int_equal(apps_find(fixture->catalog, "SHOP", id, &err), 0);
    assert_int_equal(apps_remove(fixture->catalog, "shop", &err), 1);
    assert_int_equal(fixture_count(fixture, "SELECT count(*) FROM backups"), 0);
}

TEST(every_engine_checks_what_it_is_given)
{
    on_each(refuse);
}

static int ignore_restore(void *context, const struct restore_row *row, struct error *err)
{
    (void)err;
    assert_string_equal(row->target, "shop");
    ++*(int *)context;
    return 0;
}

static int ignore_target(void *context, const struct target_stats *stats, struct error *err)
{
    (void)err;
    *(int64_t *)context = stats->newest_success_ns;
    return 0;
}

static int ignore_destination(void *context, const struct destination_stats *stats,
                              struct error *err)
{
    (void)err;
    *(int64_t *)context = stats->size_bytes;
    return 0;
}

static void rest(struct fixture *fixture, const struct engine *engine)
{
    struct error err = ERROR_INIT;
    struct catalog *catalog = fixture->catalog;
    (void)engine;
    struct restore_row restore = {
        .target = "shop", .restore_type = "full", .safety_kind = "swap", .worker_id = "w"};
    assert_ok(restores_insert(catalog, &restore, &err), err);
    assert_ok(restores_set_ref(catalog, restore.id, "{\"a\":1}", 0, &err), err);
    assert_ok(restores_heartbeat(catalog, restore.id, &err), err);
    restore.safety_ref = "{\"a\":2}";
    restore.undo_until_ns = HOUR_NS;
    assert_ok(restores_finish(catalog, &restore, &err), err);
    SCOPED(restore_row) struct restore_row undoable = {0};
    assert_int_equal(restores_get_undoable(catalog, "shop", false, &undoable, &err), 1);
    assert_int_equal(undoable.undo_until_ns, HOUR_NS);
    int count = 0;
    assert_ok(restores_each_expired(catalog, 2 * HOUR_NS, ignore_restore, &count, &err), err);
    assert_ok(
        restores_list(catalog, &(struct restore_filter){.limit = 3}, ignore_restore, &count, &err),
        err);
    assert_int_equal(count, 2);

    struct schedule_row schedule = SCHEDULE_ROW_INIT;
    schedule.name = "nightly";
    schedule.target = "shop";
    schedule.type = "database";
    schedule.cron_expression = "0 2 * * *";
    schedule.include_tables = "[\"x\",  \"y\"]";
    assert_ok(schedules_upsert(catalog, &schedule, &err), err);
    assert_ok(schedules_upsert(catalog, &schedule, &err), err);
    assert_ok(schedules_set_next(catalog, schedule.id, HOUR_NS, &err), err);
    assert_int_equal(schedules_take(catalog, schedule.id, HOUR_NS, 2 * HOUR_NS, &err), 1);
    assert_int_equal(schedules_take(catalog, schedule.id, HOUR_NS, 2 * HOUR_NS, &err), 0);
    assert_ok(schedules_count(catalog, schedule.id, false, &err), err);

    struct db_url url = DB_URL_INIT;
    char id[27];
    assert_ok(db_url_parse("mysql://u:p@h/d", &url, &err), err);
    assert_ok(connections_upsert(catalog, "shop", fixture->app_id, &url, id, &err), err);
    assert_ok(connections_upsert(catalog, "shop", fixture->app_id, &url, id, &err), err);
    db_url_clear(&url);

    char file[] = "shop.sql", app[] = "imported", kind[] = "sql";
    struct manifest manifest = {.id = mem_string("01KEDGE0000000000000000001"),
                                .number = 41,
                                .app = app,
                                .file = file,
                                .kind = kind,
                                .created_ns = HOUR_NS,
                                .size_bytes = 5};
    bool added = false;
    assert_ok(catalog_import_manifest(catalog, &manifest, fixture->destination_id, 1, &added, &err),
              err);
    assert_true(added);
    assert_ok(catalog_import_manifest(catalog, &manifest, fixture->destination_id, 1, &added, &err),
              err);
    assert_false(added);
    free(manifest.id);
    struct backup_row next = fixture_row(fixture, "shop");
    assert_ok(backups_insert(catalog, &next, &err), err);
    assert_int_equal(next.number, 42);

    struct backup_stats stats;
    assert_ok(backups_stats(catalog, &stats, &err), err);
    assert_int_equal(stats.success, 1);
    assert_int_equal(stats.pending, 1);
    int64_t value = 0;
    assert_ok(backups_target_stats(catalog, ignore_target, &value, &err), err);
    assert_ok(backups_destination_stats(catalog, ignore_destination, &value, &err), err);
    assert_int_equal(value, 5);
    assert_int_equal(fixture_count(fixture, "SELECT file_size FROM database_backups WHERE id = 41 "
                                            "AND status = 'completed'"),
                     5);
}

TEST(restores_schedules_imports_and_totals_on_every_engine)
{
    on_each(rest);
}

static void lock(struct fixture *fixture, const struct engine *engine)
{
    struct error err = ERROR_INIT;
    struct catalog *other = fixture_open(fixture);
    struct target_lock *one = NULL, *two = NULL;
    (void)engine;
    assert_ok(catalog_lock_target(fixture->catalog, "shop", "backup", &one, &err), err);
    assert_fails(catalog_lock_target(other, "shop", "backup", &two, &err), err, ERROR_LOCKED);
    assert_non_null(strstr(err.message, "shop is locked"));
    target_lock_free(one);
    assert_ok(catalog_lock_target(other, "shop", "backup", &two, &err), err);
    target_lock_free(two);
    catalog_close(other);
}

TEST(target_is_locked_on_every_engine)
{
    on_each(lock);
}

static void claim(struct fixture *fixture, const struct engine *engine)
{
    enum { ROWS = 12, WORKERS = 3 };
    struct error err = ERROR_INIT;
    pid_t children[WORKERS];
    (void)engine;
    for (int i = 0; i < WORKERS; i++) {
        children[i] = fork();
        if (children[i] > 0)
            continue;
        struct catalog *own = NULL;
        const struct catalog_options options = {.url = fixture->path};
        int claimed = catalog_open(os_real(), &options, &own, &err) < 0 ? 99 : 0;
        fixture->catalog = own;
        for (int j = 0; claimed < 99 && j < ROWS; j++) {
            struct backup_row row = fixture_row(fixture, "shop");
            if (backups_insert(own, &row, &err) < 0)
                claimed = 99;
        }
        struct backup_row row = BACKUP_ROW_INIT;
        int found = 0;
        while (claimed < 99 && (found = backups_claim(own, "w", &row, &err)) == 1) {
            claimed++;
            backup_row_clear(&row);
        }
        if (claimed >= 99 || found < 0)
            fprintf(stderr, "# %s\n", err.message);
        _exit(found < 0 ? 99 : claimed);
    }
    int total = 0;
    for (int i = 0; i < WORKERS; i++) {
        int status = 0;
        waitpid(children[i], &status, 0);
        assert_true(WIFEXITED(status));
        total += WEXITSTATUS(status);
    }
    assert_int_equal(total, ROWS * WORKERS);
    assert_int_equal(fixture_count(fixture, "SELECT max(number) FROM backups"), ROWS * WORKERS);
}

TEST(processes_at_once_insert_and_claim_on_every_engine)
{
    on_each(claim);
}

/* A table of that name from before kedge, with two rows. */
static const char *const foreign_statements[] = {
    "CREATE TABLE database_backups (id INTEGER PRIMARY KEY, filename TEXT NOT NULL, s3_key TEXT "
    "NOT "
    "NULL, file_size INTEGER NOT NULL, backup_type TEXT, status TEXT, created_by TEXT, metadata "
    "TEXT, created_at TIMESTAMP, completed_at TIMESTAMP)",
    "INSERT INTO database_backups VALUES (7, 'a.sql.gz', 'backups/a.sql.gz', 100, 'full', "
    "'completed', 'ann', '{\"x\": 1}', '2024-01-15 10:30:25', '2024-01-15 10:31:00')",
    "INSERT INTO database_backups VALUES (9, 'b.sql.gz', 'backups/b.sql.gz', 0, 'nightly', "
    "'failed', 'system', NULL, '2024-01-16 10:30:25', NULL)",
};

static void take_over(const char *url)
{
    struct error err = ERROR_INIT;
    struct db_url parts = DB_URL_INIT;
    struct db *db = NULL;
    const struct db_options options = {.os = os_real(), .create = true};
    assert_ok(db_url_parse(url, &parts, &err), err);
    assert_ok(db_open(&parts, &options, &db, &err), err);
    for (size_t i = 0; i < ARRAY_SIZE(foreign_statements); i++)
        assert_ok(db_execute(db, foreign_statements[i], NULL, 0, NULL, &err), err);
    for (int round = 0; round < 2; round++) {
        struct catalog *catalog = NULL;
        const struct catalog_options where = {.url = url};
        assert_ok(catalog_open(os_real(), &where, &catalog, &err), err);
        int count = 0;
        assert_ok(backups_list(catalog, &(struct backup_filter){0}, count_row, &count, &err), err);
        assert_int_equal(count, 2);
        SCOPED(backup_row) struct backup_row row = BACKUP_ROW_INIT;
        assert_int_equal(backups_find(catalog, "7", &row, &err), 1);
        assert_string_equal(row.status, "success");
        assert_string_equal(row.file_path, "backups/a.sql.gz");
        assert_string_equal(row.initiated_by, "ann");
        assert_int_equal(row.created_ns, INT64_C(1705314625000000000));
        backup_row_clear(&row);
        assert_int_equal(backups_find(catalog, "9", &row, &err), 1);
        assert_string_equal(row.status, "failed");
        assert_string_equal(row.type, "full");
        catalog_close(catalog);
    }
    int64_t rows = 0;
    assert_int_equal(
        db_query_integer(db, "SELECT count(*) FROM database_backups", NULL, 0, &rows, &err), 1);
    assert_int_equal(rows, 2);
    assert_ok(db_execute(db, "DROP TABLE database_backups", NULL, 0, NULL, &err), err);
    db_close(db);
    db_url_clear(&parts);
}

TEST(rows_of_a_table_from_before_are_taken_over_once)
{
    struct fixture fixture;
    fixture_init(&fixture);
    SCOPED(string) char *path = mem_format("sqlite:%s/old.db", fixture.folder);
    take_over(path);
    fixture_clear(&fixture);
    const char *url = getenv(engines[1].variable);
    if (!url)
        return;
    drop_all(url, engines[1].drop);
    take_over(url);
    drop_all(url, engines[1].drop);
}

static int nest(void *context, const struct backup_row *row, struct error *err)
{
    struct fixture *fixture = context;
    SCOPED(backup_row) struct backup_row same = BACKUP_ROW_INIT;
    assert_int_equal(backups_get(fixture->catalog, row->id, &same, err), 1);
    return backups_set_verified(fixture->catalog, row->id, 1, HOUR_NS, err);
}

static void visit(struct fixture *fixture, const struct engine *engine)
{
    struct error err = ERROR_INIT;
    (void)engine;
    for (int i = 0; i < 3; i++) {
        struct backup_row row = fixture_row(fixture, "shop");
        fixture_succeed(fixture, &row);
    }
    assert_ok(backups_list(fixture->catalog, &(struct backup_filter){0}, nest, fixture, &err), err);
    assert_int_equal(
        fixture_count(fixture, "SELECT count(*) FROM backups WHERE verified_level = 1"), 3);
}

TEST(visitor_may_ask_and_change_on_every_engine)
{
    on_each(visit);
}

TEST_MAIN(UNIT(visitor_may_ask_and_change_on_every_engine),
          UNIT(rows_of_a_table_from_before_are_taken_over_once),
          UNIT(schema_is_whole_and_opens_again), UNIT(backups_live_on_every_engine),
          UNIT(every_engine_checks_what_it_is_given),
          UNIT(restores_schedules_imports_and_totals_on_every_engine),
          UNIT(target_is_locked_on_every_engine),
          UNIT(processes_at_once_insert_and_claim_on_every_engine))
