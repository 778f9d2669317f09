#include "harness/test.h"

#include "base/mem.h"
#include "base/moment.h"

#include <stdlib.h>
#include <time.h>

TEST(moments_are_read_as_iso_8601)
{
    static const struct {
        int line;
        const char *text;
        int64_t moment_ns;
    } cases[] = {
        {__LINE__, "1970-01-01T00:00:00Z", 0},
        {__LINE__, "1970-01-02", MOMENT_DAY},
        {__LINE__, "1970-01-01 00:00:01", MOMENT_SECOND},
        {__LINE__, "1970-01-01T00:00:01.5z", MOMENT_SECOND + MOMENT_SECOND / 2},
        {__LINE__, "1970-01-01T00:00:00.0000000019Z", 1},
        {__LINE__, "1970-01-01T02:00:00+02:00", 0},
        {__LINE__, "1969-12-31T22:30:00-0130", 0},
        {__LINE__, "2024-02-29T00:00:00Z", INT64_C(1709164800) * MOMENT_SECOND},
        {__LINE__, "2262-04-11T23:47:16Z", INT64_C(9223372036) * MOMENT_SECOND},
        {__LINE__, "1677-09-21T00:12:44Z", INT64_C(-9223372036) * MOMENT_SECOND},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t moment_ns = 1;
        assert_case(cases[i].line, moment_parse(cases[i].text, &moment_ns) == 0);
        assert_case(cases[i].line, moment_ns == cases[i].moment_ns);
    }
}

TEST(what_is_written_is_read_again)
{
    const int64_t step = 37 * MOMENT_DAY / 10;
    for (int64_t moment_ns = INT64_C(-9214560000) * MOMENT_SECOND;
         moment_ns < INT64_C(9214646400) * MOMENT_SECOND; moment_ns += step) {
        char text[32];
        char usual[32];
        int64_t again_ns = 0;
        time_t when = (time_t)(moment_ns / MOMENT_SECOND - (moment_ns % MOMENT_SECOND < 0));
        struct tm utc;
        gmtime_r(&when, &utc);
        strftime(usual, sizeof usual, "%Y-%m-%dT%H:%M:%SZ", &utc);
        moment_format_iso(moment_ns, text);
        assert_string_equal(text, usual);
        assert_int_equal(moment_parse(text, &again_ns), 0);
        assert_int_equal(again_ns, (int64_t)when * MOMENT_SECOND);
    }
}

TEST(what_is_no_moment_is_refused)
{
    static const struct {
        int line;
        const char *text;
    } cases[] = {
        {__LINE__, ""},
        {__LINE__, "soon"},
        {__LINE__, " 2026-01-01"},
        {__LINE__, "2026-02-30"},
        {__LINE__, "2025-02-29T00:00:00Z"},
        {__LINE__, "2026-13-01"},
        {__LINE__, "2026-01-01T25:00:00Z"},
        {__LINE__, "2026-01-01T 1:00:00Z"},
        {__LINE__, "2026-01-01T01:00Z"},
        {__LINE__, "2026-01-01T01:00:00X"},
        {__LINE__, "2026-01-01T01:00:00+2"},
        {__LINE__, "2026-01-01T01:00:00+-1:-1"},
        {__LINE__, "2026-01-01T01:00:00+24:00"},
        {__LINE__, "2026-01-01T01:00:00+01:00Z"},
        /* Beyond what is counted: never another time instead. */
        {__LINE__, "4052-01-31T02:00:00Z"},
        {__LINE__, "0001-01-01T00:00:00Z"},
        {__LINE__, "2262-04-11T23:47:17Z"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t moment_ns = 7;
        assert_case(cases[i].line, moment_parse(cases[i].text, &moment_ns) < 0);
        assert_case(cases[i].line, moment_ns == 7);
    }
}

TEST(every_moment_can_be_written)
{
    char text[32];
    moment_format_iso(INT64_C(1769824800000000000), text);
    assert_string_equal(text, "2026-01-31T02:00:00Z");
    moment_format_name(INT64_C(1769824800000000000), text);
    assert_string_equal(text, "2026-01-31_020000");
    moment_format_iso(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59Z");
    moment_format_iso(INT64_MIN, text);
    assert_string_equal(text, "1677-09-21T00:12:43Z");
    moment_format_iso(INT64_MAX, text);
    assert_string_equal(text, "2262-04-11T23:47:16Z");
    setenv("TZ", "XYZ-1", 1);
    tzset();
    moment_format_local(INT64_C(1769824800000000000), text);
    assert_string_equal(text, "2026-01-31 03:00:00");
    moment_format_local(-1, text);
    assert_string_equal(text, "1970-01-01 00:59:59");
}

TEST_MAIN(UNIT(moments_are_read_as_iso_8601), UNIT(what_is_written_is_read_again),
          UNIT(what_is_no_moment_is_refused), UNIT(every_moment_can_be_written))
