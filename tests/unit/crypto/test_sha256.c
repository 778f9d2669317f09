#include "harness/test.h"

#include "base/text.h"
#include "crypto/sha256.h"

#include <openssl/evp.h>
#include <string.h>

/* FIPS 180-4's own examples, and the empty text. */
static const struct {
    int line;
    const char *text;
    const char *hex;
} vectors[] = {
    {__LINE__, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {__LINE__, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {__LINE__, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

TEST(digests_are_the_published_ones)
{
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        uint8_t digest[SHA256_SIZE];
        char hex[SHA256_TEXT];
        sha256_of(vectors[i].text, strlen(vectors[i].text), digest);
        text_hex(digest, sizeof digest, hex);
        assert_case(vectors[i].line, strcmp(hex, vectors[i].hex) == 0);
    }
}

TEST(pieces_give_the_same_digest_and_a_finished_hash_starts_anew)
{
    SCOPED(sha256) struct sha256 *hash = sha256_new();
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        for (const char *at = vectors[i].text; *at; at++)
            sha256_update(hash, at, 1);
        char hex[SHA256_TEXT];
        sha256_finish_text(hash, hex);
        assert_case(vectors[i].line, strcmp(hex, vectors[i].hex) == 0);
    }
}

/* Bytes and numbers that are the same in every run. */
static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static void assert_libcrypto_agrees(const uint8_t *data, size_t size, struct sha256 *hash)
{
    uint8_t wanted[SHA256_SIZE];
    uint8_t digest[SHA256_SIZE];
    assert_int_equal(EVP_Digest(data, size, wanted, NULL, EVP_sha256(), NULL), 1);
    sha256_finish(hash, digest);
    assert_memory_equal(digest, wanted, sizeof wanted);
}

TEST(every_length_up_to_some_blocks_agrees_with_libcrypto)
{
    uint8_t data[300];
    uint32_t random = 1;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)next_random(&random);
    SCOPED(sha256) struct sha256 *hash = sha256_new();
    for (size_t size = 0; size <= sizeof data; size++) {
        sha256_update(hash, data, size);
        assert_libcrypto_agrees(data, size, hash);
    }
}

TEST(two_streams_side_by_side_are_each_as_alone_in_whatever_pieces)
{
    enum { SIZE = 4000 };
    uint8_t data[2][SIZE];
    uint32_t random = 2;
    for (size_t i = 0; i < SIZE; i++) {
        data[0][i] = (uint8_t)next_random(&random);
        data[1][i] = (uint8_t)next_random(&random);
    }
    SCOPED(sha256) struct sha256 *first = sha256_new();
    SCOPED(sha256) struct sha256 *second = sha256_new();
    for (int round = 0; round < 300; round++) {
        size_t at[2] = {0, 0};
        while (at[0] < SIZE || at[1] < SIZE) {
            size_t part[2];
            for (int i = 0; i < 2; i++) {
                part[i] = next_random(&random) % (round % 2 ? 90 : 1000);
                if (part[i] > SIZE - at[i])
                    part[i] = SIZE - at[i];
            }
            sha256_update_two(first, data[0] + at[0], part[0], second, data[1] + at[1], part[1]);
            at[0] += part[0];
            at[1] += part[1];
        }
        assert_libcrypto_agrees(data[0], SIZE, first);
        assert_libcrypto_agrees(data[1], SIZE, second);
    }
}

TEST_MAIN(UNIT(digests_are_the_published_ones),
          UNIT(pieces_give_the_same_digest_and_a_finished_hash_starts_anew),
          UNIT(every_length_up_to_some_blocks_agrees_with_libcrypto),
          UNIT(two_streams_side_by_side_are_each_as_alone_in_whatever_pieces))
