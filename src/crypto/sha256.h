/*
 * SHA-256: of frames, of stored files, of whole images.
 *
 * The processor's instructions where it has them, else libcrypto. It cannot fail: when the library
 * has no SHA-256 the process ends, as it does without memory. A `struct sha256` belongs to one
 * thread at a time.
 */
#ifndef KEDGE_CRYPTO_SHA256_H
#define KEDGE_CRYPTO_SHA256_H

#include "base/mem.h"

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32
#define SHA256_TEXT 65 /* hex and the NUL */

struct sha256;

struct sha256 *sha256_new(void);
void sha256_update(struct sha256 *hash, const void *data, size_t size);
/* The same for two streams in less time than one after the other; the more alike the sizes, the
 * better. The two are different ones. */
void sha256_update_two(struct sha256 *first, const void *first_data, size_t first_size,
                       struct sha256 *second, const void *second_data, size_t second_size);
/* The digest of everything since new or the last finish; then it starts anew. */
void sha256_finish(struct sha256 *hash, uint8_t ret_digest[static SHA256_SIZE]);
void sha256_free(struct sha256 *hash);

/* In one go. */
void sha256_of(const void *data, size_t size, uint8_t ret_digest[static SHA256_SIZE]);

/* As sha256_finish, in lower-case hex. */
void sha256_finish_text(struct sha256 *hash, char ret_text[static SHA256_TEXT]);

DEFINE_SCOPED(sha256, struct sha256 *, sha256_free);

#endif
