/*
 * SHA-384, by which sqlx knows the files that it has applied.
 */
#ifndef KEDGE_CRYPTO_SHA384_H
#define KEDGE_CRYPTO_SHA384_H

#include <stddef.h>

#define SHA384_SIZE 48
#define SHA384_TEXT 97 /* hex and the NUL */

struct error;

/* In lower-case hex. -1 when there is no libcrypto. */
int sha384_of(const void *data, size_t size, char ret_text[static SHA384_TEXT], struct error *err);

#endif
