#include "harness/test.h"

#include <errno.h>
#include <string.h>

TEST(error_set_names_kind_and_text)
{
    struct error err = ERROR_INIT;
    assert_int_equal(error_set(&err, ERROR_CORRUPT, "pack %s: bad length", "ab12"), -1);
    assert_int_equal(err.code, ERROR_CORRUPT);
    assert_string_equal(err.message, "pack ab12: bad length");
    assert_int_equal(error_exit_status(err.code), 21);
}

TEST(error_set_errno_chooses_kind_of_full_disk)
{
    struct error err = ERROR_INIT;
    error_set_errno(&err, ERROR_FAILED, ENOSPC, "write %s", "/x");
    assert_int_equal(err.code, ERROR_NO_SPACE);
    assert_int_equal(err.sys, ENOSPC);
    assert_string_equal(err.message, "write /x: No space left on device");
}

TEST(error_prefix_keeps_kind_and_hint)
{
    struct error err = ERROR_INIT;
    error_set(&err, ERROR_LOCKED, "busy");
    error_hint(&err, "wait");
    error_prefix(&err, "open %s", "shop.db");
    assert_string_equal(err.message, "open shop.db: busy");
    assert_string_equal(err.hint, "wait");
    assert_int_equal(err.code, ERROR_LOCKED);
}

TEST(error_prefix_of_a_full_message_stays_inside)
{
    struct error err = ERROR_INIT;
    char long_text[3000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    error_set(&err, ERROR_FAILED, "%s", long_text);
    error_prefix(&err, "outer");
    assert_memory_equal(err.message, "outer: xxx", 10);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
}

TEST(error_recode_leaves_an_interruption)
{
    struct error err = ERROR_INIT;
    error_set(&err, ERROR_INTERRUPTED, "interrupted");
    error_recode(&err, ERROR_RESTORE);
    assert_int_equal(error_exit_status(err.code), 130);
}

TEST_MAIN(UNIT(error_set_names_kind_and_text), UNIT(error_set_errno_chooses_kind_of_full_disk),
          UNIT(error_prefix_keeps_kind_and_hint), UNIT(error_prefix_of_a_full_message_stays_inside),
          UNIT(error_recode_leaves_an_interruption))
