/*
 * Numbers as tar writes them: octal or base 256 in a header's fields, decimal in pax records.
 * Nothing is believed of them but that they fit.
 */
#ifndef KEDGE_IO_TAR_NUMBER_H
#define KEDGE_IO_TAR_NUMBER_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* A field of `width` bytes: octal, ended by a space or NUL or the field's end; or GNU's big-endian
 * base 256 for what octal cannot hold, negative times included. 0, or -1 when it is neither. */
int tar_number_get(const char *field, size_t width, int64_t *ret_value);

/* Decimal digits and nothing else, at most `maximum`. 0 or -1. */
int tar_number_parse(const char *text, uint64_t maximum, uint64_t *ret_value);

/* "-12.25": seconds since 1970; digits past the ninth are dropped. 0 or -1. */
int tar_number_parse_time(const char *text, struct timespec *ret_time);

#endif
