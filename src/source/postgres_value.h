/*
 * PostgreSQL's values in binary, as the server's own output functions write them under the settings
 * of our sessions (docs/postgres.md, "Digests"): pure functions from the bytes of one value.
 *
 * Each writes at most VALUE_TEXT bytes to `out` and returns their end, or NULL when the bytes are
 * not a value that the server could have written.
 */
#ifndef KEDGE_SOURCE_POSTGRES_VALUE_H
#define KEDGE_SOURCE_POSTGRES_VALUE_H

#include <stddef.h>

#define VALUE_TEXT 48

char *value_bool(char *out, const char *bytes, size_t size);
char *value_int2(char *out, const char *bytes, size_t size);
char *value_int4(char *out, const char *bytes, size_t size);
char *value_int8(char *out, const char *bytes, size_t size);
char *value_oid(char *out, const char *bytes, size_t size);
char *value_uuid(char *out, const char *bytes, size_t size);
char *value_date(char *out, const char *bytes, size_t size);
char *value_time(char *out, const char *bytes, size_t size);
char *value_timestamp(char *out, const char *bytes, size_t size);
char *value_timestamptz(char *out, const char *bytes, size_t size); /* in UTC */

/* A numeric may be long: at most what value_numeric_size says, which is 0 when its head is not
 * one. */
size_t value_numeric_size(const char *bytes, size_t size);
char *value_numeric(char *out, const char *bytes, size_t size);

#endif
