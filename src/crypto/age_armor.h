/*
 * Armored age files: the binary file in base64, lines of 64, between two marker lines.
 *
 * All lines but the last are of one length, so any range of the binary file is found by arithmetic
 * and read from there; nothing is unpacked beforehand.
 */
#ifndef KEDGE_CRYPTO_AGE_ARMOR_H
#define KEDGE_CRYPTO_AGE_ARMOR_H

#include "crypto/age.h"

#define AGE_ARMOR_BEGIN "-----BEGIN AGE ENCRYPTED FILE-----"
#define AGE_ARMOR_END "-----END AGE ENCRYPTED FILE-----"

struct age_armor {
    age_read_fn *read;
    void *context;
    uint64_t start;     /* of the first line of base64 */
    uint64_t lines;     /* of base64 */
    size_t line_end;    /* 1 for LF, 2 for CR LF */
    size_t last_length; /* characters in the last line */
    uint64_t size;      /* of the binary file */
};

/* Find the lines of an armored file of `size` bytes. The result owns nothing. */
int age_armor_open(age_read_fn *read, void *context, uint64_t size, struct age_armor *ret_armor,
                   struct error *err);

/* An age_read_fn over the binary file; `context` is the struct age_armor. */
int age_armor_read(void *context, uint64_t offset, void *data, size_t size, size_t *ret_size,
                   struct error *err);

#endif
