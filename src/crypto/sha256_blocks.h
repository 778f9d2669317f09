/*
 * SHA-256's compression function (FIPS 180-4, 6.2.2) on processors with instructions for it.
 *
 * One stream is a chain in which every step waits for the one before, so the unit that does the
 * rounds is idle part of the time; a second, independent stream fills the gaps (1.3 times the bytes
 * on Intel's Golden Cove, up to twice on processors that begin a round every other cycle).
 */
#ifndef KEDGE_CRYPTO_SHA256_BLOCKS_H
#define KEDGE_CRYPTO_SHA256_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_BLOCK 64

/* A chaining value in the order of the instructions: a function of this file makes and reads it. */
struct sha256_chain {
    uint32_t words[8];
};

/* Whether the functions below may be called here. */
bool sha256_blocks_able(void);

void sha256_chain_start(struct sha256_chain *chain);
/* The eight words big-endian, as the digest has them. */
void sha256_chain_read(const struct sha256_chain *chain, uint8_t ret_digest[static 32]);

/* `count` whole blocks. */
void sha256_blocks(struct sha256_chain *chain, const uint8_t *data, size_t count);
/* `count` whole blocks of each of two streams. */
void sha256_blocks_two(struct sha256_chain *first, const uint8_t *first_data,
                       struct sha256_chain *second, const uint8_t *second_data, size_t count);

#endif
