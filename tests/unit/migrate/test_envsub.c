#include "harness/test.h"

#include "base/buf.h"
#include "migrate/envsub.h"

#include <string.h>

#define ON "-- +goose ENVSUB ON\n"
#define OFF "-- +goose ENVSUB OFF\n"

static const char *lookup(const char *name)
{
    if (strcmp(name, "SCHEMA") == 0)
        return "shop";
    return strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

TEST(variables_are_replaced_between_on_and_off)
{
    static const struct {
        int line;
        const char *text, *result;
    } cases[] = {
        {__LINE__, "$SCHEMA ${SCHEMA}\n", "$SCHEMA ${SCHEMA}\n"},
        {__LINE__, ON "$SCHEMA.a ${SCHEMA}_b\n", ON "shop.a shop_b\n"},
        {__LINE__, ON "$SCHEMA\n" OFF "$SCHEMA\n", ON "shop\n" OFF "$SCHEMA\n"},
        {__LINE__, ON "[$NONE][${NONE}]", ON "[][]"},
        {__LINE__, ON "${NONE-x} ${NONE:-y} ${SCHEMA:-z}", ON "x y shop"},
        {__LINE__, ON "[${EMPTY-x}] [${EMPTY:-y}]", ON "[] [y]"},
        {__LINE__, ON "${SCHEMA?needed}", ON "shop"},
        /* Dollars that PostgreSQL reads are none of ours. */
        {__LINE__, ON "$$ $1 $body$ ${} ${SCHEMA+x} ${SCHEMA",
         ON "$$ $1 $ ${} ${SCHEMA+x} ${SCHEMA"},
        {__LINE__, "-- +GOOSE envsub on\n$SCHEMA", "-- +GOOSE envsub on\nshop"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        SCOPED(buf) struct buf out = BUF_INIT;
        assert_ok(
            envsub_append(&out, cases[i].text, strlen(cases[i].text), "1_a.sql", lookup, &err),
            err);
        if (strcmp(out.data, cases[i].result) != 0)
            fail_msg("case at line %d: %s", cases[i].line, out.data);
    }
}

TEST(a_variable_that_must_be_set_is_asked_for_with_its_place)
{
    static const char *const texts[] = {ON "\n${NONE?say which}", ON "\n${EMPTY:?say which}"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct error err = ERROR_INIT;
        SCOPED(buf) struct buf out = BUF_INIT;
        assert_fails(envsub_append(&out, texts[i], strlen(texts[i]), "1_a.sql", lookup, &err), err,
                     ERROR_FAILED);
        assert_non_null(strstr(err.message, "1_a.sql:3: "));
        assert_non_null(strstr(err.message, ": say which"));
    }
}

TEST_MAIN(UNIT(variables_are_replaced_between_on_and_off),
          UNIT(a_variable_that_must_be_set_is_asked_for_with_its_place))
