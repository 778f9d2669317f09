#include "harness/test.h"

#include "base/moment.h"
#include "base/os.h"
#include "base/ulid.h"

#include <string.h>

static int64_t fixed_time(struct os *os)
{
    (void)os;
    return INT64_C(1469922850259) * 1000000;
}

TEST(ulid_begins_with_its_time)
{
    struct os os = *os_real();
    os.clock_wall_ns = fixed_time;
    struct ulid id;
    struct error err = ERROR_INIT;
    assert_ok(ulid_make(&os, &id, &err), err);
    assert_true(ulid_valid(id.text));
    assert_memory_equal(id.text, "01ARZ3NDEK", 10);
}

TEST(ulid_valid_refuses_others)
{
    assert_true(ulid_valid("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
    assert_false(ulid_valid("81ARZ3NDEKTSV4RRFFQ69G5FAV"));
    assert_false(ulid_valid("01ARZ3NDEKTSV4RRFFQ69G5FA"));
    assert_false(ulid_valid("01ARZ3NDEKTSV4RRFFQ69G5FAU"));
}

TEST(moments_are_read_and_written_in_utc)
{
    int64_t moment = 0;
    char text[32];
    assert_int_equal(moment_parse("2026-01-31T02:00:00Z", &moment), 0);
    moment_format_iso(moment, text);
    assert_string_equal(text, "2026-01-31T02:00:00Z");
    moment_format_name(moment, text);
    assert_string_equal(text, "2026-01-31_020000");
    int64_t same = 0;
    assert_int_equal(moment_parse("2026-01-31 04:00:00.000+02:00", &same), 0);
    assert_true(same == moment);
    assert_int_equal(moment_parse("yesterday", &same), -1);
    assert_int_equal(moment_parse("2026-01-31T02:00:00Q", &same), -1);
}

TEST_MAIN(UNIT(ulid_begins_with_its_time), UNIT(ulid_valid_refuses_others),
          UNIT(moments_are_read_and_written_in_utc))
