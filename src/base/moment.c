#include "base/moment.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static struct tm utc_of(int64_t moment_ns)
{
    int64_t seconds = moment_ns / MOMENT_SECOND;
    if (moment_ns % MOMENT_SECOND < 0)
        seconds--;
    time_t when = (time_t)seconds;
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
    time_t when = (time_t)(moment_ns / MOMENT_SECOND);
    struct tm local = {0};
    localtime_r(&when, &local);
    strftime(ret_text, 32, "%Y-%m-%d %H:%M:%S", &local);
}

/* Seconds east of UTC that "Z", "+02:00", "+0200" or "" mean; -1 when it is none of them. */
static int parse_offset(const char *text, int64_t *ret_seconds)
{
    int hours = 0;
    int minutes = 0;
    int used = 0;
    *ret_seconds = 0;
    if (!*text || strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
        return 0;
    if (*text != '+' && *text != '-')
        return -1;
    if ((sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &used) < 2 &&
         sscanf(text + 1, "%2d%2d%n", &hours, &minutes, &used) < 2) ||
        text[1 + used] || hours > 23 || minutes > 59)
        return -1;
    *ret_seconds = (hours * 3600 + minutes * 60) * (*text == '-' ? -1 : 1);
    return 0;
}

int moment_parse(const char *text, int64_t *ret_moment_ns)
{
    struct tm parts = {0};
    const char *rest = strptime(text, "%Y-%m-%d", &parts);
    if (!rest)
        return -1;
    int64_t fraction_ns = 0;
    int64_t offset_seconds = 0;
    if (*rest == 'T' || *rest == ' ') {
        rest = strptime(rest + 1, "%H:%M:%S", &parts);
        if (!rest)
            return -1;
        if (*rest == '.') {
            int64_t scale = MOMENT_SECOND;
            for (rest++; *rest >= '0' && *rest <= '9'; rest++) {
                scale /= 10;
                fraction_ns += (*rest - '0') * scale;
            }
        }
    }
    if (parse_offset(rest, &offset_seconds) < 0)
        return -1;
    *ret_moment_ns = ((int64_t)timegm(&parts) - offset_seconds) * MOMENT_SECOND + fraction_ns;
    return 0;
}
