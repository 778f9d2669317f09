#include "harness/test.h"

#include "base/mem.h"
#include "base/os.h"
#include "catalog/restores.h"
#include "service/kept.h"
#include "service/service.h"
#include "service/target.h"

#include <string.h>

#define SQLITE_LINE "{\"engine\":\"sqlite\",\"side\":\"/srv/.shop.db.kedge-1\"}"
#define FILES_LINE "{\"engine\":\"files\",\"sides\":[]}"

static const struct kept_line both[] = {
    {.engine = "sqlite", .target = "sqlite:/srv/shop.db", .json = SQLITE_LINE},
    {.engine = "files", .target = "files:shop", .json = FILES_LINE}};

static int open_line(const struct service_options *options, const char *engine, const char *target,
                     const char *line, struct kept *ret_kept, struct error *err)
{
    SCOPED(service) struct service *service = service_open_bare(options);
    const struct restore_row row = {
        .number = 7, .engine = engine, .target = target, .safety_ref = line};
    return kept_open(service, &row, ret_kept, err);
}

TEST(the_line_of_two_swaps_gives_both_parts_back_in_order)
{
    struct error err = ERROR_INIT;
    const struct service_options options = {.os = os_real()};
    SCOPED(kept) struct kept kept = {0};
    SCOPED(string) char *line = kept_join(both, 2);
    assert_int_equal(open_line(&options, "sqlite+files", "x", line, &kept, &err), 1);
    assert_int_equal(kept.count, 2);
    assert_false(kept.undoing);
    for (size_t i = 0; i < kept.count; i++) {
        assert_string_equal(kept.parts[i].source->engine, both[i].engine);
        assert_string_equal(kept.parts[i].target, both[i].target);
        assert_string_equal(kept.parts[i].json, both[i].json);
    }
}

TEST(the_line_of_one_swap_is_its_sources_own)
{
    struct error err = ERROR_INIT;
    const struct service_options options = {.os = os_real()};
    SCOPED(kept) struct kept kept = {0};
    SCOPED(string) char *line = kept_join(both, 1);
    assert_string_equal(line, SQLITE_LINE);
    assert_int_equal(open_line(&options, "sqlite", "sqlite:/srv/shop.db", line, &kept, &err), 1);
    assert_int_equal(kept.count, 1);
    assert_string_equal(kept.parts[0].json, SQLITE_LINE);
}

TEST(an_undo_that_is_on_its_way_is_noted_and_taken_off_again)
{
    struct error err = ERROR_INIT;
    const struct service_options options = {.os = os_real()};
    SCOPED(kept) struct kept kept = {0};
    SCOPED(kept) struct kept marked = {0};
    SCOPED(string) char *line = kept_join(both, 2);
    assert_int_equal(open_line(&options, "sqlite+files", "x", line, &kept, &err), 1);
    SCOPED(string) char *undoing = kept_mark_undo(&kept, LOAD_AFTER);
    assert_int_equal(open_line(&options, "sqlite+files", "x", undoing, &marked, &err), 1);
    assert_true(marked.undoing);
    assert_int_equal(marked.undo_to, LOAD_AFTER);
    SCOPED(string) char *again = kept_unmark(&marked);
    assert_string_equal(again, line);
}

/* The log shows addresses without passwords. */
TEST(a_configured_target_brings_the_password_that_the_log_does_not_hold)
{
    struct error err = ERROR_INIT;
    static char name[] = "shop";
    struct target target = {.name = name, .has_database = true};
    assert_ok(db_url_parse("postgres://ada:secret@db1/shop", &target.url, &err), err);
    SCOPED(string) char *shown = db_url_display(&target.url);
    const struct service_options options = {.os = os_real(), .targets = &target, .target_count = 1};
    SCOPED(kept) struct kept kept = {0};
    assert_null(strstr(shown, "secret"));
    assert_int_equal(open_line(&options, "postgres", shown, "{}", &kept, &err), 1);
    assert_string_equal(kept.parts[0].what.url.password, "secret");
    db_url_clear(&target.url);
}

TEST(a_row_without_swaps_keeps_nothing)
{
    struct error err = ERROR_INIT;
    const struct service_options options = {.os = os_real()};
    const char *backup = "{\"backup\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\"}";
    const struct restore_row row = {.safety_ref = backup};
    SCOPED(kept) struct kept kept = {0};
    assert_int_equal(open_line(&options, "sqlite", "x", NULL, &kept, &err), 0);
    assert_int_equal(open_line(&options, "sqlite", "x", backup, &kept, &err), 0);
    SCOPED(string) char *id = kept_backup(&row);
    assert_string_equal(id, "01ARZ3NDEKTSV4RRFFQ69G5FAV");
}

TEST(a_damaged_line_is_an_error_that_names_the_restore)
{
    const struct service_options options = {.os = os_real()};
    static const struct {
        int line;
        const char *engine, *text;
    } cases[] = {
        {__LINE__, "sqlite+files", "{\"parts\":[]}"},
        {__LINE__, "sqlite+files", "{\"parts\":[{},{},{}]}"},
        {__LINE__, "sqlite+files", "{\"parts\":[{\"engine\":\"files\",\"target\":\"x\"}]}"},
        {__LINE__, "oracle", "{}"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        SCOPED(kept) struct kept kept = {0};
        assert_case(cases[i].line,
                    open_line(&options, cases[i].engine, "x", cases[i].text, &kept, &err) < 0);
        assert_case(cases[i].line, err.code == ERROR_CORRUPT);
        assert_case(cases[i].line, strstr(err.message, "restore 7") != NULL);
        assert_case(cases[i].line, kept.count == 0);
    }
}

TEST_MAIN(UNIT(the_line_of_two_swaps_gives_both_parts_back_in_order),
          UNIT(the_line_of_one_swap_is_its_sources_own),
          UNIT(an_undo_that_is_on_its_way_is_noted_and_taken_off_again),
          UNIT(a_configured_target_brings_the_password_that_the_log_does_not_hold),
          UNIT(a_row_without_swaps_keeps_nothing),
          UNIT(a_damaged_line_is_an_error_that_names_the_restore))
