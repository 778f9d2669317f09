#include "harness/test.h"

#include "base/error.h"
#include "migrate/placeholder.h"

#include <string.h>

static int append(const char *text, struct text_list *values, struct buf *out, struct error *err)
{
    return placeholder_append(out, text, strlen(text), "folder/V1__a.sql", values, err);
}

TEST(a_name_is_replaced_whatever_its_case)
{
    struct error err = ERROR_INIT;
    SCOPED(buf) struct buf out = BUF_INIT;
    SCOPED(text_list) struct text_list values = TEXT_LIST_INIT;
    text_list_add(&values, "schema=shop");
    text_list_add(&values, "flyway:user=ada");
    assert_ok(append("a ${Schema} ${flyway:USER} ${flyway:filename} $ {x} $${schema} ${", &values,
                     &out, &err),
              err);
    assert_string_equal(out.data, "a shop ada V1__a.sql $ {x} $shop ${");
}

/* Those that Flyway fills in by itself: what a file means by them is not guessed at. */
TEST(flyway_s_own_names_are_never_passed_over_in_silence)
{
    static const char *const names[] = {"defaultSchema",    "timestamp", "user",       "database",
                                        "workingDirectory", "table",     "environment"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct error err = ERROR_INIT;
        SCOPED(buf) struct buf out = BUF_INIT;
        SCOPED(text_list) struct text_list values = TEXT_LIST_INIT;
        SCOPED(string) char *text = mem_format("SELECT 1;\nSELECT '${flyway:%s}';\n", names[i]);
        SCOPED(string)
        char *told =
            mem_format("folder/V1__a.sql:2: the placeholder ${flyway:%s} has no value", names[i]);
        SCOPED(string) char *cure = mem_format("--placeholder flyway:%s=VALUE", names[i]);
        assert_fails(append(text, &values, &out, &err), err, ERROR_FAILED);
        assert_string_equal(err.message, told);
        assert_non_null(strstr(err.hint, cure));
        text_list_give(&values, mem_format("flyway:%s=x", names[i]));
        error_clear(&err);
        assert_ok(append(text, &values, &out, &err), err);
    }
}

TEST_MAIN(UNIT(a_name_is_replaced_whatever_its_case),
          UNIT(flyway_s_own_names_are_never_passed_over_in_silence))
