/*
 * The payload of an age file: chunks of 64 KiB, each sealed with ChaCha20-Poly1305 under a number
 * that counts them and says which one is the last.
 *
 * One object seals or opens for one thread at a time; making one is cheap.
 */
#ifndef KEDGE_CRYPTO_AGE_STREAM_H
#define KEDGE_CRYPTO_AGE_STREAM_H

#include "crypto/age_kdf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

#define AGE_NONCE_SIZE 16

struct age_stream {
    struct evp_cipher_ctx_st *context;
};

/* clang-format off */
#define AGE_STREAM_INIT {.context = NULL}
/* clang-format on */

/* The payload's key: from the file key and the bytes between header and first chunk. The caller
 * wipes it. */
void age_stream_key(const unsigned char *file_key, const unsigned char *nonce,
                    unsigned char ret_key[static AGE_KEY_SIZE]);

/* To seal, or to open. */
int age_stream_init(struct age_stream *stream, const unsigned char key[static AGE_KEY_SIZE],
                    bool seal, struct error *err);
void age_stream_clear(struct age_stream *stream);

/* `size` plain bytes become size + AGE_TAG_SIZE in `ret_sealed`; the two may not overlap. */
int age_stream_seal(struct age_stream *stream, uint64_t number, bool last, const void *plain,
                    size_t size, void *ret_sealed, struct error *err);

/* The way back: `size` sealed bytes (at least AGE_TAG_SIZE) become size - AGE_TAG_SIZE. 1, 0 when
 * the chunk is not what was sealed under that number (nothing of it is left in `ret_plain`), -1. */
int age_stream_open(struct age_stream *stream, uint64_t number, bool last, const void *sealed,
                    size_t size, void *ret_plain, struct error *err);

static inline void scoped_age_stream_cleanup(struct age_stream *stream)
{
    age_stream_clear(stream);
}

#endif
