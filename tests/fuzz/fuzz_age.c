/*
 * Hostile age files. Input that begins as an age file is opened as one; any other is told by its
 * first byte what it is: a payload under a good header, the text of keys, or content that is to
 * come back from encryption in any range.
 */
#include "harness/age_memory.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "crypto/age.h"
#include "crypto/bech32.h"
#include "crypto/secret.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The key of tests/golden/age/key1.txt, so that the golden files are seeds that open. */
#define KEY "AGE-SECRET-KEY-1ZVAX492J97TNMDF6ARXTSND35YJ7M4ME6U7295GYAUWNVJVU7QPQTEG6Z9"
#define PUBLIC "age1xdwthf3c6j8r420948q55mkyyvjsc7wekgzurxrduue67td35qnsnx7u39"

/* The same input always takes the same way. */
static int known_random(struct os *os, void *data, size_t size)
{
    (void)os;
    memset(data, 7, size);
    return 0;
}

static struct os known_os(void)
{
    struct os os = *os_real();
    os.random = known_random;
    return os;
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void open_and_read(const struct buf *file)
{
    struct error err = ERROR_INIT;
    struct buf view = *file;
    char key[] = KEY;
    char *items[] = {key, NULL};
    struct text_list identities = {.items = items, .count = 1};
    struct age_keys keys = {.identities = &identities};
    struct age_reader *reader = NULL;
    if (age_open(&keys, age_memory_read, &view, view.length, &reader, &err) < 0) {
        must(err.code != ERROR_NONE && err.message[0]);
        return;
    }
    uint64_t plain_size = age_plain_size(reader);
    must(plain_size < file->length);
    size_t got = 0;
    char piece[1000];
    for (uint64_t at = 0; at < plain_size; at += 60000)
        if (age_pread(reader, at, piece, sizeof piece, &got, &err) == 0)
            must(got == (plain_size - at < sizeof piece ? plain_size - at : sizeof piece));
    age_close(reader);
}

static void try_file(const uint8_t *data, size_t size)
{
    struct buf file = BUF_INIT;
    buf_append(&file, data, size);
    open_and_read(&file);
    buf_clear(&file);
}

static struct buf encrypted(const void *plain, size_t size, size_t piece)
{
    struct os os = known_os();
    struct error err = ERROR_INIT;
    char public[] = PUBLIC;
    char *items[] = {public, NULL};
    struct text_list recipients = {.items = items, .count = 1};
    struct buf file = BUF_INIT;
    must(age_memory_encrypt(&os, &recipients, NULL, plain, size, piece, &file, &err) == 0);
    return file;
}

static void try_payload(const uint8_t *data, size_t size)
{
    struct buf file = encrypted("", 0, 0);
    file.length -= AGE_TAG_SIZE;
    buf_append(&file, data, size);
    open_and_read(&file);
    buf_clear(&file);
}

static void try_keys(const uint8_t *data, size_t size)
{
    struct error err = ERROR_INIT;
    struct text_list identities = TEXT_LIST_INIT;
    SCOPED(string) char *text = mem_string_n((const char *)data, size);
    if (age_identity_parse((const char *)data, size, "input", &identities, &err) == 0)
        must(identities.count > 0);
    secret_list_clear(&identities);
    must(age_recipient_valid(text) == (age_recipient_check(text, &err) == 0));
    unsigned char bytes[32];
    char back[BECH32_SIZE(3, 32)];
    if (bech32_decode(text, "age", bytes, sizeof bytes) == 0) {
        bech32_encode("age", bytes, sizeof bytes, back);
        must(strcasecmp(text, back) == 0);
    }
}

/* Repeated so that it spans several chunks; read back from where its first bytes say. */
static void try_content(const uint8_t *data, size_t size)
{
    if (size < 8)
        return;
    size_t times = data[0];
    size_t plain_size = size * times;
    size_t from = ((size_t)data[1] << 16 | (size_t)data[2] << 8 | data[3]) % (plain_size + 1);
    size_t wanted = ((size_t)data[4] << 16 | (size_t)data[5] << 8 | data[6]) % (plain_size + 1);
    SCOPED(memory) void *plain = mem_alloc(plain_size + 1, 1);
    SCOPED(memory) void *back = mem_alloc(plain_size + 1, 1);
    for (size_t i = 0; i < times; i++)
        memcpy((char *)plain + i * size, data, size);
    struct buf file = encrypted(plain, plain_size, (size_t)data[7] * 300);

    struct error err = ERROR_INIT;
    char key[] = KEY;
    char *items[] = {key, NULL};
    struct text_list identities = {.items = items, .count = 1};
    struct age_keys keys = {.identities = &identities};
    struct age_reader *reader = NULL;
    size_t got = 0;
    must(age_open(&keys, age_memory_read, &file, file.length, &reader, &err) == 0);
    must(age_plain_size(reader) == plain_size);
    must(age_pread(reader, from, back, wanted, &got, &err) == 0);
    must(got == (wanted < plain_size - from ? wanted : plain_size - from));
    must(memcmp(back, (char *)plain + from, got) == 0);
    age_close(reader);
    buf_clear(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const ways[])(const uint8_t *, size_t) = {try_payload, try_keys, try_content,
                                                            try_file};
    if (age_is(data, size))
        try_file(data, size);
    else if (size)
        ways[data[0] % ARRAY_SIZE(ways)](data + 1, size - 1);
    return 0;
}
