/*
 * What the fuzz targets have in common: what must hold, and taking an input apart.
 */
#ifndef KEDGE_TESTS_FUZZ_H
#define KEDGE_TESTS_FUZZ_H

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise that no input may break; breaking it ends the process as a crash does. */
#define MUST(holds)                                                                                \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #holds);                    \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Every failure says what is wrong. */
#define MUST_SAY(err) MUST((err)->code != ERROR_NONE && (err)->message[0])

struct input {
    const uint8_t *data;
    size_t size;
};

static inline uint8_t input_byte(struct input *input)
{
    if (!input->size)
        return 0;
    input->size--;
    return *input->data++;
}

/* The next `size` bytes (at most all) as text that ends where a NUL is, in memory of its own so
 * that a sanitizer sees each read past it. To be freed. */
static inline char *input_text_n(struct input *input, size_t size)
{
    if (size > input->size)
        size = input->size;
    if (!size)
        return mem_string("");
    const char *text = (const char *)input->data;
    input->data += size;
    input->size -= size;
    return mem_string_n(text, strnlen(text, size));
}

/* All that is left. */
static inline char *input_text(struct input *input)
{
    return input_text_n(input, input->size);
}

/* Up to the next line's end, which goes too. */
static inline char *input_line(struct input *input)
{
    const uint8_t *newline = input->size ? memchr(input->data, '\n', input->size) : NULL;
    char *line = input_text_n(input, newline ? (size_t)(newline - input->data) : input->size);
    if (newline)
        input_byte(input);
    return line;
}

#endif
