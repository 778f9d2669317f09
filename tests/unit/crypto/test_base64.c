#include "harness/test.h"

#include "base/buf.h"
#include "crypto/base64.h"

#include <string.h>

TEST(bytes_come_back)
{
    unsigned char data[100];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 91 + 7);
    for (size_t size = 0; size <= sizeof data; size++) {
        struct buf text = BUF_INIT;
        unsigned char back[100];
        size_t got = 999;
        base64_append(&text, data, size);
        assert_int_equal(
            base64_decode(text.data, text.length, BASE64_BARE, back, sizeof back, &got), 0);
        assert_int_equal(got, size);
        assert_memory_equal(back, data, size);
        buf_clear(&text);
    }
}

TEST(only_the_canonical_text_is_read)
{
    static const struct {
        int line;
        const char *text;
        enum base64_padding padding;
        int size; /* -1: refused */
    } cases[] = {
        {__LINE__, "", BASE64_BARE, 0},          {__LINE__, "", BASE64_PADDED, 0},
        {__LINE__, "TQ", BASE64_BARE, 1},        {__LINE__, "TQ==", BASE64_BARE, -1},
        {__LINE__, "TQ==", BASE64_PADDED, 1},    {__LINE__, "TQ", BASE64_PADDED, -1},
        {__LINE__, "TQ=", BASE64_PADDED, -1},    {__LINE__, "TQ===", BASE64_PADDED, -1},
        {__LINE__, "TR", BASE64_BARE, -1},       {__LINE__, "TWE", BASE64_BARE, 2},
        {__LINE__, "TWF", BASE64_BARE, -1},      {__LINE__, "TWFu", BASE64_BARE, 3},
        {__LINE__, "TWFuT", BASE64_BARE, -1},    {__LINE__, "TW-u", BASE64_BARE, -1},
        {__LINE__, "TW u", BASE64_BARE, -1},     {__LINE__, "TWFu\n", BASE64_BARE, -1},
        {__LINE__, "TWFuTWFu", BASE64_BARE, -1}, /* longer than the room */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned char back[5];
        size_t got = 0;
        int result = base64_decode(cases[i].text, strlen(cases[i].text), cases[i].padding, back,
                                   sizeof back, &got);
        assert_case(cases[i].line, (result == 0) == (cases[i].size >= 0));
        if (result == 0)
            assert_case(cases[i].line, got == (size_t)cases[i].size);
    }
}

TEST(no_byte_outside_the_alphabet_is_taken_for_a_letter)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int c = 0; c < 256; c++) {
        char text[] = {'A', (char)c, 'A', 'A'};
        unsigned char back[3];
        size_t got = 0;
        int expected = c && strchr(alphabet, c) ? 0 : -1;
        assert_int_equal(base64_decode(text, 4, BASE64_BARE, back, sizeof back, &got), expected);
    }
}

TEST_MAIN(UNIT(bytes_come_back), UNIT(only_the_canonical_text_is_read),
          UNIT(no_byte_outside_the_alphabet_is_taken_for_a_letter))
