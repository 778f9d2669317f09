/*
 * ULIDs: 26 characters that sort by the time they were made (github.com/ulid/spec): 48 bits of
 * milliseconds since 1970 and 80 random bits, in Crockford's base 32.
 */
#ifndef KEDGE_BASE_ULID_H
#define KEDGE_BASE_ULID_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct os;

struct ulid {
    char text[27];
};

int ulid_make(struct os *os, struct ulid *ret_id, struct error *err);

/* 26 characters of the alphabet, the first at most '7'; letters of either case. */
bool ulid_valid(const char *text);

#endif
