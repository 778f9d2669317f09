#include "fixture.h"

#include "base/buf.h"
#include "base/stop.h"
#include "base/text.h"
#include "catalog/check.h"
#include "catalog/install.h"

#include <signal.h>
#include <sys/resource.h>

struct place {
    char folder[64];
    char url[128];
    struct buf lines;
    int stop_after; /* request a stop after so many lines; 0: never */
};

static void note_line(void *context, enum install_mark mark, const char *text)
{
    struct place *place = context;
    (void)mark;
    buf_append_text(&place->lines, text);
    buf_append_char(&place->lines, '\n');
    if (place->stop_after && --place->stop_after == 0)
        stop_request();
}

static struct db *open_place(struct place *place)
{
    struct error err = ERROR_INIT;
    struct db_url url = DB_URL_INIT;
    struct db *db = NULL;
    const struct db_options options = {.os = os_real(), .create = true};
    assert_ok(db_url_parse(place->url, &url, &err), err);
    assert_ok(db_open(&url, &options, &db, &err), err);
    db_url_clear(&url);
    return db;
}

static void execute(struct place *place, const char *sql)
{
    struct error err = ERROR_INIT;
    struct db *db = open_place(place);
    assert_ok(db_execute(db, sql, NULL, 0, NULL, &err), err);
    db_close(db);
}

/* Everything that is in the database, as one number that changes with it. */
static int64_t count_objects(struct place *place)
{
    struct error err = ERROR_INIT;
    int64_t count = -1;
    struct db *db = open_place(place);
    assert_int_equal(
        db_query_integer(db, "SELECT count(*) FROM sqlite_master", NULL, 0, &count, &err), 1);
    db_close(db);
    return count;
}

static void place_init(struct place *place)
{
    *place = (struct place){.lines = BUF_INIT};
    scratch_folder(place->folder);
    snprintf(place->url, sizeof place->url, "sqlite:%s/app.db", place->folder);
    execute(place, "CREATE TABLE orders (id INTEGER PRIMARY KEY)");
}

static void place_clear(struct place *place)
{
    buf_clear(&place->lines);
    fixture_remove_folder(place->folder);
}

static int install(struct place *place, struct error *err)
{
    const struct install_options options = {.url = place->url, .line = note_line, .context = place};
    buf_reset(&place->lines);
    return catalog_install(os_real(), &options, err);
}

TEST(installation_says_each_step_and_is_not_needed_twice)
{
    struct place place;
    place_init(&place);
    struct error err = ERROR_INIT;
    assert_ok(install(&place, &err), err);
    static const char *const lines[] = {
        "Starting safe migration: Add database_backups table\nDatabase: sqlite:****\n"
        "Database connection successful\n  Server time: 20",
        "\n  SQLite version: SQLite 3.",
        "\nTable database_backups created successfully\nIndexes created successfully\n"
        "Sequence reset successfully\nMigration verification successful\n"
        "Transaction committed successfully\nMigration completed successfully!\n",
    };
    const char *at = place.lines.data;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        at = strstr(at, lines[i]);
        if (!at)
            fail_msg("line %zu is not in: %s", i, place.lines.data);
    }
    int64_t objects = count_objects(&place);
    assert_ok(install(&place, &err), err);
    assert_non_null(strstr(place.lines.data,
                           "Table database_backups already exists\nMigration verification "
                           "successful\nMigration not needed - table already exists and is valid"));
    assert_int_equal(count_objects(&place), objects);

    /* It is a catalogue like any other. */
    struct catalog *catalog = NULL;
    const struct catalog_options options = {.url = place.url};
    assert_ok(catalog_open(os_real(), &options, &catalog, &err), err);
    catalog_close(catalog);
    assert_int_equal(count_objects(&place), objects);
    place_clear(&place);
}

TEST(table_from_before_is_validated_and_left_alone)
{
    struct place place;
    place_init(&place);
    struct error err = ERROR_INIT;
    execute(&place, "CREATE TABLE database_backups (id INTEGER PRIMARY KEY, filename TEXT, s3_key "
                    "TEXT, file_size INTEGER, backup_type TEXT, status TEXT, created_by TEXT, "
                    "created_at TEXT, completed_at TEXT)");
    int64_t objects = count_objects(&place);
    assert_fails(install(&place, &err), err, ERROR_FAILED);
    assert_string_equal(err.message,
                        "Required column metadata is missing from database_backups table");
    execute(&place, "ALTER TABLE database_backups ADD COLUMN metadata TEXT");
    assert_ok(install(&place, &err), err);
    assert_non_null(strstr(place.lines.data, "Migration not needed"));
    assert_int_equal(count_objects(&place), objects);
    place_clear(&place);
}

TEST(missing_column_of_ours_is_named)
{
    struct place place;
    place_init(&place);
    struct error err = ERROR_INIT;
    assert_ok(install(&place, &err), err);
    execute(&place, "ALTER TABLE restores RENAME COLUMN notes TO remarks");
    assert_fails(install(&place, &err), err, ERROR_FAILED);
    assert_string_equal(err.message, "Required column notes is missing from restores table");
    place_clear(&place);
}

TEST(name_that_is_taken_leaves_everything_as_it_was)
{
    struct place place;
    place_init(&place);
    struct error err = ERROR_INIT;
    execute(&place, "CREATE TABLE restores (id)");
    int64_t objects = count_objects(&place);
    assert_fails(install(&place, &err), err, ERROR_FAILED);
    assert_non_null(strstr(err.message, "restores"));
    assert_non_null(strstr(err.hint, "of its own"));
    assert_int_equal(count_objects(&place), objects);
    place_clear(&place);
}

TEST(stop_at_any_line_leaves_everything_as_it_was_or_done)
{
    int unchanged = 0;
    for (int stop_after = 1; stop_after <= 12; stop_after++) {
        struct place place;
        place_init(&place);
        struct error err = ERROR_INIT;
        place.stop_after = stop_after;
        int result = install(&place, &err);
        stop_clear();
        if (result < 0) {
            assert_int_equal(err.code, ERROR_INTERRUPTED);
            assert_int_equal(count_objects(&place), 1);
            unchanged++;
        } else {
            assert_ok(install(&place, &err), err);
        }
        place_clear(&place);
    }
    assert_true(unchanged >= 8 && unchanged < 12);
}

TEST(full_disk_leaves_everything_as_it_was)
{
    struct rlimit before;
    getrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_IGN);
    for (rlim_t limit = 8192; limit < 100000; limit += 20000) {
        struct place place;
        place_init(&place);
        struct error err = ERROR_INIT;
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = limit, .rlim_max = before.rlim_max});
        int result = install(&place, &err);
        setrlimit(RLIMIT_FSIZE, &before);
        assert_int_equal(result, -1);
        assert_int_equal(count_objects(&place), 1);
        assert_ok(install(&place, &err), err);
        place_clear(&place);
    }
}

TEST(check_lists_what_is_missing_or_damaged)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct error err = ERROR_INIT;
    struct text_list problems = TEXT_LIST_INIT;
    size_t tables = 0;
    assert_ok(catalog_check(fixture.catalog, &problems, &tables, &err), err);
    assert_int_equal(problems.count, 0);
    assert_int_equal(tables, 12);
    assert_ok(catalog_describe(fixture.catalog, &problems, &err), err);
    assert_string_equal(problems.items[0], "the name database_backups is our view");
    text_list_clear(&problems);
    fixture_execute(&fixture, "ALTER TABLE backup_files RENAME COLUMN metadata TO data");
    fixture_execute(&fixture, "DROP TABLE counters");
    fixture_execute(&fixture, "DROP VIEW backup_history");
    fixture_execute(&fixture, "PRAGMA foreign_keys = OFF");
    fixture_execute(&fixture,
                    "INSERT INTO schedules (id, app_id, name, target, type, cron_expression, "
                    "created_at, updated_at) VALUES ('01KEDGE0000000000000000001', "
                    "'01KEDGE0000000000000000002', 'x', 'x', 'full', 'x', 'x', 'x')");
    assert_ok(catalog_check(fixture.catalog, &problems, &tables, &err), err);
    static const char *const wanted[] = {
        "table counters is missing", "Required column metadata is missing from backup_files table",
        "view backup_history is missing",
        "a row of schedules points to one of apps that is not there"};
    assert_int_equal(problems.count, ARRAY_SIZE(wanted));
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
        assert_string_equal(problems.items[i], wanted[i]);
    text_list_clear(&problems);
    fixture_clear(&fixture);
}

TEST_MAIN(UNIT(installation_says_each_step_and_is_not_needed_twice),
          UNIT(table_from_before_is_validated_and_left_alone),
          UNIT(missing_column_of_ours_is_named),
          UNIT(name_that_is_taken_leaves_everything_as_it_was),
          UNIT(stop_at_any_line_leaves_everything_as_it_was_or_done),
          UNIT(full_disk_leaves_everything_as_it_was), UNIT(check_lists_what_is_missing_or_damaged))
