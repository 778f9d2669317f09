#include "crypto/age_stream.h"

#include "base/error.h"
#include "base/mem.h"
#include "crypto/age.h"
#include "crypto/evp.h"

#include <string.h>

#define CHUNK_NONCE_SIZE 12

void age_stream_key(const unsigned char *file_key, const unsigned char *nonce,
                    unsigned char ret_key[static AGE_KEY_SIZE])
{
    age_hkdf(file_key, AGE_FILE_KEY_SIZE, nonce, AGE_NONCE_SIZE, "payload", ret_key);
}

static int failed(struct error *err)
{
    return error_set(err, ERROR_FAILED, "OpenSSL does not do ChaCha20-Poly1305 here");
}

int age_stream_init(struct age_stream *stream, const unsigned char key[static AGE_KEY_SIZE],
                    bool seal, struct error *err)
{
    age_stream_clear(stream);
    if (evp_load(err) < 0)
        return -1;
    stream->context = evp_library.EVP_CIPHER_CTX_new_();
    if (!stream->context ||
        !evp_library.EVP_CipherInit_ex_(stream->context, evp_library.EVP_chacha20_poly1305_(), NULL,
                                        key, NULL, seal)) {
        age_stream_clear(stream);
        return failed(err);
    }
    return 0;
}

void age_stream_clear(struct age_stream *stream)
{
    if (stream->context)
        evp_library.EVP_CIPHER_CTX_free_(stream->context); /* wipes the key */
    stream->context = NULL;
}

/* Eleven bytes of counter, big-endian, and one that is 1 for the last chunk. */
static int set_nonce(struct age_stream *stream, uint64_t number, bool last)
{
    unsigned char nonce[CHUNK_NONCE_SIZE] = {0};
    for (int i = 0; i < 8; i++)
        nonce[CHUNK_NONCE_SIZE - 2 - i] = (unsigned char)(number >> 8 * i);
    nonce[CHUNK_NONCE_SIZE - 1] = last;
    return evp_library.EVP_CipherInit_ex_(stream->context, NULL, NULL, NULL, nonce, -1);
}

int age_stream_seal(struct age_stream *stream, uint64_t number, bool last, const void *plain,
                    size_t size, void *ret_sealed, struct error *err)
{
    unsigned char *sealed = ret_sealed;
    int done = 0;
    int rest = 0;
    if (!set_nonce(stream, number, last) ||
        !evp_library.EVP_CipherUpdate_(stream->context, sealed, &done, plain, (int)size) ||
        !evp_library.EVP_CipherFinal_ex_(stream->context, sealed + done, &rest) ||
        !evp_library.EVP_CIPHER_CTX_ctrl_(stream->context, EVP_CTRL_AEAD_GET_TAG, AGE_TAG_SIZE,
                                          sealed + size))
        return failed(err);
    return 0;
}

int age_stream_open(struct age_stream *stream, uint64_t number, bool last, const void *sealed,
                    size_t size, void *ret_plain, struct error *err)
{
    const unsigned char *bytes = sealed;
    unsigned char *plain = ret_plain;
    unsigned char tag[AGE_TAG_SIZE];
    size -= AGE_TAG_SIZE;
    memcpy(tag, bytes + size, AGE_TAG_SIZE);
    int done = 0;
    int rest = 0;
    if (!set_nonce(stream, number, last) ||
        !evp_library.EVP_CIPHER_CTX_ctrl_(stream->context, EVP_CTRL_AEAD_SET_TAG, AGE_TAG_SIZE,
                                          tag) ||
        !evp_library.EVP_CipherUpdate_(stream->context, plain, &done, bytes, (int)size))
        return failed(err);
    if (evp_library.EVP_CipherFinal_ex_(stream->context, plain + done, &rest))
        return 1;
    mem_wipe(plain, size);
    return 0;
}
