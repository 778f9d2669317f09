#include "harness/segments_memory.h"
#include "harness/sqlite_fixture.h"
#include "harness/test.h"

#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Things that a dump easily loses. */
#define ODD_SCHEMA                                                                                 \
    "PRAGMA user_version=42; PRAGMA application_id=-7;"                                            \
    "CREATE TABLE plain(a, b TEXT, c REAL);"                                                       \
    "INSERT INTO plain(rowid, a, b, c) VALUES(5, 1, 'x', 1.1), (9223372036854775807, NULL, '', "   \
    "-0.1), (-3, x'00ff', 'it''s', 1e300);"                                                        \
    "INSERT INTO plain(a) VALUES(9e999), (-9e999), (9223372036854775807), "                        \
    "(-9223372036854775808), (0.1 + 0.2), (1e15), (123456789012345680), (4.0);"                    \
    "INSERT INTO plain(b) VALUES('line' || char(10) || 'two' || char(13) || char(10) || "          \
    "'\\n \\r \\n1'), (char(13)), (';' || char(10) || '.quit' || char(10) || ';'), "               \
    "(CAST(x'61006200' AS TEXT)), ('⚓'), (replace(hex(zeroblob(3000)), '0', 'ab'';' || "         \
    "char(10)));"                                                                                  \
    "CREATE TABLE \"odd \"\"name\"\"\n⚓\"(\"a b\" INTEGER PRIMARY KEY, \"select\" TEXT "         \
    "DEFAULT 'x;y' /* ; */);"                                                                      \
    "INSERT INTO \"odd \"\"name\"\"\n⚓\" VALUES(7, 'seven');"                                    \
    "CREATE TABLE tagged(name TEXT, n INT, PRIMARY KEY(name, n)) WITHOUT ROWID;"                   \
    "INSERT INTO tagged VALUES('b', 1), ('a', 2);"                                                 \
    "CREATE TABLE counted(id INTEGER PRIMARY KEY AUTOINCREMENT, v);"                               \
    "INSERT INTO counted(id, v) VALUES(100, 1); DELETE FROM counted;"                              \
    "CREATE TABLE descending(id INTEGER PRIMARY KEY DESC, v);"                                     \
    "INSERT INTO descending(rowid, id, v) VALUES(44, 3, 'z');"                                     \
    "CREATE TABLE shadowed(rowid TEXT, v); INSERT INTO shadowed(_rowid_, rowid, v) "               \
    "VALUES(77, 'mine', 1);"                                                                       \
    "CREATE TABLE computed(a INT, b INT AS (a * 2) STORED, c INT AS (a + 1));"                     \
    "INSERT INTO computed(a) VALUES(4);"                                                           \
    "CREATE TABLE strict(a INT, b ANY) STRICT; INSERT INTO strict VALUES(1, '01');"                \
    "CREATE TABLE child(id INTEGER PRIMARY KEY, p REFERENCES counted(id));"                        \
    "INSERT INTO child VALUES(1, 999);"                                                            \
    "CREATE VIEW seen AS SELECT a FROM plain -- a view\n;"                                         \
    "CREATE TABLE heard(x);"                                                                       \
    "CREATE TRIGGER ring AFTER INSERT ON plain BEGIN INSERT INTO heard VALUES(new.a); SELECT "     \
    "';'; END;"                                                                                    \
    "CREATE TRIGGER looked INSTEAD OF INSERT ON seen BEGIN DELETE FROM heard; END;"                \
    "CREATE UNIQUE INDEX plain_b ON plain(b, a) WHERE b IS NOT NULL;"                              \
    "CREATE VIRTUAL TABLE words USING fts5(body, title);"                                          \
    "INSERT INTO words VALUES('the quick anchor', 'one'), ('a slow boat', 'two');"                 \
    "CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1);"                                          \
    "INSERT INTO boxes VALUES(1, 0, 10);"                                                          \
    "ANALYZE"

#define SAME_ROWS                                                                                  \
    "SELECT group_concat(quote(rowid) || typeof(a) || quote(a) || typeof(b) || "                   \
    "hex(CAST(b AS BLOB)) || quote(c), '|') FROM (SELECT rowid, * FROM plain ORDER BY rowid)"

/* 1 when the answers of both are the same; the answers may be long. */
static void assert_same(const char *one, const char *two, const char *sql)
{
    char *answers[2] = {NULL, NULL};
    const char *const paths[2] = {one, two};
    for (int i = 0; i < 2; i++) {
        sqlite3 *handle = sqlite_fixture_open(paths[i]);
        sqlite3_stmt *statement = NULL;
        assert_int_equal(sqlite3_prepare_v2(handle, sql, -1, &statement, NULL), SQLITE_OK);
        sqlite3_step(statement);
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        answers[i] = mem_string(text ? text : "(null)");
        sqlite3_finalize(statement);
        sqlite3_close(handle);
    }
    size_t same = 0; /* cmocka cuts long texts */
    while (answers[0][same] && answers[0][same] == answers[1][same])
        same++;
    if (answers[0][same] != answers[1][same])
        fail_msg("%.40s: from character %zu on: %.100s <> %.100s", sql, same, answers[0] + same,
                 answers[1] + same);
    free(answers[0]);
    free(answers[1]);
}

static void assert_same_content(const char *one, const char *two)
{
    assert_same(one, two, SAME_ROWS);
    assert_same(one, two,
                "SELECT group_concat(type || name || tbl_name || rtrim(replace(coalesce(sql, "
                "''), '-- a view', ''), ' ' || char(10)), '|') FROM "
                "(SELECT * FROM sqlite_schema ORDER BY type, name)");
    assert_same(one, two, "SELECT group_concat(name || n) FROM tagged");
    assert_same(one, two, "SELECT group_concat(name || seq) FROM sqlite_sequence");
    assert_same(one, two,
                "SELECT group_concat(x, '|') FROM (SELECT tbl || coalesce(idx, '') || stat AS x "
                "FROM sqlite_stat1 ORDER BY 1)");
    assert_same(one, two, "SELECT rowid || id || v FROM descending");
    assert_same(one, two, "SELECT _rowid_ || rowid || v FROM shadowed");
    assert_same(one, two, "SELECT a || b || c FROM computed");
    assert_same(one, two, "SELECT quote(b) FROM strict");
    assert_same(one, two, "SELECT count(*) FROM heard");
    assert_same(one, two, "SELECT p FROM child");
    assert_same(one, two, "SELECT \"select\" FROM \"odd \"\"name\"\"\n⚓\"");
    assert_same(one, two, "SELECT title FROM words WHERE words MATCH 'anchor'");
    assert_same(one, two, "SELECT id FROM boxes WHERE x0 <= 5 AND x1 >= 5");
    assert_same(one, two, "PRAGMA user_version");
    assert_same(one, two, "PRAGMA application_id");
    assert_same(one, two, "PRAGMA encoding");
    assert_same(one, two, "PRAGMA page_size");
    sqlite_fixture_run(two, "INSERT INTO words(words) VALUES('integrity-check')");
    assert_string_equal(sqlite_fixture_ask(two, "PRAGMA integrity_check"), "ok");
}

static void restore_with_shell(const char *path, struct segments_memory *memory)
{
    size_t size = 0;
    char *content = segments_memory_content(memory, &size);
    char command[256];
    snprintf(command, sizeof command, "sqlite3 -bail %s", path);
    FILE *shell = popen(command, "w");
    assert_non_null(shell);
    fwrite(content, 1, size, shell);
    assert_int_equal(pclose(shell), 0);
    free(content);
}

static void dump_to_memory(const char *path, struct segments_memory *memory)
{
    struct error err = ERROR_INIT;
    struct dump_result result = {0};
    assert_ok(sqlite_fixture_dump(path, true, memory, &result, &err), err);
    dump_result_clear(&result);
}

TEST(logical_dump_comes_back_the_same)
{
    static const char *const encodings[] = {"UTF-8", "UTF-16le", "UTF-16be"};
    bool shell = system("command -v sqlite3 >/dev/null") == 0;
    for (size_t i = 0; i < ARRAY_SIZE(encodings); i++) {
        struct sqlite_fixture fixture;
        sqlite_fixture_init(&fixture);
        struct error err = ERROR_INIT;
        char sql[8192];
        snprintf(sql, sizeof sql, "PRAGMA page_size=2048; PRAGMA encoding='%s'; " ODD_SCHEMA,
                 encodings[i]);
        sqlite_fixture_run(fixture.path, sql);
        if (i == 0)
            sqlite_fixture_run(fixture.path, "INSERT INTO plain(b) VALUES(CAST(x'ff61' AS TEXT))");
        else
            sqlite_fixture_run(fixture.path,
                               "INSERT INTO plain(b) VALUES(CAST(x'd8006100' AS TEXT))");
        struct segments_memory *memory = segments_memory_new(NULL);
        dump_to_memory(fixture.path, memory);
        char copy[96];
        snprintf(copy, sizeof copy, "%s/copy.db", fixture.folder);
        assert_ok(sqlite_fixture_restore(os_real(), copy, memory, "sql", NULL, true, NULL, &err),
                  err);
        assert_same_content(fixture.path, copy);
        unlink(copy);
        if (shell) {
            restore_with_shell(copy, memory);
            assert_same_content(fixture.path, copy);
        }
        segments_memory_free(memory);
        sqlite_fixture_clear(&fixture);
    }
}

TEST(each_segment_of_rows_is_whole_statements)
{
    struct sqlite_fixture fixture;
    sqlite_fixture_init(&fixture);
    sqlite_fixture_run(fixture.path,
                       "CREATE TABLE big(id INTEGER PRIMARY KEY, data BLOB);"
                       "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 300)"
                       "INSERT INTO big SELECT i, randomblob(30000) FROM n;"
                       "INSERT INTO big VALUES(1000, randomblob(5000000))");
    struct segments_memory *memory = segments_memory_new(NULL);
    dump_to_memory(fixture.path, memory);
    struct segment_source *source = segments_memory_source(memory);
    uint64_t rows = 0;
    assert_true(segments_memory_count(memory) > 5);
    for (size_t i = 0; i < segments_memory_count(memory); i++) {
        struct error err = ERROR_INIT;
        struct segment *segment = NULL;
        assert_ok(source->ops->read(source, i, &segment, &err), err);
        char *text = mem_string_n((const char *)segment->data, segment->size);
        assert_true(sqlite3_complete(text));
        free(text);
        rows += segment->rows;
        if (segment->section == SECTION_DATA)
            assert_string_equal(segment->table, "big");
        source->ops->drop(source, segment);
    }
    assert_int_equal(rows, 301);
    assert_int_equal(source->ops->table_count(source), 1);
    assert_int_equal(source->ops->table(source, 0)->rows, 301);
    segments_memory_free(memory);
    sqlite_fixture_clear(&fixture);
}

TEST(dump_cut_in_pieces_anywhere_is_read)
{
    struct sqlite_fixture fixture;
    sqlite_fixture_init(&fixture);
    struct error err = ERROR_INIT;
    sqlite_fixture_run(fixture.path, ODD_SCHEMA);
    struct segments_memory *memory =
        segments_memory_new(&(struct segments_memory_options){.piece = 7});
    dump_to_memory(fixture.path, memory);
    char copy[96];
    snprintf(copy, sizeof copy, "%s/copy.db", fixture.folder);
    assert_ok(sqlite_fixture_restore(os_real(), copy, memory, "sql", NULL, true, NULL, &err), err);
    assert_same_content(fixture.path, copy);
    segments_memory_free(memory);
    sqlite_fixture_clear(&fixture);
}

TEST(dump_that_reaches_beyond_its_file_is_refused)
{
    static const char *const hostile[] = {
        "ATTACH '/tmp/kedge-hostile.db' AS other;",
        "VACUUM INTO '/tmp/kedge-hostile.db';",
        "SELECT load_extension('/tmp/x.so');",
        "PRAGMA temp_store_directory='/tmp';",
        "PRAGMA writable_schema=RESET;",
        ".shell id",
        "BEGIN; CREATE TABLE t(x); ROLLBACK; -- due to errors",
        "BEGIN; CREATE TABLE t(x);",
        "CREATE TABLE t(x); INSERT INTO t VALUES('open",
        "INSERT INTO missing VALUES(1);",
    };
    for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
        struct sqlite_fixture fixture;
        sqlite_fixture_init(&fixture);
        struct error err = ERROR_INIT;
        struct segments_memory *memory = segments_memory_new(NULL);
        segments_memory_add(memory, SECTION_DATA, hostile[i], strlen(hostile[i]));
        assert_fails(
            sqlite_fixture_restore(os_real(), fixture.path, memory, "sql", NULL, true, NULL, &err),
            err, ERROR_RESTORE);
        assert_int_not_equal(access("/tmp/kedge-hostile.db", F_OK), 0);
        assert_string_equal(sqlite_fixture_names(fixture.folder), "");
        segments_memory_free(memory);
        sqlite_fixture_clear(&fixture);
    }
}

TEST_MAIN(UNIT(logical_dump_comes_back_the_same), UNIT(each_segment_of_rows_is_whole_statements),
          UNIT(dump_cut_in_pieces_anywhere_is_read),
          UNIT(dump_that_reaches_beyond_its_file_is_refused))
