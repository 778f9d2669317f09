#include "artifact/seal.h"

#include "base/text.h"
#include "crypto/sha256.h"

#include <stdio.h>
#include <string.h>

#define SEAL_START ",\n  \"seal\": \""
#define SEAL_END "\"\n}\n"
#define SEAL_LENGTH (sizeof SEAL_START - 1 + 64 + sizeof SEAL_END - 1)

static void make_seal(const char *text, size_t size, char ret_seal[static SEAL_LENGTH + 1])
{
    uint8_t digest[SHA256_SIZE];
    char hex[SHA256_TEXT];
    sha256_of(text, size, digest);
    text_hex(digest, sizeof digest, hex);
    snprintf(ret_seal, SEAL_LENGTH + 1, "%s%s%s", SEAL_START, hex, SEAL_END);
}

void seal_append(struct buf *json, size_t start)
{
    char seal[SEAL_LENGTH + 1];
    make_seal(json->data + start, json->length - start, seal);
    buf_append_text(json, seal);
}

bool seal_is_right(const char *text, size_t size)
{
    char seal[SEAL_LENGTH + 1];
    if (size < SEAL_LENGTH)
        return false;
    make_seal(text, size - SEAL_LENGTH, seal);
    return memcmp(text + size - SEAL_LENGTH, seal, SEAL_LENGTH) == 0;
}

void seal_read(const char *text, size_t size, char ret_seal[static 65])
{
    memcpy(ret_seal, text + size - SEAL_LENGTH + strlen(SEAL_START), SHA256_TEXT - 1);
    ret_seal[SHA256_TEXT - 1] = '\0';
}
