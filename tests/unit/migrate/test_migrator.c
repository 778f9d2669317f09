#include "harness/scratch.h"
#include "harness/test.h"

#include "base/file.h"
#include "base/os.h"
#include "base/text.h"
#include "db/db.h"
#include "migrate/folder.h"
#include "migrate/migrator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A folder with migrations and a database of its own for each test. */
struct site {
    char folder[64];
    char *path;
    struct db *db;
    struct migrator *migrator;
};

static void site_open_database(struct site *site)
{
    struct error err = ERROR_INIT;
    const struct db_options options = {.os = os_real(), .create = true};
    struct db_url url = {.engine = DB_SQLITE, .database = site->path};
    assert_ok(db_open(&url, &options, &site->db, &err), err);
}

static int site_setup(void **state)
{
    struct site *site = MEM_NEW(struct site);
    scratch_folder(site->folder);
    site->path = mem_format("%s/db.sqlite", site->folder);
    site_open_database(site);
    *state = site;
    return 0;
}

static int site_teardown(void **state)
{
    struct site *site = *state;
    migrator_close(site->migrator);
    db_close(site->db);
    SCOPED(string) char *command = mem_format("rm -rf '%s'", site->folder);
    assert_int_equal(system(command), 0);
    free(site->path);
    free(site);
    return 0;
}

static void put(struct site *site, const char *name, const char *text)
{
    struct error err = ERROR_INIT;
    SCOPED(string) char *path = path_join(site->folder, name);
    assert_ok(file_write_atomic(os_real(), path, text, strlen(text), 0644, &err), err);
}

/* Read the folder (again). */
static int read_folder(struct site *site, struct error *err)
{
    const struct migration_folder folder = {
        .os = site->db->os, .path = site->folder, .dialect = site->db->ops->engine};
    const struct migrator_options options = {
        .folder = &folder, .by = "ada", .wait_ms = 300, .lock_timeout_ms = 100};
    migrator_close(site->migrator);
    site->migrator = NULL;
    return migrator_open(site->db, &options, &site->migrator, err);
}

static size_t up(struct site *site)
{
    struct error err = ERROR_INIT;
    size_t count = 0;
    assert_ok(read_folder(site, &err), err);
    assert_ok(migrator_up(site->migrator, NULL, &count, &err), err);
    return count;
}

static int up_fails(struct site *site, struct error *err)
{
    if (read_folder(site, err) < 0)
        return -1;
    return migrator_up(site->migrator, NULL, NULL, err);
}

static size_t down(struct site *site, enum migrate_plan_kind kind, const char *version)
{
    struct error err = ERROR_INIT;
    size_t count = 0;
    const struct migrate_request request = {.kind = kind, .version = version, .steps = 1};
    assert_ok(read_folder(site, &err), err);
    assert_ok(migrator_run(site->migrator, &request, &count, &err), err);
    return count;
}

static int64_t ask(struct site *site, const char *sql)
{
    struct error err = ERROR_INIT;
    int64_t value = -1;
    assert_ok(db_query_integer(site->db, sql, NULL, 0, &value, &err), err);
    return value;
}

static void run(struct site *site, const char *sql)
{
    struct error err = ERROR_INIT;
    assert_ok(db_execute(site->db, sql, NULL, 0, NULL, &err), err);
}

/* "1 applied, 2 pending" */
static char *status(struct site *site)
{
    struct error err = ERROR_INIT;
    SCOPED(migration_states) struct migration_states states = MIGRATION_STATES_INIT;
    struct buf text = BUF_INIT;
    assert_ok(read_folder(site, &err), err);
    assert_ok(migrator_status(site->migrator, &states, &err), err);
    for (size_t i = 0; i < states.count; i++)
        buf_append_format(&text, "%s%s %s%s%s", i ? ", " : "", states.items[i].version + 13,
                          history_status_name(states.items[i].status),
                          states.items[i].migration ? "" : " missing",
                          states.items[i].changed ? " changed" : "");
    return buf_steal(&text);
}

#define assert_status(site, wanted)                                                                \
    do {                                                                                           \
        SCOPED(string) char *shown_ = status(site);                                                \
        assert_string_equal(shown_, wanted);                                                       \
    } while (0)

#define A "20240101000001_create_a.sql"
#define B "20240101000002_create_b.sql"
#define C "20240101000003_create_c.sql"

static void put_three(struct site *site)
{
    put(site, A, "-- +migrate Up\nCREATE TABLE a (x);\n-- +migrate Down\nDROP TABLE a;\n");
    put(site, B, "-- +migrate Up\nCREATE TABLE b (x);\n-- +migrate Down\nDROP TABLE b;\n");
    put(site, C, "-- +migrate Up\nCREATE TABLE c (x);\n-- +migrate Down\nDROP TABLE c;\n");
}

TEST(up_applies_all_as_one_batch_and_down_undoes_the_last)
{
    struct site *site = *state;
    put_three(site);
    assert_status(site, "1 pending, 2 pending, 3 pending");
    assert_int_equal(ask(site, "SELECT count(*) FROM sqlite_master"), 0);
    assert_int_equal(up(site), 3);
    assert_int_equal(up(site), 0);
    assert_status(site, "1 applied, 2 applied, 3 applied");
    assert_int_equal(ask(site, "SELECT count(*) FROM schema_migrations WHERE batch = 1 AND "
                               "applied_by = 'ada' AND length(checksum) = 64"),
                     3);
    assert_int_equal(down(site, MIGRATE_PLAN_DOWN_STEPS, NULL), 1);
    assert_status(site, "1 applied, 2 applied, 3 rollback");
    assert_int_equal(up(site), 1);
    assert_int_equal(ask(site, "SELECT batch FROM schema_migrations WHERE version LIKE '%3'"), 2);
    assert_int_equal(down(site, MIGRATE_PLAN_DOWN_BATCH, NULL), 1);
    assert_int_equal(down(site, MIGRATE_PLAN_DOWN_TO, "20240101000001"), 1);
    assert_status(site, "1 applied, 2 rollback, 3 rollback");
    assert_int_equal(down(site, MIGRATE_PLAN_DOWN_ALL, NULL), 1);
    assert_int_equal(ask(site, "SELECT count(*) FROM sqlite_master WHERE name IN ('a', 'b', 'c')"),
                     0);
}

TEST(an_older_file_is_applied_too)
{
    struct site *site = *state;
    put_three(site);
    SCOPED(string) char *path = path_join(site->folder, B);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(up(site), 2);
    put(site, B, "-- +migrate Up\nCREATE TABLE b (x);\n");
    struct error err = ERROR_INIT;
    SCOPED(migrate_plan) struct migrate_plan plan = MIGRATE_PLAN_INIT;
    assert_ok(read_folder(site, &err), err);
    assert_ok(migrator_plan(site->migrator, &(struct migrate_request){.kind = MIGRATE_PLAN_UP},
                            &plan, &err),
              err);
    assert_int_equal(plan.count, 1);
    assert_true(plan.items[0].late);
    assert_int_equal(up(site), 1);
}

TEST(a_failure_leaves_nothing_of_its_migration)
{
    struct site *site = *state;
    struct error err = ERROR_INIT;
    put_three(site);
    put(site, B, "-- +migrate Up\nCREATE TABLE b (x);\nINSERT INTO b\n  VALUES (1, 2);\n");
    assert_fails(up_fails(site, &err), err, ERROR_FAILED);
    assert_non_null(strstr(err.message, B ":3:"));
    assert_non_null(strstr(err.message, "statement 2 of 2 (INSERT INTO b)"));
    assert_non_null(strstr(err.message, "nothing of this migration is left"));
    assert_status(site, "1 applied, 2 failed, 3 pending");
    assert_int_equal(ask(site, "SELECT count(*) FROM sqlite_master WHERE name = 'b'"), 0);
    put(site, B, "-- +migrate Up\nCREATE TABLE b (x);\n");
    assert_int_equal(up(site), 2);
}

TEST(a_changed_file_is_a_mismatch)
{
    struct site *site = *state;
    struct error err = ERROR_INIT;
    put_three(site);
    assert_int_equal(up(site), 3);
    put(site, A,
        "\xEF\xBB\xBF-- +migrate Up\r\n-- a comment more\r\nCREATE TABLE a (x);  \r\n"
        "-- +migrate Down\r\nDROP TABLE a;\r\n");
    assert_int_equal(up(site), 0);
    put(site, A, "-- +migrate Up\nCREATE TABLE a (y);\n-- +migrate Down\nDROP TABLE a;\n");
    assert_fails(up_fails(site, &err), err, ERROR_CORRUPT);
    assert_true(
        text_starts(err.message, "Migration checksum mismatch for version 20240101000001: "));
    assert_status(site, "1 applied changed, 2 applied, 3 applied");
    SCOPED(buf) struct buf difference = BUF_INIT;
    assert_ok(migrator_difference(site->migrator, "20240101000001", &difference, &err), err);
    assert_string_equal(difference.data,
                        "-CREATE TABLE a (x)\n+CREATE TABLE a (y)\n ;\n -- Down\n");
    SCOPED(repair_report) struct repair_report report = REPAIR_REPORT_INIT;
    assert_ok(migrator_repair(site->migrator, NULL, REPAIR_CHECKSUM, &report, &err), err);
    assert_int_equal(report.count, 1);
    assert_int_equal(up(site), 0);
}

TEST(what_cannot_be_undone_is_refused)
{
    struct site *site = *state;
    struct error err = ERROR_INIT;
    const struct migrate_request request = {.kind = MIGRATE_PLAN_DOWN_ALL};
    put_three(site);
    put(site, A, "-- +migrate Up\nCREATE TABLE a (x);\n");
    assert_int_equal(up(site), 3);
    assert_fails(migrator_run(site->migrator, &request, NULL, &err), err, ERROR_FAILED);
    assert_non_null(strstr(err.message, "has no Down section"));
    assert_status(site, "1 applied, 2 applied, 3 applied");
    SCOPED(string) char *path = path_join(site->folder, C);
    assert_int_equal(unlink(path), 0);
    assert_status(site, "1 applied, 2 applied, 3 applied missing");
    assert_fails(migrator_run(site->migrator, &request, NULL, &err), err, ERROR_FAILED);
    assert_non_null(strstr(err.message, "its file is missing"));
}

TEST(rows_edited_by_hand_are_honoured)
{
    struct site *site = *state;
    put_three(site);
    assert_int_equal(up(site), 3);
    run(site, "DROP TABLE a");
    run(site, "DELETE FROM schema_migrations WHERE version = '20240101000001'");
    run(site, "DROP TABLE b");
    run(site, "UPDATE schema_migrations SET status = 'rollback' WHERE version LIKE '%2'");
    assert_status(site, "1 pending, 2 rollback, 3 applied");
    assert_int_equal(up(site), 2);
    run(site, "DROP TABLE schema_migrations");
    run(site, "CREATE TABLE schema_migrations (version BIGINT, dirty BOOLEAN)");
    struct error err = ERROR_INIT;
    assert_fails(up_fails(site, &err), err, ERROR_FAILED);
    assert_non_null(strstr(err.hint, "--history-table NAME"));
}

TEST(child_rows_survive_a_rebuilt_parent)
{
    struct site *site = *state;
    struct error err = ERROR_INIT;
    run(site, "CREATE TABLE p (id INTEGER PRIMARY KEY)");
    run(site, "CREATE TABLE c (id INTEGER, p INTEGER REFERENCES p ON DELETE CASCADE)");
    run(site, "INSERT INTO p VALUES (1)");
    run(site, "INSERT INTO c VALUES (1, 1)");
    run(site, "PRAGMA foreign_keys = ON");
    put(site, A,
        "-- +migrate Up\nPRAGMA foreign_keys = OFF;\nCREATE TABLE n (id INTEGER PRIMARY KEY, x);\n"
        "INSERT INTO n SELECT id, 1 FROM p;\nDROP TABLE p;\nALTER TABLE n RENAME TO p;\n"
        "PRAGMA foreign_keys = ON;\n");
    assert_int_equal(up(site), 1);
    assert_int_equal(ask(site, "SELECT count(*) FROM c"), 1);
    assert_int_equal(ask(site, "PRAGMA foreign_keys"), 1);
    put(site, B, "-- +migrate Up\nPRAGMA foreign_keys = OFF;\nDELETE FROM p;\n");
    assert_fails(up_fails(site, &err), err, ERROR_FAILED);
    assert_non_null(strstr(err.message, "1 broken foreign key"));
    assert_int_equal(ask(site, "SELECT count(*) FROM p"), 1);
    assert_int_equal(ask(site, "PRAGMA foreign_keys"), 1);
}

TEST(what_needs_no_transaction_goes_on_where_it_ended)
{
    struct site *site = *state;
    struct error err = ERROR_INIT;
    put(site, A, "-- +migrate Up\nVACUUM;\n");
    assert_fails(up_fails(site, &err), err, ERROR_FAILED);
    assert_non_null(strstr(err.message, A ":2:1: VACUUM: cannot run inside a transaction"));
    put(site, A,
        "-- +migrate Up notransaction\nCREATE TABLE a (x);\nVACUUM;\nINSERT INTO nowhere VALUES "
        "(1);\n");
    assert_fails(up_fails(site, &err), err, ERROR_FAILED);
    assert_non_null(strstr(err.message, "the first 2 statements are in the database"));
    assert_status(site, "1 failed");
    put(site, A,
        "-- +migrate Up notransaction\nCREATE TABLE a (y);\nVACUUM;\nINSERT INTO a VALUES (1);\n");
    assert_fails(up_fails(site, &err), err, ERROR_STRANDED);
    put(site, A,
        "-- +migrate Up notransaction\nCREATE TABLE a (x);\nVACUUM;\nINSERT INTO a VALUES (1);\n");
    assert_int_equal(up(site), 1);
    assert_int_equal(ask(site, "SELECT count(*) FROM a"), 1);
    assert_status(site, "1 applied");
}

TEST(a_statement_cut_off_half_way_needs_a_decision)
{
    struct site *site = *state;
    struct error err = ERROR_INIT;
    SCOPED(repair_report) struct repair_report report = REPAIR_REPORT_INIT;
    put(site, A,
        "-- +migrate Up notransaction\nCREATE TABLE a (x);\nVACUUM;\nCREATE TABLE z (x);\n");
    assert_int_equal(up(site), 1);
    run(site, "DROP TABLE z");
    /* As a crash between the two writes leaves it. */
    run(site, "UPDATE schema_migrations SET status = 'pending', progress = 'up 0 of 3, 1 begun, "
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'");
    assert_fails(up_fails(site, &err), err, ERROR_STRANDED);
    assert_non_null(strstr(err.message, A ":2:1: statement 1 of 3 (CREATE TABLE a (x)) was begun"));
    assert_non_null(strstr(err.hint, "--ran"));
    assert_ok(migrator_repair(site->migrator, "20240101000001", REPAIR_RAN, &report, &err), err);
    assert_int_equal(up(site), 1);
    assert_int_equal(ask(site, "SELECT count(*) FROM sqlite_master WHERE name = 'z'"), 1);
}

TEST(a_locked_database_is_waited_for_in_vain)
{
    struct site *site = *state;
    struct error err = ERROR_INIT;
    struct db *mine = site->db;
    put_three(site);
    site_open_database(site);
    struct db *other = site->db;
    site->db = mine;
    assert_ok(db_begin(other, true, &err), err);
    assert_ok(db_execute(mine, "PRAGMA busy_timeout = 50", NULL, 0, NULL, &err), err);
    assert_fails(up_fails(site, &err), err, ERROR_LOCKED);
    assert_ok(db_rollback(other, &err), err);
    db_close(other);
    assert_int_equal(up(site), 3);
}

static int make_table(struct db *db, void *context, struct error *err)
{
    return db_execute(db, context, NULL, 0, NULL, err);
}

TEST(registered_migrations_and_files_are_one_list)
{
    struct site *site = *state;
    struct error err = ERROR_INIT;
    char sql[] = "CREATE TABLE registered (x)";
    put_three(site);
    assert_ok(read_folder(site, &err), err);
    assert_ok(migrator_register(site->migrator, "20240101000002.5", "made_in_c", "tag 1",
                                make_table, NULL, sql, &err),
              err);
    assert_ok(migrator_register_sql(site->migrator, "20231231000000", "first",
                                    "CREATE TABLE first (x); CREATE INDEX i ON first (x)",
                                    "DROP TABLE first", &err),
              err);
    size_t count = 0;
    assert_ok(migrator_up(site->migrator, NULL, &count, &err), err);
    assert_int_equal(count, 5);
    assert_int_equal(ask(site, "SELECT count(*) FROM sqlite_master WHERE name IN ('registered', "
                               "'first', 'i')"),
                     3);
    assert_int_equal(ask(site, "SELECT rowid FROM schema_migrations WHERE name = 'first'"), 1);
    assert_fails(
        migrator_register(site->migrator, "20240101000001", "again", NULL, NULL, NULL, NULL, &err),
        err, ERROR_USAGE);
    assert_ok(
        migrator_register_sql(site->migrator, "20240101000001", "again", "SELECT 1", NULL, &err),
        err);
    assert_fails(migrator_up(site->migrator, NULL, NULL, &err), err, ERROR_USAGE);
    assert_non_null(strstr(err.message, "two migrations have the version 20240101000001"));
}

TEST(a_baseline_marks_without_running)
{
    struct site *site = *state;
    struct error err = ERROR_INIT;
    SCOPED(marked) struct marked marked = MARKED_INIT, forced = MARKED_INIT;
    put_three(site);
    assert_ok(read_folder(site, &err), err);
    assert_ok(migrator_baseline(site->migrator, "020240101000002", &marked, &err), err);
    assert_int_equal(marked.count, 2);
    assert_string_equal(marked.version, "20240101000002");
    assert_int_equal(up(site), 1);
    assert_int_equal(ask(site, "SELECT count(*) FROM sqlite_master WHERE name IN ('a', 'b', 'c')"),
                     1);
    assert_ok(migrator_force(site->migrator, "020240101000003", HISTORY_ROLLBACK, &forced, &err),
              err);
    assert_string_equal(forced.was, "applied");
    assert_string_equal(forced.version, "20240101000003");
    assert_status(site, "1 applied, 2 applied, 3 rollback");
}

TEST(files_that_are_wrong_run_nothing)
{
    static const struct {
        int line;
        const char *text;
        const char *wanted;
    } cases[] = {
        {__LINE__, "", ":1:1: the file is empty"},
        {__LINE__, "CREATE TABLE x (y);\n", ":1:1: a statement before the Up directive"},
        {__LINE__, "-- +migrate Up;\n", "does not end in \";\""},
        {__LINE__, "  -- +migrate Up\n", ":1:3: not a directive"},
        {__LINE__, "-- +migrat Up\n", "it is spelt -- +migrate"},
        {__LINE__, "-- migrate Up\n", "the sign + is missing"},
        {__LINE__, "-- +migrate Upp\n", "it is none of Up, Down"},
        {__LINE__, "-- +migrate Up transaction\n", "only notransaction may follow"},
        {__LINE__, "-- +migrate Up\nSELECT 'a\n", ":2:8: unterminated string"},
        {__LINE__, "-- +migrate Up\nSELECT 1 /* a\n", ":2:10: unterminated comment"},
        {__LINE__, "-- +migrate Up\nSELECT 1\n-- +migrate Down\n",
         ":3:1: the statement before this directive has no terminator"},
        {__LINE__, "-- +migrate Down\n", "a Down section before any Up"},
        {__LINE__, "-- +migrate Up\n-- +migrate StatementBegin\nSELECT 1;\n",
         ":2:1: StatementBegin without a StatementEnd"},
        {__LINE__, "-- +migrate Up\nSELECT 1; -- +migrate Down\n", "on a line of its own"},
        {__LINE__, "-- +migrate Up\n--\xC2\xA0+migrate Down\nDROP TABLE x;\n",
         ":2:1: what stands below \"--\xC2\xA0+migrate Down\" would run on the way up"},
        {__LINE__, "-- +migrate Up\n-- @migrate Down\nDROP TABLE x;\n", ":2:1: what stands below"},
        {__LINE__, "-- +migrate Up\n-- Down:\nDROP TABLE x;\n", "below \"-- Down:\" would run"},
        {__LINE__, "\xFF\xFE-", "the file is UTF-16"},
        {__LINE__, "-- +migrate Up\nSELECT '\xE4';\n", "the file is not UTF-8"},
    };
    struct site *site = *state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        put(site, A, cases[i].text);
        assert_case(cases[i].line, up_fails(site, &err) < 0);
        if (err.code != ERROR_FAILED || !strstr(err.message, cases[i].wanted))
            fail_msg("case at line %d: %s", cases[i].line, err.message);
    }
    assert_int_equal(ask(site, "SELECT count(*) FROM sqlite_master"), 0);
}

TEST(a_comment_may_say_down_where_no_statement_is_below_it)
{
    static const char *const texts[] = {
        ("-- +migrate Up\nCREATE TABLE x (y);\n-- Down\n-- DROP TABLE x;\n-- +migrate Down\n"
         "DROP TABLE x;\n"),
        "-- +migrate Up\nCREATE TABLE x (y); -- Down\nCREATE TABLE z (\n-- down\ny);\n",
        "-- down\n-- +migrate Up\n-- goes up and down\nCREATE TABLE x (y);\n",
        "-- +migrate Up\n-- Up\nCREATE TABLE x (y);\n-- +migrate Down\n-- Down\nDROP TABLE x;\n",
    };
    struct site *site = *state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct error err = ERROR_INIT;
        put(site, A, texts[i]);
        assert_ok(read_folder(site, &err), err);
    }
}

TEST(folders_of_other_tools_are_read_as_they_are)
{
    struct site *site = *state;
    put(site, "1_a.up.sql", "CREATE TABLE a (x)");
    put(site, "1_a.down.sql", "DROP TABLE a");
    put(site, "10_b.up.sql", "BEGIN; CREATE TABLE b (x); COMMIT;");
    put(site, "2_c.up.sql", "");
    put(site, "README.md", "x");
    put(site, "strange.sql", "x");
    assert_int_equal(up(site), 3);
    /* strange.sql, and the database itself. */
    assert_int_equal(migrator_warnings(site->migrator)->count, 2);
    assert_int_equal(ask(site, "SELECT group_concat(version) = '1,2,10' FROM (SELECT version FROM "
                               "schema_migrations ORDER BY rowid)"),
                     1);
    assert_int_equal(down(site, MIGRATE_PLAN_DOWN_TO, "10"), 0);
}

TEST(repeatable_ones_run_last_and_again_when_they_change)
{
    struct site *site = *state;
    put(site, "V1__a.sql", "CREATE TABLE a (x);");
    put(site, "U1__a.sql", "DROP TABLE a;");
    put(site, "R__v.sql", "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT x FROM a;");
    assert_int_equal(up(site), 2);
    assert_int_equal(up(site), 0);
    put(site, "R__v.sql", "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT x AS y FROM a;");
    put(site, "V2__b.sql", "CREATE TABLE b (x);");
    put(site, "U2__b.sql", "DROP TABLE b;");
    assert_int_equal(up(site), 2);
    assert_int_equal(ask(site, "SELECT count(*) FROM pragma_table_info('v') WHERE name = 'y'"), 1);
    assert_int_equal(down(site, MIGRATE_PLAN_DOWN_STEPS, NULL), 1);
    assert_int_equal(ask(site, "SELECT count(*) FROM sqlite_master WHERE name = 'b'"), 0);
    assert_int_equal(down(site, MIGRATE_PLAN_DOWN_ALL, NULL), 2);
    assert_int_equal(up(site), 3);
}

#define SITE(name) cmocka_unit_test_setup_teardown(name, site_setup, site_teardown)

TEST_MAIN(SITE(up_applies_all_as_one_batch_and_down_undoes_the_last),
          SITE(an_older_file_is_applied_too), SITE(a_failure_leaves_nothing_of_its_migration),
          SITE(a_changed_file_is_a_mismatch), SITE(what_cannot_be_undone_is_refused),
          SITE(rows_edited_by_hand_are_honoured), SITE(child_rows_survive_a_rebuilt_parent),
          SITE(what_needs_no_transaction_goes_on_where_it_ended),
          SITE(a_statement_cut_off_half_way_needs_a_decision),
          SITE(a_locked_database_is_waited_for_in_vain),
          SITE(registered_migrations_and_files_are_one_list),
          SITE(a_baseline_marks_without_running), SITE(files_that_are_wrong_run_nothing),
          SITE(a_comment_may_say_down_where_no_statement_is_below_it),
          SITE(folders_of_other_tools_are_read_as_they_are),
          SITE(repeatable_ones_run_last_and_again_when_they_change))
