/*
 * Moments: nanoseconds since 1970 in UTC, and the texts they are written as.
 */
#ifndef KEDGE_BASE_MOMENT_H
#define KEDGE_BASE_MOMENT_H

#include <stdint.h>

#define MOMENT_SECOND INT64_C(1000000000)
#define MOMENT_DAY (86400 * MOMENT_SECOND)

/* "2026-01-31T02:00:00Z", for machines. */
void moment_format_iso(int64_t moment_ns, char ret_text[static 32]);
/* "2026-01-31_020000", for file names. */
void moment_format_name(int64_t moment_ns, char ret_text[static 32]);
/* "2026-01-31 02:00:00" in the local time zone, for people. */
void moment_format_local(int64_t moment_ns, char ret_text[static 32]);

/* ISO 8601 with Z, an offset, or neither (UTC); the time or its fraction may be missing. 0, or -1
 * when it is none, or none that an int64_t of nanoseconds holds (1677 to 2262). */
int moment_parse(const char *text, int64_t *ret_moment_ns);

#endif
