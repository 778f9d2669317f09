#include "crypto/age_key.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/os.h"
#include "base/text.h"
#include "crypto/age.h"
#include "crypto/age_wrap.h"
#include "crypto/bech32.h"
#include "crypto/secret.h"

#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define RECIPIENT_PREFIX "age"
#define IDENTITY_PREFIX "age-secret-key-"
#define IDENTITY_START "AGE-SECRET-KEY-1"
#define IDENTITY_SIZE BECH32_SIZE(sizeof IDENTITY_PREFIX - 1, AGE_KEY_SIZE)

_Static_assert(BECH32_SIZE(sizeof RECIPIENT_PREFIX - 1, AGE_KEY_SIZE) == AGE_RECIPIENT_SIZE,
               "room for a recipient");

/* ---- recipients ---- */

static int explain_recipient(const char *text, struct error *err)
{
    if (strncasecmp(text, "age-secret-key-", 15) == 0 ||
        strncasecmp(text, "age-plugin-", 11) == 0) {
        error_set(err, ERROR_USAGE, "a secret key was given where a public key belongs");
        return error_hint(err, "recipients begin with age1; the key file names it in a comment");
    }
    if (text_starts(text, "ssh-") || text_starts(text, "-----BEGIN")) {
        error_set(err, ERROR_USAGE, "recipient is an SSH key, which is not supported");
        return error_hint(err, "kedge keygen makes a key pair");
    }
    SCOPED(string) char *shown = mem_string_n(text, strnlen(text, 200));
    error_set(err, ERROR_USAGE, "recipient \"%s\" is not an age public key (age1…)", shown);
    return text_starts(text, "age1") ? error_hint(err, "check it for typing mistakes") : -1;
}

int age_recipient_decode(const char *text, unsigned char ret_point[static AGE_KEY_SIZE],
                         struct error *err)
{
    unsigned char point[AGE_KEY_SIZE];
    if (sodium_init() < 0)
        return error_set(err, ERROR_FAILED, "libsodium did not start");
    if (!text_starts(text, RECIPIENT_PREFIX "1") ||
        bech32_decode(text, RECIPIENT_PREFIX, point, sizeof point) < 0)
        return explain_recipient(text, err);
    if (!age_point_usable(point))
        return error_set(err, ERROR_USAGE, "recipient \"%s\" is a key that hides nothing", text);
    memcpy(ret_point, point, sizeof point);
    return 0;
}

int age_recipient_check(const char *text, struct error *err)
{
    unsigned char point[AGE_KEY_SIZE];
    return age_recipient_decode(text, point, err);
}

bool age_recipient_valid(const char *text)
{
    return age_recipient_check(text, NULL) == 0;
}

/* ---- identities ---- */

int age_identity_decode(const char *text, unsigned char ret_scalar[static AGE_KEY_SIZE],
                        struct error *err)
{
    if (!text_starts(text, IDENTITY_START) ||
        bech32_decode(text, IDENTITY_PREFIX, ret_scalar, AGE_KEY_SIZE) < 0)
        return error_set(err, ERROR_USAGE, "not an age secret key (AGE-SECRET-KEY-1…)");
    return 0;
}

int age_identity_recipient(const char *identity, char ret_recipient[static AGE_RECIPIENT_SIZE],
                           struct error *err)
{
    unsigned char scalar[AGE_KEY_SIZE];
    unsigned char point[AGE_KEY_SIZE];
    if (age_identity_decode(identity, scalar, err) < 0)
        return -1;
    crypto_scalarmult_base(point, scalar);
    mem_wipe(scalar, sizeof scalar);
    bech32_encode(RECIPIENT_PREFIX, point, sizeof point, ret_recipient);
    return 0;
}

/* Why a line is not an identity, without showing it. */
static int explain_identity(const char *line, const char *name, int number, struct error *err)
{
    error_set(err, ERROR_USAGE, "%s: line %d is not an age secret key", name, number);
    if (age_is(line, strlen(line)))
        return error_hint(err, "the key file is itself encrypted: open it with age -d first");
    if (text_starts(line, "age1"))
        return error_hint(err, "that is a public key; the secret key opens the backup");
    if (text_starts(line, "-----BEGIN"))
        return error_hint(err, "SSH keys are not supported, only AGE-SECRET-KEY-1…");
    if (text_starts(line, "AGE-PLUGIN-"))
        return error_hint(err, "keys of plugins are not supported, only AGE-SECRET-KEY-1…");
    return error_hint(err, "a line is AGE-SECRET-KEY-1… as age-keygen and kedge keygen write it");
}

/* One line without its end and the blanks around it. */
static int parse_line(const char *line, size_t length, const char *name, int number,
                      struct text_list *identities, struct error *err)
{
    while (length && isspace((unsigned char)line[length - 1]))
        length--;
    while (length && isspace((unsigned char)line[0])) {
        line++;
        length--;
    }
    if (length == 0 || line[0] == '#')
        return 0;
    char *text = mem_string_n(line, length);
    unsigned char scalar[AGE_KEY_SIZE];
    int result = strlen(text) == length ? age_identity_decode(text, scalar, NULL) : -1;
    mem_wipe(scalar, sizeof scalar);
    if (result == 0) {
        text_list_give(identities, text);
        return 0;
    }
    explain_identity(text, name, number, err);
    mem_wipe(text, length);
    mem_free_string(text);
    return -1;
}

int age_identity_parse(const char *content, size_t size, const char *name,
                       struct text_list *identities, struct error *err)
{
    SCOPED(secret_list) struct text_list found = TEXT_LIST_INIT;
    int number = 0;
    for (size_t at = 0; at < size;) {
        const char *end = memchr(content + at, '\n', size - at);
        size_t length = end ? (size_t)(end - content) - at : size - at;
        if (parse_line(content + at, length, name, ++number, &found, err) < 0)
            return -1;
        at += length + 1;
    }
    if (found.count == 0) {
        error_set(err, ERROR_USAGE, "%s holds no secret key", name);
        return error_hint(err, "a key file has a line AGE-SECRET-KEY-1…");
    }
    for (size_t i = 0; i < found.count; i++)
        text_list_give(identities, STEAL(found.items[i]));
    found.count = 0;
    return 0;
}

/* ---- making them ---- */

int age_keygen(struct os *os, struct secret *ret_identity,
               char ret_recipient[static AGE_RECIPIENT_SIZE], struct error *err)
{
    unsigned char scalar[AGE_KEY_SIZE];
    if (sodium_init() < 0)
        return error_set(err, ERROR_FAILED, "libsodium did not start");
    if (os->random(os, scalar, sizeof scalar) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "random bytes for a key");
    struct secret identity = SECRET_INIT;
    secret_reserve(&identity, IDENTITY_SIZE - 1);
    bech32_encode(IDENTITY_PREFIX, scalar, sizeof scalar, identity.data);
    for (char *at = identity.data; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    mem_wipe(scalar, sizeof scalar);
    secret_clear(ret_identity);
    *ret_identity = identity;
    return age_identity_recipient(identity.data, ret_recipient, err);
}

void age_identity_write(struct os *os, const struct secret *identity, const char *recipient,
                        struct secret *ret_content)
{
    static const char format[] = "# created: %s\n# public key: %s\n%s\n";
    char created[32];
    moment_format_iso(os->clock_wall_ns(os), created);
    int length = snprintf(NULL, 0, format, created, recipient, secret_text(identity));
    secret_reserve(ret_content, (size_t)length);
    snprintf(ret_content->data, (size_t)length + 1, format, created, recipient,
             secret_text(identity));
}
