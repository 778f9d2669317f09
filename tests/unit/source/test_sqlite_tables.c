#include "harness/os_faulty.h"
#include "harness/segments_memory.h"
#include "harness/sqlite_fixture.h"
#include "harness/test.h"

#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHOP                                                                                       \
    "CREATE TABLE users(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);"                         \
    "CREATE TABLE orders(id INTEGER PRIMARY KEY, user_id REFERENCES users(id), what);"             \
    "CREATE TABLE log(line); CREATE TABLE Notes(text);"                                            \
    "CREATE INDEX notes_text ON Notes(text);"                                                      \
    "CREATE TRIGGER logged AFTER INSERT ON users BEGIN INSERT INTO log VALUES(new.name); END;"     \
    "CREATE TRIGGER noted AFTER INSERT ON Notes BEGIN INSERT INTO log VALUES('note'); END;"        \
    "CREATE VIRTUAL TABLE words USING fts5(body);"                                                 \
    "INSERT INTO users(name) VALUES('ann'), ('bob');"                                              \
    "INSERT INTO orders VALUES(1, 1, 'anchor'), (2, 2, 'rope');"                                   \
    "INSERT INTO Notes VALUES('first'), ('second');"                                               \
    "INSERT INTO words VALUES('heave away');"

/* What has happened since the backup. */
#define SINCE                                                                                      \
    "UPDATE users SET name = 'lost'; INSERT INTO users(name) VALUES('carl');"                      \
    "DELETE FROM Notes; INSERT INTO orders VALUES(3, 3, 'late'); DELETE FROM words"

#define STATE                                                                                      \
    "SELECT (SELECT group_concat(id || name) FROM users) || ';' || "                               \
    "(SELECT group_concat(id || what) FROM orders) || ';' || (SELECT count(*) FROM log) || ';' "   \
    "|| (SELECT seq FROM sqlite_sequence)"
#define OLD_STATE "1ann,2bob;1anchor,2rope;4;2"
#define NEW_STATE "1lost,2lost,3carl;1anchor,2rope,3late;5;3"

struct shop {
    struct sqlite_fixture fixture;
    struct segments_memory *memory;
};

static void shop_init(struct shop *shop, const char *journal_mode)
{
    struct error err = ERROR_INIT;
    struct dump_result result = {0};
    char sql[4096];
    sqlite_fixture_init(&shop->fixture);
    snprintf(sql, sizeof sql, "PRAGMA journal_mode=%s; " SHOP, journal_mode);
    sqlite_fixture_run(shop->fixture.path, sql);
    shop->memory = segments_memory_new(NULL);
    assert_ok(sqlite_fixture_dump(shop->fixture.path, false, shop->memory, &result, &err), err);
    dump_result_clear(&result);
    sqlite_fixture_run(shop->fixture.path, SINCE);
}

static void shop_clear(struct shop *shop)
{
    segments_memory_free(shop->memory);
    sqlite_fixture_clear(&shop->fixture);
}

static int restore(struct shop *shop, const char *tables, bool cascade, char **ret_kept,
                   struct error *err)
{
    return sqlite_fixture_restore_tables(os_real(), shop->fixture.path, shop->memory, tables,
                                         cascade, NULL, ret_kept, err);
}

static const struct source_ops *driver(void)
{
    return source_find("sqlite");
}

TEST(tables_come_back_while_others_have_the_database_open)
{
    static const char *const modes[] = {"wal", "delete"};
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        struct shop shop;
        struct error err = ERROR_INIT;
        SCOPED(string) char *kept = NULL;
        shop_init(&shop, modes[i]);
        const char *path = shop.fixture.path;
        sqlite3 *app = sqlite_fixture_open(path);
        sqlite3_exec(app, "SELECT * FROM users", NULL, NULL, NULL);
        assert_ok(restore(&shop, "USERS Orders", false, &kept, &err), err);
        assert_string_equal(sqlite_fixture_ask(path, STATE), "1ann,2bob;1anchor,2rope;5;2");
        assert_string_equal(sqlite_fixture_ask(path, "SELECT count(*) FROM Notes"), "0");
        assert_ok(driver()->undo(os_real(), kept, NULL, false, NULL, &err), err);
        assert_string_equal(sqlite_fixture_ask(path, STATE), NEW_STATE);
        assert_ok(driver()->undo(os_real(), kept, NULL, false, NULL, &err), err);
        assert_string_equal(sqlite_fixture_ask(path, STATE), "1ann,2bob;1anchor,2rope;5;2");
        assert_ok(driver()->discard(os_real(), kept, NULL, &err), err);
        sqlite3_close(app);
        assert_string_equal(sqlite_fixture_names(shop.fixture.folder), "shop.db");
        assert_string_equal(sqlite_fixture_ask(path, "PRAGMA integrity_check"), "ok");
        shop_clear(&shop);
    }
}

TEST(keys_of_others_that_would_break_are_an_error_unless_cascade)
{
    struct shop shop;
    struct error err = ERROR_INIT;
    SCOPED(string) char *kept = NULL;
    shop_init(&shop, "wal");
    const char *path = shop.fixture.path;
    assert_fails(restore(&shop, "users", false, NULL, &err), err, ERROR_RESTORE);
    assert_non_null(strstr(err.message, "orders"));
    assert_non_null(strstr(err.hint, "--cascade"));
    assert_string_equal(sqlite_fixture_ask(path, STATE), NEW_STATE);
    assert_string_equal(sqlite_fixture_names(shop.fixture.folder), "shop.db");
    assert_ok(restore(&shop, "users", true, &kept, &err), err);
    assert_string_equal(sqlite_fixture_ask(path, STATE), "1ann,2bob;1anchor,2rope;5;2");
    assert_ok(driver()->undo(os_real(), kept, NULL, false, NULL, &err), err);
    assert_string_equal(sqlite_fixture_ask(path, STATE), NEW_STATE);
    shop_clear(&shop);
}

TEST(missing_table_is_made_with_what_belongs_to_it)
{
    struct shop shop;
    struct error err = ERROR_INIT;
    SCOPED(string) char *kept = NULL;
    shop_init(&shop, "delete");
    const char *path = shop.fixture.path;
    const char *objects = "SELECT count(*) FROM sqlite_schema WHERE tbl_name = 'Notes'";
    sqlite_fixture_run(path, "DROP TABLE Notes; DROP TABLE words");
    assert_ok(restore(&shop, "notes words", false, &kept, &err), err);
    assert_string_equal(sqlite_fixture_ask(path, objects), "3");
    assert_string_equal(sqlite_fixture_ask(path, "SELECT group_concat(text) FROM Notes"),
                        "first,second");
    assert_string_equal(sqlite_fixture_ask(path, "SELECT body FROM words WHERE words MATCH 'away'"),
                        "heave away");
    assert_ok(driver()->undo(os_real(), kept, NULL, false, NULL, &err), err);
    assert_string_equal(sqlite_fixture_ask(path, objects), "0");
    assert_ok(driver()->undo(os_real(), kept, NULL, false, NULL, &err), err);
    assert_string_equal(sqlite_fixture_ask(path, objects), "3");
    assert_string_equal(sqlite_fixture_ask(path, "PRAGMA integrity_check"), "ok");
    shop_clear(&shop);
}

TEST(full_text_table_comes_back_with_its_index)
{
    struct shop shop;
    struct error err = ERROR_INIT;
    shop_init(&shop, "wal");
    assert_ok(restore(&shop, "words", false, NULL, &err), err);
    assert_string_equal(
        sqlite_fixture_ask(shop.fixture.path, "SELECT body FROM words WHERE words MATCH 'heave'"),
        "heave away");
    sqlite_fixture_run(shop.fixture.path, "INSERT INTO words(words) VALUES('integrity-check')");
    shop_clear(&shop);
}

TEST(unknown_table_names_those_that_are_there)
{
    struct shop shop;
    struct error err = ERROR_INIT;
    shop_init(&shop, "wal");
    assert_fails(restore(&shop, "user", false, NULL, &err), err, ERROR_RESTORE);
    assert_non_null(strstr(err.message, "user"));
    assert_non_null(strstr(err.hint, "users, orders"));
    assert_string_equal(sqlite_fixture_ask(shop.fixture.path, STATE), NEW_STATE);
    shop_clear(&shop);
}

TEST(tables_go_into_a_new_file_too)
{
    struct shop shop;
    struct error err = ERROR_INIT;
    char path[128];
    shop_init(&shop, "wal");
    snprintf(path, sizeof path, "%s/new.db", shop.fixture.folder);
    assert_ok(sqlite_fixture_restore_tables(os_real(), path, shop.memory, "Notes", false, NULL,
                                            NULL, &err),
              err);
    assert_string_equal(sqlite_fixture_ask(path, "SELECT count(*) FROM Notes"), "2");
    shop_clear(&shop);
}

TEST(killed_at_any_call_tables_are_old_or_new)
{
    struct shop shop;
    bool killed = true;
    int after = 0;
    for (long at = 1; killed; at++) {
        struct error err = ERROR_INIT;
        char kept_path[128];
        shop_init(&shop, at % 2 ? "wal" : "delete");
        snprintf(kept_path, sizeof kept_path, "%s/kept", shop.fixture.folder);
        pid_t child = fork();
        if (child == 0) {
            sqlite_fixture_restore_tables(os_faulty(FAULT_KILL, at), shop.fixture.path, shop.memory,
                                          "users", true, kept_path, NULL, &err);
            _exit(0);
        }
        int status = 0;
        waitpid(child, &status, 0);
        killed = WIFSIGNALED(status);
        char kept[2048] = "";
        FILE *file = fopen(kept_path, "r");
        if (file) {
            kept[fread(kept, 1, sizeof kept - 1, file)] = '\0';
            fclose(file);
            unlink(kept_path);
        }
        enum load_state side = LOAD_BEFORE;
        if (kept[0])
            assert_ok(driver()->recover(os_real(), kept, NULL, &side, &err), err);
        assert_string_equal(sqlite_fixture_ask(shop.fixture.path, STATE),
                            side == LOAD_AFTER ? "1ann,2bob;1anchor,2rope;5;2" : NEW_STATE);
        assert_string_equal(
            sqlite_fixture_ask(shop.fixture.path,
                               "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'kedge%'"),
            "0");
        if (side == LOAD_AFTER) {
            assert_ok(driver()->undo(os_real(), kept, NULL, false, NULL, &err), err);
            assert_string_equal(sqlite_fixture_ask(shop.fixture.path, STATE), NEW_STATE);
            assert_ok(driver()->discard(os_real(), kept, NULL, &err), err);
        }
        assert_string_equal(sqlite_fixture_names(shop.fixture.folder), "shop.db");
        after += side == LOAD_AFTER;
        shop_clear(&shop);
    }
    assert_true(after > 0);
}

TEST_MAIN(UNIT(tables_come_back_while_others_have_the_database_open),
          UNIT(keys_of_others_that_would_break_are_an_error_unless_cascade),
          UNIT(missing_table_is_made_with_what_belongs_to_it),
          UNIT(full_text_table_comes_back_with_its_index),
          UNIT(unknown_table_names_those_that_are_there), UNIT(tables_go_into_a_new_file_too),
          UNIT(killed_at_any_call_tables_are_old_or_new))
