#include "harness/test.h"

#include "base/mem.h"
#include "crypto/bech32.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

TEST(bytes_come_back_in_every_length)
{
    unsigned char data[64];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 37 + 11);
    for (size_t size = 0; size <= sizeof data; size++) {
        char text[128];
        unsigned char back[64] = {0};
        bech32_encode("age", data, size, text);
        assert_int_equal(strlen(text) + 1, BECH32_SIZE(3, size));
        assert_int_equal(bech32_decode(text, "age", back, size), 0);
        assert_memory_equal(back, data, size);
    }
}

/* The vectors of BIP 173 that carry whole bytes. */
TEST(known_texts_are_read)
{
    static const struct {
        int line;
        const char *text;
        const char *prefix;
        size_t size;
    } cases[] = {
        {__LINE__, "A12UEL5L", "a", 0},
        {__LINE__, "a12uel5l", "a", 0},
        {__LINE__, "?1ezyfcl", "?", 0},
        {__LINE__, "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "abcdef", 20},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        unsigned char data[64];
        assert_case(cases[i].line,
                    bech32_decode(cases[i].text, cases[i].prefix, data, cases[i].size) == 0);
    }
}

TEST(every_changed_character_is_found)
{
    static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7lbio1 \n-";
    unsigned char data[32] = {1, 2, 3};
    char text[BECH32_SIZE(3, 32)];
    bech32_encode("age", data, sizeof data, text);
    for (size_t at = 0; text[at]; at++) {
        for (const char *other = alphabet; *other; other++) {
            char changed[sizeof text];
            memcpy(changed, text, sizeof text);
            changed[at] = *other;
            unsigned char back[32];
            bool same = text[at] == *other;
            assert_int_equal(bech32_decode(changed, "age", back, sizeof back), same ? 0 : -1);
        }
    }
}

TEST(mixed_case_wrong_prefix_and_wrong_length_are_refused)
{
    unsigned char data[32] = {9};
    unsigned char back[40];
    char text[BECH32_SIZE(3, 32)];
    bech32_encode("age", data, sizeof data, text);
    assert_int_equal(bech32_decode(text, "agf", back, 32), -1);
    assert_int_equal(bech32_decode(text, "ag", back, 32), -1);
    assert_int_equal(bech32_decode(text, "age", back, 31), -1);
    assert_int_equal(bech32_decode(text, "age", back, 33), -1);
    assert_int_equal(bech32_decode("", "age", back, 32), -1);
    assert_int_equal(bech32_decode("", "age", back, 0), -1);
    for (char *at = text; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    assert_int_equal(bech32_decode(text, "age", back, 32), 0);
    text[10] = (char)tolower((unsigned char)text[10]);
    text[11] = (char)tolower((unsigned char)text[11]);
    assert_int_equal(bech32_decode(text, "age", back, 32), -1);
}

TEST_MAIN(UNIT(bytes_come_back_in_every_length), UNIT(known_texts_are_read),
          UNIT(every_changed_character_is_found),
          UNIT(mixed_case_wrong_prefix_and_wrong_length_are_refused))
