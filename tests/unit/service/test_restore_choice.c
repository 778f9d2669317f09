#include "harness/test.h"

#include "base/os.h"
#include "service/lookup.h"
#include "service/restore_choice.h"
#include "service/restore_request.h"

#include <string.h>

static char database[] = "shop_2026-01-31_020000.sql.zst";
static char files[] = "shop_2026-01-31_020000_files.tar.zst";
static char *one[] = {database};
static const struct text_list some = {.items = one, .count = 1};

/* A full backup, as lookup_backup gives it. */
static struct located full(void)
{
    return (struct located){.file = database, .second = files};
}

static int choose(const struct restore_request *request, const struct located *located,
                  struct restore_choice *ret_choice, struct error *err)
{
    return restore_choose(os_real(), request, located, ret_choice, err);
}

TEST(a_full_backup_is_restored_whole_with_the_database_first)
{
    struct error err = ERROR_INIT;
    const struct restore_request request = {0};
    struct located located = {.file = files, .second = database};
    struct restore_choice choice = {0};
    assert_ok(choose(&request, &located, &choice, &err), err);
    assert_int_equal(choice.count, 2);
    assert_string_equal(choice.files[0], database);
    assert_string_equal(choice.files[1], files);
    assert_null(choice.left_out);
}

TEST(an_option_that_can_only_mean_one_part_chooses_it)
{
    struct located named = full();
    named.named = named.second;
    const struct located whole = full();
    const struct {
        int line;
        struct restore_request request;
        const struct located *located;
        const char *file, *left_out;
    } cases[] = {
        {__LINE__, {.type = "files"}, &whole, files, RESTORE_DATABASE},
        {__LINE__, {.type = "database"}, &whole, database, RESTORE_FILES},
        {__LINE__, {.tables = some}, &whole, database, RESTORE_FILES},
        {__LINE__, {.include = some}, &whole, files, RESTORE_DATABASE},
        {__LINE__, {.leaves_out = true}, &whole, files, RESTORE_DATABASE},
        {__LINE__, {.connection = "shop"}, &whole, database, RESTORE_FILES},
        {__LINE__, {.to = "postgres:///copy"}, &whole, database, RESTORE_FILES},
        {__LINE__, {.to = "/nowhere/copy.db"}, &whole, database, RESTORE_FILES},
        {__LINE__, {.to = "/"}, &whole, files, RESTORE_DATABASE},
        {__LINE__, {0}, &named, files, RESTORE_DATABASE},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        struct restore_choice choice = {0};
        assert_case(cases[i].line, choose(&cases[i].request, cases[i].located, &choice, &err) == 0);
        assert_case(cases[i].line, choice.count == 1);
        assert_case(cases[i].line, strcmp(choice.files[0], cases[i].file) == 0);
        assert_case(cases[i].line, strcmp(choice.left_out, cases[i].left_out) == 0);
    }
}

TEST(options_that_mean_different_parts_are_refused_by_name)
{
    struct located located = full();
    const struct {
        int line;
        struct restore_request request;
        const char *first, *second; /* both options are named */
    } cases[] = {
        {__LINE__, {.type = "files", .tables = some}, "--type", "--table"},
        {__LINE__, {.tables = some, .include = some}, "--table", "--include"},
        {__LINE__, {.include = some, .connection = "shop"}, "--include", "--connection"},
        {__LINE__, {.type = "full", .tables = some}, "--type full", "--table"},
        {__LINE__, {.to = "/nowhere/copy"}, "/nowhere/copy", "database or a folder"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        struct restore_choice choice = {0};
        assert_case(cases[i].line, choose(&cases[i].request, &located, &choice, &err) < 0);
        assert_case(cases[i].line, err.code == ERROR_USAGE);
        assert_case(cases[i].line, strstr(err.message, cases[i].first) != NULL);
        assert_case(cases[i].line, strstr(err.message, cases[i].second) != NULL);
        assert_case(cases[i].line, choice.count == 0);
    }
}

TEST(a_backup_of_one_file_has_no_other_part)
{
    struct error err = ERROR_INIT;
    struct located located = {.file = database};
    struct restore_choice choice = {0};
    assert_ok(choose(&(struct restore_request){0}, &located, &choice, &err), err);
    assert_int_equal(choice.count, 1);
    assert_null(choice.left_out);
    const struct restore_request request = {.type = "files"};
    assert_fails(choose(&request, &located, &choice, &err), err, ERROR_USAGE);
    assert_non_null(strstr(err.message, "a database only"));
}

TEST_MAIN(UNIT(a_full_backup_is_restored_whole_with_the_database_first),
          UNIT(an_option_that_can_only_mean_one_part_chooses_it),
          UNIT(options_that_mean_different_parts_are_refused_by_name),
          UNIT(a_backup_of_one_file_has_no_other_part))
