/*
 * age's X25519 keys as text and as bytes.
 *
 * What callers outside this folder need of them is declared in age.h and defined in age_key.c.
 */
#ifndef KEDGE_CRYPTO_AGE_KEY_H
#define KEDGE_CRYPTO_AGE_KEY_H

#include "crypto/age_kdf.h"

struct error;

/* ERROR_USAGE names the text, unless it looks like a secret. */
int age_recipient_decode(const char *text, unsigned char ret_point[static AGE_KEY_SIZE],
                         struct error *err);

/* ERROR_USAGE never shows the text. The caller wipes the result. */
int age_identity_decode(const char *text, unsigned char ret_scalar[static AGE_KEY_SIZE],
                        struct error *err);

#endif
