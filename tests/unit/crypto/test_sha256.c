#include "harness/test.h"

#include "base/text.h"
#include "crypto/sha256.h"

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

TEST_MAIN(UNIT(digests_are_the_published_ones),
          UNIT(pieces_give_the_same_digest_and_a_finished_hash_starts_anew))
