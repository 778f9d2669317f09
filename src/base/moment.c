#include "base/moment.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

/* Rounded down, before 1970 too. */
static time_t seconds_of(int64_t moment_ns)
{
    return (time_t)(moment_ns / MOMENT_SECOND - (moment_ns % MOMENT_SECOND < 0));
}

static struct tm utc_of(int64_t moment_ns)
{
    time_t when = seconds_of(moment_ns);
    struct tm utc = {0};
    gmtime_r(&when, &utc);
    return utc;
}

void moment_format_iso(int64_t moment_ns, char ret_text[static 32])
{
    struct tm utc = utc_of(moment_ns);
    strftime(ret_text, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

void moment_format_name(int64_t moment_ns, char ret_text[static 32])
{
    struct tm utc = utc_of(moment_ns);
    strftime(ret_text, 32, "%Y-%m-%d_%H%M%S", &utc);
}

void moment_format_local(int64_t moment_ns, char ret_text[static 32])
{
    time_t when = seconds_of(moment_ns);
    struct tm local = {0};
    localtime_r(&when, &local);
    strftime(ret_text, 32, "%Y-%m-%d %H:%M:%S", &local);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Two digits here as a number, or -1. */
static int two_digits(const char *text)
{
    return is_digit(text[0]) && is_digit(text[1]) ? (text[0] - '0') * 10 + text[1] - '0' : -1;
}

/* Seconds east of UTC that "Z", "+02:00", "+0200" or "" mean; -1 when it is none of them. */
static int parse_offset(const char *text, int64_t *ret_seconds)
{
    *ret_seconds = 0;
    if (!*text || strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
        return 0;
    if (*text != '+' && *text != '-')
        return -1;
    int hours = two_digits(text + 1);
    if (hours < 0 || hours > 23)
        return -1;
    const char *rest = text + (text[3] == ':' ? 4 : 3);
    int minutes = two_digits(rest);
    if (minutes < 0 || minutes > 59 || rest[2])
        return -1;
    *ret_seconds = (hours * 3600 + minutes * 60) * (*text == '-' ? -1 : 1);
    return 0;
}

/* The digits after a '.'; what is finer than a nanosecond is cut off. */
static const char *parse_fraction(const char *text, int64_t *ret_ns)
{
    int64_t scale = MOMENT_SECOND;
    for (; is_digit(*text); text++) {
        scale /= 10;
        *ret_ns += (*text - '0') * scale;
    }
    return text;
}

/* 0, or -1 when there is no such day, or none that 64 bits of nanoseconds reach. */
static int count_ns(const struct tm *parts, int64_t offset_seconds, int64_t fraction_ns,
                    int64_t *ret_moment_ns)
{
    struct tm day = {.tm_year = parts->tm_year, .tm_mon = parts->tm_mon, .tm_mday = parts->tm_mday};
    struct tm whole = *parts;
    int64_t moment_ns = 0;
    timegm(&day);
    if (day.tm_mday != parts->tm_mday ||
        __builtin_mul_overflow((int64_t)timegm(&whole) - offset_seconds, MOMENT_SECOND,
                               &moment_ns) ||
        __builtin_add_overflow(moment_ns, fraction_ns, &moment_ns))
        return -1;
    *ret_moment_ns = moment_ns;
    return 0;
}

int moment_parse(const char *text, int64_t *ret_moment_ns)
{
    struct tm parts = {0};
    int64_t fraction_ns = 0;
    int64_t offset_seconds = 0;
    /* strptime itself passes over blanks. */
    const char *rest = is_digit(text[0]) ? strptime(text, "%Y-%m-%d", &parts) : NULL;
    if (!rest)
        return -1;
    if (*rest == 'T' || *rest == ' ') {
        rest = is_digit(rest[1]) ? strptime(rest + 1, "%H:%M:%S", &parts) : NULL;
        if (!rest)
            return -1;
        if (*rest == '.')
            rest = parse_fraction(rest + 1, &fraction_ns);
    }
    if (parse_offset(rest, &offset_seconds) < 0)
        return -1;
    return count_ns(&parts, offset_seconds, fraction_ns, ret_moment_ns);
}
