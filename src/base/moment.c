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

/* The number's last `count` digits; returns what comes after them. */
static char *put_digits(char *to, int number, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        to[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return to + count;
}

/* "2026-01-31", `between`, then the time with `colon` in it or, when that is NUL, without. Years
 * have four digits as long as 64 bits count nanoseconds. strftime takes ten times as long. */
static char *put_moment(char *to, const struct tm *parts, char between, char colon)
{
    to = put_digits(to, parts->tm_year + 1900, 4);
    *to++ = '-';
    to = put_digits(to, parts->tm_mon + 1, 2);
    *to++ = '-';
    to = put_digits(to, parts->tm_mday, 2);
    *to++ = between;
    to = put_digits(to, parts->tm_hour, 2);
    if (colon)
        *to++ = colon;
    to = put_digits(to, parts->tm_min, 2);
    if (colon)
        *to++ = colon;
    to = put_digits(to, parts->tm_sec, 2);
    *to = '\0';
    return to;
}

void moment_format_iso(int64_t moment_ns, char ret_text[static 32])
{
    struct tm utc = utc_of(moment_ns);
    strcpy(put_moment(ret_text, &utc, 'T', ':'), "Z");
}

void moment_format_name(int64_t moment_ns, char ret_text[static 32])
{
    struct tm utc = utc_of(moment_ns);
    put_moment(ret_text, &utc, '_', '\0');
}

void moment_format_local(int64_t moment_ns, char ret_text[static 32])
{
    time_t when = seconds_of(moment_ns);
    struct tm local = {0};
    localtime_r(&when, &local);
    put_moment(ret_text, &local, ' ', ':');
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

/* Days from 1970-01-01; `month` counts from 0. */
static int64_t days_to(int year, int month, int day)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t last = year - 1;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    int64_t days = 365 * last + last / 4 - last / 100 + last / 400;
    return days + before[month] + (leap && month > 1) + day - 1 - 719162;
}

/* "2026-01-31T02:00:00Z" in digits that any month has; how we write moments ourselves. */
static bool parse_usual(const char *text, int64_t *ret_moment_ns)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
    for (size_t i = 0; i < strlen(shape); i++)
        if (shape[i] == 'd' ? !is_digit(text[i]) : text[i] != shape[i])
            return false;
    int year = two_digits(text) * 100 + two_digits(text + 2);
    int month = two_digits(text + 5);
    int day = two_digits(text + 8);
    int hour = two_digits(text + 11);
    int minute = two_digits(text + 14);
    int second = two_digits(text + 17);
    if (text[strlen(shape)] || year < 1678 || year > 2261 || month < 1 || month > 12 || day < 1 ||
        day > 28 || hour > 23 || minute > 59 || second > 59)
        return false;
    int64_t seconds = ((days_to(year, month - 1, day) * 24 + hour) * 60 + minute) * 60 + second;
    *ret_moment_ns = seconds * MOMENT_SECOND;
    return true;
}

int moment_parse(const char *text, int64_t *ret_moment_ns)
{
    struct tm parts = {0};
    int64_t fraction_ns = 0;
    int64_t offset_seconds = 0;
    if (parse_usual(text, ret_moment_ns))
        return 0;
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
