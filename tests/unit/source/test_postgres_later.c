#include "harness/test.h"

#include "db/statement.h"
#include "source/postgres_later.h"

#include <string.h>

static void note(struct laters *laters, const char *text)
{
    const struct statement statement = {.text = text, .size = strlen(text)};
    laters_note(laters, &statement);
}

TEST(each_statement_keeps_the_settings_that_were_in_force_for_it)
{
    struct laters laters = {0};
    note(&laters, "CREATE INDEX a ON public.t (x)");
    note(&laters, "SET default_tablespace = 'one'");
    note(&laters, "SET row_security = off");
    note(&laters, "CREATE INDEX b ON public.t (x)");
    note(&laters, "SET default_tablespace = ''");
    note(&laters, "CREATE INDEX c ON public.t (x)");
    assert_int_equal(laters.count, 3);
    assert_null(laters.items[0].settings);
    assert_string_equal(laters.items[1].settings,
                        "SET default_tablespace = 'one'; SET row_security = off; ");
    assert_string_equal(laters.items[2].settings,
                        "SET default_tablespace = ''; SET row_security = off; ");
    laters_clear(&laters);
}

TEST(who_grants_is_no_setting)
{
    assert_false(later_is_setting("SET SESSION AUTHORIZATION bob"));
    assert_true(later_is_setting("SELECT pg_catalog.set_config('search_path', '', false)"));
    assert_false(later_is_setting("SELECT pg_catalog.setval('s', 1)"));
}

TEST_MAIN(UNIT(each_statement_keeps_the_settings_that_were_in_force_for_it),
          UNIT(who_grants_is_no_setting))
