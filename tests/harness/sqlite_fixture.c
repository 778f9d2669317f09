#include "harness/sqlite_fixture.h"
#include "harness/scratch.h"

#include "harness/segments_memory.h"
#include "harness/test.h"

#include "base/file.h"
#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *next_answer(void)
{
    static char answers[16][512];
    static unsigned turn;
    char *answer = answers[turn++ % 16];
    answer[0] = '\0';
    return answer;
}

static int collect_name(void *context, const char *name, struct error *err)
{
    (void)err;
    text_list_add(context, name);
    return 0;
}

static void list_names(const char *folder, struct text_list *names)
{
    struct error err = ERROR_INIT;
    assert_ok(folder_list(os_real(), folder, collect_name, names, &err), err);
    text_list_sort(names);
}

void sqlite_fixture_init(struct sqlite_fixture *fixture)
{
    scratch_folder(fixture->folder);
    snprintf(fixture->path, sizeof fixture->path, "%s/shop.db", fixture->folder);
}

void sqlite_fixture_clear(struct sqlite_fixture *fixture)
{
    struct text_list names = TEXT_LIST_INIT;
    list_names(fixture->folder, &names);
    for (size_t i = 0; i < names.count; i++) {
        char *path = path_join(fixture->folder, names.items[i]);
        unlink(path);
        free(path);
    }
    text_list_clear(&names);
    assert_int_equal(rmdir(fixture->folder), 0);
}

sqlite3 *sqlite_fixture_open(const char *path)
{
    sqlite3 *handle = NULL;
    int code = sqlite3_open(path, &handle);
    if (code != SQLITE_OK)
        fail_msg("open %s: %s", path, sqlite3_errmsg(handle));
    sqlite3_busy_timeout(handle, 5000);
    return handle;
}

void sqlite_fixture_run(const char *path, const char *sql)
{
    sqlite3 *handle = sqlite_fixture_open(path);
    if (sqlite3_exec(handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
    sqlite3_close(handle);
}

const char *sqlite_fixture_ask(const char *path, const char *sql)
{
    char *answer = next_answer();
    sqlite3 *handle = sqlite_fixture_open(path);
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(handle, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW && sqlite3_column_text(statement, 0))
        snprintf(answer, 512, "%s", (const char *)sqlite3_column_text(statement, 0));
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        snprintf(answer, 512, "error: %s", sqlite3_errmsg(handle));
    sqlite3_finalize(statement);
    sqlite3_close(handle);
    return answer;
}

void sqlite_fixture_shop(const char *path, const char *journal_mode, int rows)
{
    char sql[1024];
    snprintf(sql, sizeof sql,
             "PRAGMA journal_mode=%s; BEGIN;"
             "CREATE TABLE users(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, "
             "note BLOB);"
             "CREATE TABLE orders(id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users(id), "
             "total REAL);"
             "CREATE INDEX orders_user ON orders(user_id);"
             "CREATE TABLE tags(name TEXT PRIMARY KEY, weight) WITHOUT ROWID;"
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < %d) "
             "INSERT INTO users(name, note) SELECT 'user ' || i, randomblob(100) FROM n;"
             "INSERT INTO orders(user_id, total) SELECT id, id * 1.5 FROM users;"
             "INSERT INTO tags SELECT 'tag ' || id, id FROM users;"
             "COMMIT",
             journal_mode, rows);
    sqlite_fixture_run(path, sql);
}

static struct source_target target_of(const char *path)
{
    return (struct source_target){
        .name = mem_string("shop"),
        .url = {.engine = DB_SQLITE, .database = mem_string(path)},
    };
}

static void target_clear(struct source_target *target)
{
    free(target->name);
    free(target->url.database);
}

int sqlite_fixture_dump(const char *path, bool logical, struct segments_memory *memory,
                        struct dump_result *ret_result, struct error *err)
{
    struct source_target target = target_of(path);
    struct dump_options options = {
        .os = os_real(), .jobs = 2, .logical = logical, .max_wait_ms = 5000};
    int result = source_find("sqlite")->dump(&target, &options, segments_memory_sink(memory),
                                             ret_result, err);
    assert_int_equal(segments_memory_out(memory), 0);
    target_clear(&target);
    return result;
}

int sqlite_fixture_restore(struct os *os, const char *path, struct segments_memory *memory,
                           const char *format, const char *metadata, bool keep, char **ret_kept,
                           struct error *err)
{
    struct source_target target = target_of(path);
    struct load_options options = {
        .os = os, .jobs = 2, .format = format, .metadata = metadata, .keep = keep};
    struct load *load = NULL;
    struct load_preview preview = {0};
    int result = source_find("sqlite")->load(&target, &options, &load, err);
    if (result == 0)
        result = load->ops->preview(load, NULL, &preview, err);
    load_preview_clear(&preview);
    if (result == 0)
        result = load->ops->fill(load, segments_memory_source(memory), err);
    if (result == 0)
        result = load->ops->check(load, err);
    if (result == 0 && ret_kept)
        *ret_kept = mem_string(load->kept);
    if (result == 0)
        result = load->ops->commit(load, err);
    load_free(load);
    assert_int_equal(segments_memory_out(memory), 0);
    target_clear(&target);
    return result;
}

static void write_kept(const char *path, const char *kept)
{
    if (!path)
        return;
    FILE *file = fopen(path, "w");
    fputs(kept, file);
    fclose(file);
}

int sqlite_fixture_restore_tables(struct os *os, const char *path, struct segments_memory *memory,
                                  const char *tables, bool cascade, const char *kept_path,
                                  char **ret_kept, struct error *err)
{
    struct source_target target = target_of(path);
    struct load_options options = {
        .os = os, .jobs = 1, .format = "sqlite3", .cascade = cascade, .keep = true};
    char *names = mem_string(tables);
    for (char *name = strtok(names, " "); name; name = strtok(NULL, " "))
        text_list_add(&options.tables, name);
    free(names);
    struct load *load = NULL;
    int result = source_find("sqlite")->load(&target, &options, &load, err);
    if (result == 0)
        write_kept(kept_path, load->kept);
    if (result == 0)
        result = load->ops->fill(load, segments_memory_source(memory), err);
    if (result == 0)
        result = load->ops->check(load, err);
    if (result == 0)
        write_kept(kept_path, load->kept);
    if (result == 0 && ret_kept)
        *ret_kept = mem_string(load->kept);
    if (result == 0)
        result = load->ops->commit(load, err);
    load_free(load);
    text_list_clear(&options.tables);
    target_clear(&target);
    return result;
}

const char *sqlite_fixture_names(const char *folder)
{
    char *answer = next_answer();
    struct text_list names = TEXT_LIST_INIT;
    list_names(folder, &names);
    size_t at = 0;
    for (size_t i = 0; i < names.count && at < 500; i++)
        at += (size_t)snprintf(answer + at, 512 - at, "%s%s", i ? " " : "", names.items[i]);
    text_list_clear(&names);
    return answer;
}
