#include "harness/test.h"

#include "base/mem.h"
#include "source/postgres_escape.h"

#include <stdio.h>
#include <string.h>

/* As the manual of COPY says it. */
static size_t plainly(char *out, const char *text, size_t size)
{
    static const char special[] = "\b\f\n\r\t\v\\";
    static const char letters[] = "bfnrtv\\";
    char *start = out;
    for (size_t i = 0; i < size; i++) {
        const char *found = text[i] ? strchr(special, text[i]) : NULL;
        if (found)
            *out++ = '\\';
        *out++ = found ? letters[found - special] : text[i];
    }
    return (size_t)(out - start);
}

/* In memory of its own size, so that a sanitizer sees what is outside. */
static void assert_escaped(const char *text, size_t size)
{
    char wanted[256];
    SCOPED(memory) void *copy = mem_alloc(size ? size : 1, 1);
    SCOPED(memory) void *out = mem_alloc(size ? 2 * size : 1, 1);
    memcpy(copy, text, size);
    size_t length = plainly(wanted, text, size);
    assert_ptr_equal(escape_text(out, copy, size), (char *)out + length);
    assert_memory_equal(out, wanted, length);
}

TEST(every_byte_is_escaped_at_every_place)
{
    char text[100];
    for (size_t size = 0; size < 70; size++)
        for (size_t at = 0; at < size; at++)
            for (int byte = 0; byte < 256; byte++) {
                memset(text, 'x', size);
                text[at] = (char)byte;
                assert_escaped(text, size);
            }
}

TEST(text_of_nothing_else_is_escaped_too)
{
    char text[100];
    uint32_t random = 1;
    for (int round = 0; round < 20000; round++) {
        size_t size = (size_t)round % sizeof text;
        for (size_t i = 0; i < size; i++) {
            random = random * 1664525 + 1013904223;
            text[i] = "\b\t\n\v\f\r\\\a\x0e\x7f\xff[]abcd"[(random >> 16) % 18];
        }
        assert_escaped(text, size);
    }
}

TEST(bytes_become_two_digits_each)
{
    char bytes[256], out[512], wanted[513];
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    for (size_t i = 0; i < 256; i++)
        snprintf(wanted + 2 * i, 3, "%02x", (unsigned)i);
    for (size_t from = 0; from < 256; from += 7)
        for (size_t size = 0; size <= 256 - from; size++) {
            assert_ptr_equal(escape_hex(out, bytes + from, size), out + 2 * size);
            assert_memory_equal(out, wanted + 2 * from, 2 * size);
        }
}

TEST_MAIN(UNIT(every_byte_is_escaped_at_every_place), UNIT(text_of_nothing_else_is_escaped_too),
          UNIT(bytes_become_two_digits_each))
