/*
 * Base64 in its canonical form only: each run of bytes has one text and no text but that is read.
 */
#ifndef KEDGE_CRYPTO_BASE64_H
#define KEDGE_CRYPTO_BASE64_H

#include <stddef.h>

struct buf;

enum base64_padding {
    BASE64_BARE,   /* no '=' */
    BASE64_PADDED, /* '=' up to a multiple of four */
};

/* Appends the text of `data`, without padding. */
void base64_append(struct buf *text, const void *data, size_t size);

/* 0 and at most `maximum` bytes in `ret_data`, or -1. */
int base64_decode(const char *text, size_t length, enum base64_padding padding, void *ret_data,
                  size_t maximum, size_t *ret_size);

#endif
