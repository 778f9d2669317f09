/*
 * HKDF-SHA-256 (RFC 5869), with which age derives every 32-byte key from another.
 */
#ifndef KEDGE_CRYPTO_AGE_KDF_H
#define KEDGE_CRYPTO_AGE_KDF_H

#include <stddef.h>

/* What a header hides for each recipient; all other keys of a file come from it. */
#define AGE_FILE_KEY_SIZE 16

#define AGE_KEY_SIZE 32

/* `salt` may be NULL with size 0. The caller wipes the result. */
void age_hkdf(const void *key, size_t key_size, const void *salt, size_t salt_size,
              const char *info, unsigned char ret_key[static AGE_KEY_SIZE]);

#endif
