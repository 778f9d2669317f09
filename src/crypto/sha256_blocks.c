#include "crypto/sha256_blocks.h"

#include <string.h>

#ifdef __x86_64__

#include <cpuid.h>
#include <immintrin.h>

/* The instructions want the state as {a,b,e,f} and {c,d,g,h}, highest word first. */
static const uint8_t place_of[8] = {3, 2, 7, 6, 1, 0, 5, 4};

static const uint32_t initial[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

#define WITH_SHA __attribute__((target("sha,sse4.1,ssse3")))
#define INLINE __attribute__((always_inline)) static inline

/* What one stream holds while its blocks go through. */
struct lane {
    __m128i abef, cdgh;
    __m128i message[4]; /* the sixteen words of the schedule that are needed next */
};

WITH_SHA INLINE void lane_open(struct lane *lane, const struct sha256_chain *chain)
{
    lane->abef = _mm_loadu_si128((const __m128i *)(const void *)&chain->words[0]);
    lane->cdgh = _mm_loadu_si128((const __m128i *)(const void *)&chain->words[4]);
}

WITH_SHA INLINE void lane_close(const struct lane *lane, struct sha256_chain *chain)
{
    _mm_storeu_si128((__m128i *)(void *)&chain->words[0], lane->abef);
    _mm_storeu_si128((__m128i *)(void *)&chain->words[4], lane->cdgh);
}

WITH_SHA INLINE void lane_load(struct lane *lane, const uint8_t *block)
{
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    for (int i = 0; i < 4; i++)
        lane->message[i] = _mm_shuffle_epi8(
            _mm_loadu_si128((const __m128i *)(const void *)(block + 16 * i)), big_endian);
}

/* Four rounds, and the four words of the schedule that replace the ones just used. */
WITH_SHA INLINE void lane_rounds(struct lane *lane, int four)
{
    const __m128i *constant = (const __m128i *)(const void *)&constants[4 * four];
    __m128i *words = &lane->message[four & 3];
    __m128i sum = _mm_add_epi32(*words, _mm_load_si128(constant));
    lane->cdgh = _mm_sha256rnds2_epu32(lane->cdgh, lane->abef, sum);
    sum = _mm_shuffle_epi32(sum, 0x0e);
    lane->abef = _mm_sha256rnds2_epu32(lane->abef, lane->cdgh, sum);
    if (four >= 12)
        return;
    __m128i last = lane->message[(four + 3) & 3];
    __m128i next = _mm_sha256msg1_epu32(*words, lane->message[(four + 1) & 3]);
    next = _mm_add_epi32(next, _mm_alignr_epi8(last, lane->message[(four + 2) & 3], 4));
    *words = _mm_sha256msg2_epu32(next, last);
}

WITH_SHA INLINE void lane_add(struct lane *lane, const struct lane *before)
{
    lane->abef = _mm_add_epi32(lane->abef, before->abef);
    lane->cdgh = _mm_add_epi32(lane->cdgh, before->cdgh);
}

WITH_SHA void sha256_blocks(struct sha256_chain *chain, const uint8_t *data, size_t count)
{
    struct lane lane;
    lane_open(&lane, chain);
    for (; count; count--, data += SHA256_BLOCK) {
        struct lane before = lane;
        lane_load(&lane, data);
#pragma GCC unroll 16
        for (int four = 0; four < 16; four++)
            lane_rounds(&lane, four);
        lane_add(&lane, &before);
    }
    lane_close(&lane, chain);
}

WITH_SHA void sha256_blocks_two(struct sha256_chain *first, const uint8_t *first_data,
                                struct sha256_chain *second, const uint8_t *second_data,
                                size_t count)
{
    struct lane a;
    struct lane b;
    lane_open(&a, first);
    lane_open(&b, second);
    for (; count; count--, first_data += SHA256_BLOCK, second_data += SHA256_BLOCK) {
        struct lane a_before = a;
        struct lane b_before = b;
        lane_load(&a, first_data);
        lane_load(&b, second_data);
#pragma GCC unroll 16
        for (int four = 0; four < 16; four++) {
            lane_rounds(&a, four);
            lane_rounds(&b, four);
        }
        lane_add(&a, &a_before);
        lane_add(&b, &b_before);
    }
    lane_close(&a, first);
    lane_close(&b, second);
}

bool sha256_blocks_able(void)
{
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & bit_SHA))
        return false;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_1) && (c & bit_SSSE3);
}

void sha256_chain_start(struct sha256_chain *chain)
{
    for (size_t i = 0; i < 8; i++)
        chain->words[place_of[i]] = initial[i];
}

void sha256_chain_read(const struct sha256_chain *chain, uint8_t ret_digest[static 32])
{
    for (size_t i = 0; i < 8; i++) {
        uint32_t word = __builtin_bswap32(chain->words[place_of[i]]);
        memcpy(ret_digest + 4 * i, &word, sizeof word);
    }
}

#else

/* Elsewhere libcrypto does it: nothing below is ever called. */
bool sha256_blocks_able(void)
{
    return false;
}

void sha256_chain_start(struct sha256_chain *chain)
{
    (void)chain;
}

void sha256_chain_read(const struct sha256_chain *chain, uint8_t ret_digest[static 32])
{
    (void)chain;
    (void)ret_digest;
}

void sha256_blocks(struct sha256_chain *chain, const uint8_t *data, size_t count)
{
    (void)chain;
    (void)data;
    (void)count;
}

void sha256_blocks_two(struct sha256_chain *first, const uint8_t *first_data,
                       struct sha256_chain *second, const uint8_t *second_data, size_t count)
{
    (void)first;
    (void)first_data;
    (void)second;
    (void)second_data;
    (void)count;
}

#endif
