/*
 * Bech32 (BIP 173), the text form of age's keys: a readable prefix, '1', the bytes in 5-bit
 * characters, and a checksum that finds typing mistakes.
 */
#ifndef KEDGE_CRYPTO_BECH32_H
#define KEDGE_CRYPTO_BECH32_H

#include <stddef.h>

/* Characters, with the NUL, that `size` bytes take under a prefix of `prefix_length`. */
#define BECH32_SIZE(prefix_length, size) ((prefix_length) + 1 + ((size)*8 + 4) / 5 + 6 + 1)

/* `prefix` is lower case; the text is too. `ret_text` has room for BECH32_SIZE. */
void bech32_encode(const char *prefix, const void *data, size_t size, char *ret_text);

/* Exactly `size` bytes under `prefix` (lower case). The text is all lower or all upper case. 0, or
 * -1 when it is not that; `ret_data` is then wiped. */
int bech32_decode(const char *text, const char *prefix, void *ret_data, size_t size);

#endif
