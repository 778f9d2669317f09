#include "harness/scratch.h"
#include "harness/test.h"

#include "base/error.h"
#include "base/file.h"
#include "base/os.h"
#include "base/text.h"
#include "migrate/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES 6

struct file {
    const char *name;
    const char *text;
};

/* `wanted`: for each migration its version, name, statements up/down, "-" where there is no way
 * down, "!" where it runs outside a transaction; or a part of the error. */
struct sample {
    int line;
    struct file files[FILES];
    const char *wanted;
    size_t warnings;
};

static void put(const char *folder, const struct file *file)
{
    struct error err = ERROR_INIT;
    SCOPED(string) char *path = path_join(folder, file->name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    mkdir(path, 0755);
    *slash = '/';
    assert_ok(file_write_atomic(os_real(), path, file->text, strlen(file->text), 0644, &err), err);
}

static void describe(const struct migration_set *set, struct buf *text)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct migration *migration = set->items[i];
        const struct migration_part *up = &migration->parts[MIGRATE_UP];
        const struct migration_part *down = &migration->parts[MIGRATE_DOWN];
        buf_append_format(text, "%s%s %s %zu/", i ? ", " : "", migration->version, migration->name,
                          up->count);
        if (down->exists)
            buf_append_format(text, "%zu", down->count);
        else
            buf_append_char(text, '-');
        buf_append_text(text, up->outside ? "!" : "");
    }
}

static void read_sample(const struct sample *sample, const struct text_list *placeholders)
{
    struct error err = ERROR_INIT;
    char folder[64];
    SCOPED(buf) struct buf text = BUF_INIT;
    SCOPED(migration_set) struct migration_set set = MIGRATION_SET_INIT;
    SCOPED(text_list) struct text_list warnings = TEXT_LIST_INIT;
    scratch_folder(folder);
    for (size_t i = 0; i < FILES && sample->files[i].name; i++)
        put(folder, &sample->files[i]);
    const struct migration_folder options = {
        .os = os_real(), .path = folder, .dialect = DB_POSTGRES, .placeholders = placeholders};
    int result = migration_folder_read(&options, &set, &warnings, &err);
    if (result == 0)
        result = migration_set_sort(&set, &err);
    if (result == 0)
        describe(&set, &text);
    else
        buf_append_text(&text, err.message);
    SCOPED(string) char *command = mem_format("rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
    bool same = result < 0 ? strstr(text.data, sample->wanted) != NULL
                           : strcmp(text.data ? text.data : "", sample->wanted) == 0;
    if (!same || (result == 0 && warnings.count != sample->warnings))
        fail_msg("case at line %d: %s (%zu warnings)", sample->line, text.data, warnings.count);
}

#define GOOSE "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n"
#define DBMATE "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n"
#define KEDGE "-- +migrate Up\nSELECT 1;\n"

TEST(a_folder_is_read_in_the_manner_of_its_tool)
{
    static const struct sample samples[] = {
        {__LINE__,
         {{"00001_a.sql", GOOSE}, {"00010_b.sql", GOOSE}, {"00002_c.go", "x"}},
         "00001 a 1/1, 00010 b 1/1",
         1},
        {__LINE__, {{"1_a.sql", "\xEF\xBB\xBF-- +goose Up\r\nSELECT 1;\r\n"}}, "1 a 1/-", 0},
        {__LINE__, {{"1_a.sql", "-- +goose NO TRANSACTION\n" GOOSE}}, "1 a 1/1!", 0},
        {__LINE__,
         {{"2020-a.sql", DBMATE}, {"2021.sql", DBMATE}, {"2022_a_b.sql", DBMATE}},
         "2020 a 1/1, 2021  1/1, 2022 a_b 1/1",
         0},
        {__LINE__,
         {{"1_a.sql", "-- migrate:up transaction:false\nSELECT 1;\n-- migrate:down\n"}},
         "1 a 1/0!",
         0},
        {__LINE__,
         {{"1_a.up.sql", "SELECT 1; SELECT 2"}, {"1_b.down.sql", "SELECT 3"}, {"2_.up.sql", ""}},
         "1 a 2/1, 2  0/-",
         0},
        {__LINE__,
         {{"0_setup.sql", "-- no-transaction (CREATE DATABASE)\nSELECT 1"}},
         "0 setup 1/-!",
         0},
        {__LINE__,
         {{"1_a.sql", "SELECT 1"}, {"2_b.sql", "SELECT 2; SELECT 3;"}},
         "1 a 1/-, 2 b 2/-",
         0},
        {__LINE__,
         {{"V1__a.sql", "SELECT 1"},
          {"V1.2_3__b_c.sql", ""},
          {"U1.2.3__x.sql", "SELECT 2"},
          {"V1_10__d.sql", ""},
          {"R__2_w.sql", "SELECT 4"},
          {"R__10_v.sql", "SELECT 3"}},
         "1 a 1/-, 1.2.3 b_c 0/1, 1.10 d 0/-, R__10_v 10_v 1/0, R__2_w 2_w 1/0",
         0},
        {__LINE__,
         {{"V001__a.sql", ""}, {"sub/V2__b.sql", ""}, {"sub/1_x.sql", "x"}},
         "001 a 0/-, 2 b 0/-",
         0},
        {__LINE__,
         {{"V1__a.sql", "SELECT 1"}, {"V1__a.sql.conf", "executeInTransaction=false\n"}},
         "1 a 1/-!",
         0},
        {__LINE__, {{"B5__a.sql", "SELECT 1"}, {"V6__b.sql", ""}}, "5 a 1/-, 6 b 0/-", 0},
        {__LINE__, {{"V5__v.sql", ""}, {"B5__a.sql", "SELECT 1"}}, "5 v 0/-", 1},
        {__LINE__,
         {{"1_initial.sql", KEDGE}, {"2-record.sql", KEDGE}},
         "1 initial 1/-, 2 record 1/-",
         0},
        {__LINE__,
         {{"00001_a.sql", GOOSE}, {"20240101000001_b.sql", KEDGE}},
         "00001 a 1/1, 20240101000001 b 1/-",
         0},
        {__LINE__,
         {{"20240101000001_b.sql", KEDGE}, {"2024_c.sql", KEDGE}, {"x.sql", ""}},
         "20240101000001 b 1/-",
         2},
    };
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
        read_sample(&samples[i], NULL);
}

TEST(what_is_mixed_or_wrong_is_named)
{
    static const struct sample samples[] = {
        {__LINE__, {{"1_a.sql", GOOSE}, {"2_b.sql", DBMATE}}, "mixes the files of two tools: ", 0},
        {__LINE__, {{"1_a.up.sql", ""}, {"V1__b.sql", ""}}, "1_a.up.sql is of golang-migrate, ", 0},
        {__LINE__,
         {{"1_a.up.sql", "SELECT 1;"}, {"1_a.down.sql", "SELECT 1;"}, {"2_b.sql", "SELECT 1;"}},
         "and a single one that does not say which way it goes: ",
         0},
        {__LINE__,
         {{"2024-01-01-000000_a/up.sql", "SELECT 1;"},
          {"2024-01-01-000000_a/down.sql", "SELECT 1;"}},
         "a folder for each migration, as Diesel has them",
         0},
        {__LINE__,
         {{"20240102000000_b/migration.sql", "SELECT 1;"},
          {"20240101000000_a/migration.sql", "SELECT 1;"},
          {"migration_lock.toml", ""}},
         "20240101000000_a/migration.sql",
         0},
        {__LINE__, {{"V1__a.sql", ""}, {"2_b.sql", "SELECT 1"}}, "2_b.sql of sqlx", 0},
        {__LINE__,
         {{"1_a.sql", GOOSE}, {"2_b.sql", "SELECT 1;"}},
         "2_b.sql:1:1: a statement before the Up directive",
         0},
        {__LINE__,
         {{"1_a.sql", DBMATE}, {"2_b.sql", "SELECT 1;"}},
         "2_b.sql:1:1: a statement before the Up directive",
         0},
        {__LINE__, {{"1_a.sql", GOOSE}, {"2_b.sql", ""}}, "2_b.sql:1:1: the file is empty", 0},
        {__LINE__, {{"1_a.sql", GOOSE}, {"2_b.sql", "--x"}}, "no line \"-- +goose Up\"", 0},
        {__LINE__, {{"1_a.sql", " -- +goose Up\nSELECT 1;\n"}}, "a directive is not indented", 0},
        {__LINE__, {{"1_a.sql", "-- migrate:up\n\t-- migrate:down\n"}}, ":2:2: not a directive", 0},
        {__LINE__,
         {{"20240101000001_a.sql", "SELECT 1;"}},
         "a statement before the Up directive",
         0},
        {__LINE__,
         {{"001_a.sql", "CREATE TABLE a(x);\n---- create above / drop below ----\nDROP TABLE a;"}},
         "001_a.sql:2:1: what stands below \"---- create above / drop below ----\" would run on "
         "the way "
         "up",
         0},
        {__LINE__, {{"1_a.sql", "-- //@UNDO\nDROP TABLE a;"}}, "below \"-- //@UNDO\"", 0},
        {__LINE__, {{"1_a.sql", "-- rambler down\nDROP TABLE a;"}}, "rambler down", 0},
        {__LINE__, {{"V1__a.sql", "-- Down Migration\nDROP TABLE a;"}}, "Down Migration", 0},
        {__LINE__, {{"1_a.up.sql", "-- +migrate Down\nDROP TABLE a;"}}, "+migrate Down", 0},
        {__LINE__,
         {{"1_a.down.sql", "-- migrate:up x:y\nSELECT 1;"}, {"1_a.up.sql", ""}},
         "would run on the way down",
         0},
        {__LINE__, {{"U1__a.sql", "SELECT 1;"}}, "there is no file for the way up", 0},
        {__LINE__, {{"1_a.down.sql", "SELECT 1;"}}, "there is no file for the way up", 0},
        {__LINE__, {{"V1__a.sql", ""}, {"V1.0__b.sql", ""}}, "two migrations have the version", 0},
        {__LINE__, {{"1_a.up.sql", ""}, {"01_b.up.sql", ""}}, "two migrations have the version", 0},
        {__LINE__,
         {{"V1__a.sql", ""}, {"V1__a.sql.conf", "shouldExecute=false"}},
         "\"shouldExecute=false\" is not understood",
         0},
        {__LINE__,
         {{"V1__a.sql", "SELECT 1;\nSELECT '${nobody}'"}},
         "V1__a.sql:2: the placeholder ${nobody} has no value",
         0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
        read_sample(&samples[i], NULL);
}

TEST(placeholders_are_replaced_wherever_they_stand)
{
    SCOPED(text_list) struct text_list values = TEXT_LIST_INIT;
    SCOPED(migration_set) struct migration_set set = MIGRATION_SET_INIT;
    SCOPED(string) char *command = NULL;
    struct error err = ERROR_INIT;
    char folder[64];
    const struct file file = {"V1__a.sql",
                              "SELECT '${Name}', 1 ${empty}-- ${name}\n, '${flyway:filename}';"};
    text_list_add(&values, "name=a=b");
    text_list_add(&values, "empty=");
    scratch_folder(folder);
    put(folder, &file);
    struct migration_folder options = {
        .os = os_real(), .path = folder, .dialect = DB_POSTGRES, .placeholders = &values};
    assert_ok(migration_folder_read(&options, &set, NULL, &err), err);
    assert_string_equal(set.items[0]->parts[MIGRATE_UP].items[0].text,
                        "SELECT 'a=b', 1 -- a=b\n, 'V1__a.sql'");
    migration_set_clear(&set);
    options.keep_placeholders = true;
    assert_ok(migration_folder_read(&options, &set, NULL, &err), err);
    assert_non_null(strstr(set.items[0]->parts[MIGRATE_UP].items[0].text, "'${Name}'"));
    command = mem_format("rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

TEST(programs_in_php_are_told_in_one_line)
{
    struct error err = ERROR_INIT;
    char folder[64];
    static const char *const names[] = {"2014_b.php", "2014_a.php", "2015_c.php"};
    SCOPED(migration_set) struct migration_set set = MIGRATION_SET_INIT;
    SCOPED(text_list) struct text_list warnings = TEXT_LIST_INIT;
    scratch_folder(folder);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        put(folder, &(struct file){names[i], "<?php"});
    const struct migration_folder options = {
        .os = os_real(), .path = folder, .dialect = DB_POSTGRES};
    assert_ok(migration_folder_read(&options, &set, &warnings, &err), err);
    SCOPED(string) char *command = mem_format("rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(warnings.count, 1);
    assert_non_null(strstr(warnings.items[0], "/2014_a.php and 2 more are passed over"));
}

TEST_MAIN(UNIT(programs_in_php_are_told_in_one_line),
          UNIT(a_folder_is_read_in_the_manner_of_its_tool), UNIT(what_is_mixed_or_wrong_is_named),
          UNIT(placeholders_are_replaced_wherever_they_stand))
