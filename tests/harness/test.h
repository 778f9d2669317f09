/*
 * What every unit test includes: cmocka, and a name that says the behaviour.
 *
 *     TEST(pack_rejects_truncated_header) { ... }
 *     TEST_MAIN(UNIT(pack_rejects_truncated_header), ...)
 */
#ifndef KEDGE_TESTS_HARNESS_TEST_H
#define KEDGE_TESTS_HARNESS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "harness/tap.h"

#define TEST(name) static void name(__attribute__((unused)) void **state)
#define UNIT(name) cmocka_unit_test(name)
#define TEST_MAIN(...)                                                                             \
    int main(void)                                                                                 \
    {                                                                                              \
        const struct CMUnitTest tests[] = {__VA_ARGS__};                                           \
        tap_mend_skips();                                                                          \
        return cmocka_run_group_tests(tests, NULL, NULL);                                          \
    }

/* A call that must succeed: on failure the error's text is shown. */
#define assert_ok(call, err)                                                                       \
    do {                                                                                           \
        if ((call) < 0)                                                                            \
            fail_msg("%s: %s", #call, (err).message);                                              \
    } while (0)

/* A call that must fail with this kind of error. */
#define assert_fails(call, err, kind)                                                              \
    do {                                                                                           \
        error_clear(&(err));                                                                       \
        assert_true((call) < 0);                                                                   \
        if ((err).code != (kind))                                                                  \
            fail_msg("%s: code %d, not %s: %s", #call, (int)(err).code, #kind, (err).message);     \
    } while (0)

/* For tables of cases: which line of the table failed. */
#define assert_case(line, condition)                                                               \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("case at line %d: %s", (line), #condition);                                   \
    } while (0)

#endif
