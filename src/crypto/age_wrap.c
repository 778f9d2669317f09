#include "crypto/age_wrap.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/os.h"
#include "crypto/age_header.h"
#include "crypto/base64.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define X25519 "X25519"
#define X25519_INFO "age-encryption.org/v1/X25519"
#define SCRYPT "scrypt"
#define SCRYPT_INFO "age-encryption.org/v1/scrypt"
#define SALT_SIZE 16
#define WRAPPED_SIZE (AGE_FILE_KEY_SIZE + crypto_aead_chacha20poly1305_ietf_ABYTES)

/* Each wrapping key is used once, so the nonce can stay zero. */
static const unsigned char zero_nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

static void seal_file_key(const unsigned char *wrapping_key, const unsigned char *file_key,
                          unsigned char ret_wrapped[static WRAPPED_SIZE])
{
    crypto_aead_chacha20poly1305_ietf_encrypt(ret_wrapped, NULL, file_key, AGE_FILE_KEY_SIZE, NULL,
                                              0, NULL, zero_nonce, wrapping_key);
}

static int open_file_key(const unsigned char *wrapping_key, const struct age_stanza *stanza,
                         unsigned char ret_file_key[static AGE_FILE_KEY_SIZE])
{
    int result = crypto_aead_chacha20poly1305_ietf_decrypt(
        ret_file_key, NULL, NULL, (const unsigned char *)stanza->body.data, stanza->body.length,
        NULL, 0, zero_nonce, wrapping_key);
    return result == 0;
}

/* ---- X25519 ---- */

static void x25519_wrapping_key(const unsigned char *shared, const unsigned char *share,
                                const unsigned char *recipient,
                                unsigned char ret_key[static AGE_KEY_SIZE])
{
    unsigned char salt[2 * AGE_KEY_SIZE];
    memcpy(salt, share, AGE_KEY_SIZE);
    memcpy(salt + AGE_KEY_SIZE, recipient, AGE_KEY_SIZE);
    age_hkdf(shared, AGE_KEY_SIZE, salt, sizeof salt, X25519_INFO, ret_key);
}

bool age_point_usable(const unsigned char point[static AGE_KEY_SIZE])
{
    static const unsigned char any_scalar[AGE_KEY_SIZE] = {8};
    unsigned char shared[AGE_KEY_SIZE];
    return crypto_scalarmult(shared, any_scalar, point) == 0;
}

int age_wrap_x25519(struct os *os, const unsigned char recipient[static AGE_KEY_SIZE],
                    const unsigned char *file_key, struct buf *header, struct error *err)
{
    unsigned char ephemeral[AGE_KEY_SIZE];
    unsigned char share[AGE_KEY_SIZE];
    unsigned char shared[AGE_KEY_SIZE];
    unsigned char key[AGE_KEY_SIZE];
    unsigned char wrapped[WRAPPED_SIZE];
    if (os->random(os, ephemeral, sizeof ephemeral) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "random bytes for encryption");
    crypto_scalarmult_base(share, ephemeral);
    int result = crypto_scalarmult(shared, ephemeral, recipient);
    if (result == 0) {
        x25519_wrapping_key(shared, share, recipient, key);
        seal_file_key(key, file_key, wrapped);
        struct buf line = BUF_INIT;
        buf_append_text(&line, X25519 " ");
        base64_append(&line, share, sizeof share);
        age_header_add(header, line.data, wrapped, sizeof wrapped);
        buf_clear(&line);
        mem_wipe(key, sizeof key);
    }
    mem_wipe(ephemeral, sizeof ephemeral);
    mem_wipe(shared, sizeof shared);
    return result == 0 ? 0 : error_set(err, ERROR_USAGE, "recipient is not a usable public key");
}

static int decode_exactly(const char *text, unsigned char *data, size_t size)
{
    size_t got = 0;
    return base64_decode(text, strlen(text), BASE64_BARE, data, size, &got) == 0 && got == size
               ? 0
               : -1;
}

int age_unwrap_x25519(const struct age_stanza *stanza,
                      const unsigned char identity[static AGE_KEY_SIZE],
                      unsigned char ret_file_key[static AGE_FILE_KEY_SIZE], struct error *err)
{
    unsigned char share[AGE_KEY_SIZE];
    unsigned char recipient[AGE_KEY_SIZE];
    unsigned char shared[AGE_KEY_SIZE];
    unsigned char key[AGE_KEY_SIZE];
    if (decode_exactly(stanza->words.items[1], share, sizeof share) < 0 ||
        crypto_scalarmult_base(recipient, identity) != 0 ||
        crypto_scalarmult(shared, identity, share) != 0)
        return error_set(err, ERROR_CORRUPT, "age header: a recipient's share is not usable");
    x25519_wrapping_key(shared, share, recipient, key);
    int opened = open_file_key(key, stanza, ret_file_key);
    mem_wipe(shared, sizeof shared);
    mem_wipe(key, sizeof key);
    return opened;
}

/* ---- scrypt ---- */

static int scrypt_wrapping_key(const char *passphrase, const unsigned char *salt, unsigned log_n,
                               unsigned char ret_key[static AGE_KEY_SIZE], struct error *err)
{
    unsigned char salted[sizeof SCRYPT_INFO - 1 + SALT_SIZE];
    memcpy(salted, SCRYPT_INFO, sizeof SCRYPT_INFO - 1);
    memcpy(salted + sizeof SCRYPT_INFO - 1, salt, SALT_SIZE);
    if (crypto_pwhash_scryptsalsa208sha256_ll((const unsigned char *)passphrase, strlen(passphrase),
                                              salted, sizeof salted, UINT64_C(1) << log_n, 8, 1,
                                              ret_key, AGE_KEY_SIZE) != 0)
        return error_set(err, ERROR_FAILED,
                         "no memory for the key of a passphrase (%llu MiB with work factor %u)",
                         (1ULL << log_n) / 1024, log_n);
    return 0;
}

int age_wrap_scrypt(struct os *os, const char *passphrase, const unsigned char *file_key,
                    struct buf *header, struct error *err)
{
    unsigned char salt[SALT_SIZE];
    unsigned char key[AGE_KEY_SIZE];
    unsigned char wrapped[WRAPPED_SIZE];
    if (os->random(os, salt, sizeof salt) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "random bytes for encryption");
    if (scrypt_wrapping_key(passphrase, salt, AGE_SCRYPT_WRITE, key, err) < 0)
        return -1;
    seal_file_key(key, file_key, wrapped);
    mem_wipe(key, sizeof key);
    struct buf line = BUF_INIT;
    buf_append_text(&line, SCRYPT " ");
    base64_append(&line, salt, sizeof salt);
    buf_append_format(&line, " %d", AGE_SCRYPT_WRITE);
    age_header_add(header, line.data, wrapped, sizeof wrapped);
    buf_clear(&line);
    return 0;
}

/* One or two digits that do not begin with 0; larger numbers mean nothing. */
static int parse_log_n(const char *text, unsigned *ret_log_n)
{
    size_t length = strspn(text, "0123456789");
    if (length == 0 || length > 2 || text[length] || text[0] == '0')
        return -1;
    *ret_log_n = (unsigned)strtoul(text, NULL, 10);
    return *ret_log_n < 64 ? 0 : -1;
}

int age_unwrap_scrypt(const struct age_stanza *stanza, const char *passphrase, bool allow_any_work,
                      unsigned char ret_file_key[static AGE_FILE_KEY_SIZE], struct error *err)
{
    unsigned char salt[SALT_SIZE];
    unsigned char key[AGE_KEY_SIZE];
    unsigned log_n = 0;
    if (decode_exactly(stanza->words.items[1], salt, sizeof salt) < 0 ||
        parse_log_n(stanza->words.items[2], &log_n) < 0)
        return error_set(err, ERROR_CORRUPT, "age header: the passphrase stanza is malformed");
    unsigned limit = allow_any_work ? AGE_SCRYPT_ALLOWED : AGE_SCRYPT_READ;
    if (log_n > limit) {
        error_set(err, ERROR_FAILED, "the file asks for a scrypt work factor of 2^%u (%llu MiB)",
                  log_n, log_n > 50 ? 1ULL << 40 : (1ULL << log_n) / 1024);
        return log_n > AGE_SCRYPT_ALLOWED
                   ? -1
                   : error_hint(err, "if you trust the file, give --allow-scrypt");
    }
    if (scrypt_wrapping_key(passphrase, salt, log_n, key, err) < 0)
        return -1;
    int opened = open_file_key(key, stanza, ret_file_key);
    mem_wipe(key, sizeof key);
    return opened;
}

/* ---- all stanzas ---- */

bool age_stanza_is_x25519(const struct age_stanza *stanza)
{
    return strcmp(stanza->words.items[0], X25519) == 0;
}

static bool is_scrypt(const struct age_stanza *stanza)
{
    return strcmp(stanza->words.items[0], SCRYPT) == 0;
}

static bool is_well_formed(const struct age_stanza *stanza)
{
    unsigned char data[AGE_KEY_SIZE];
    unsigned log_n = 0;
    bool body_fits = stanza->body.length == WRAPPED_SIZE;
    if (age_stanza_is_x25519(stanza))
        return body_fits && stanza->words.count == 2 &&
               decode_exactly(stanza->words.items[1], data, AGE_KEY_SIZE) == 0;
    if (is_scrypt(stanza))
        return body_fits && stanza->words.count == 3 &&
               decode_exactly(stanza->words.items[1], data, SALT_SIZE) == 0 &&
               parse_log_n(stanza->words.items[2], &log_n) == 0;
    return true;
}

int age_wrap_survey(const struct age_header *header, struct age_stanzas *ret_stanzas,
                    struct error *err)
{
    struct age_stanzas found = {0};
    for (size_t i = 0; i < header->count; i++) {
        const struct age_stanza *stanza = &header->stanzas[i];
        if (!is_well_formed(stanza))
            return error_set(err, ERROR_CORRUPT, "age header: recipient %zu (%s) is malformed",
                             i + 1, stanza->words.items[0]);
        found.x25519 += age_stanza_is_x25519(stanza);
        found.scrypt += is_scrypt(stanza);
    }
    if (found.scrypt && header->count > 1)
        return error_set(err, ERROR_CORRUPT, "age header: a passphrase must be the only recipient");
    *ret_stanzas = found;
    return 0;
}
