#include "crypto/age_kdf.h"

#include "base/mem.h"

#include <sodium.h>
#include <string.h>

_Static_assert(AGE_KEY_SIZE == crypto_auth_hmacsha256_BYTES, "one block of the expansion is a key");

static void hmac(const void *key, size_t key_size, const void *data, size_t size, unsigned char end,
                 size_t end_size, unsigned char ret_mac[static AGE_KEY_SIZE])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, key_size);
    crypto_auth_hmacsha256_update(&state, data, size);
    crypto_auth_hmacsha256_update(&state, &end, end_size);
    crypto_auth_hmacsha256_final(&state, ret_mac);
    mem_wipe(&state, sizeof state);
}

void age_hkdf(const void *key, size_t key_size, const void *salt, size_t salt_size,
              const char *info, unsigned char ret_key[static AGE_KEY_SIZE])
{
    unsigned char extracted[AGE_KEY_SIZE];
    hmac(salt ? salt : "", salt_size, key, key_size, 0, 0, extracted);
    hmac(extracted, sizeof extracted, info, strlen(info), 1, 1, ret_key);
    mem_wipe(extracted, sizeof extracted);
}
