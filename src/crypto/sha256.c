#include "crypto/sha256.h"

#include "base/error.h"
#include "base/text.h"
#include "crypto/evp.h"
#include "crypto/sha256_blocks.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Either the blocks are ours, and what does not fill one waits in `rest`, or all is libcrypto's. */
struct sha256 {
    EVP_MD_CTX *context; /* NULL: the blocks are ours */
    struct sha256_chain chain;
    uint64_t length;
    uint8_t rest[SHA256_BLOCK];
};

/* Looking the algorithm up takes locks and walks tables: once per process is enough. */
static EVP_MD *algorithm;
static bool own;
static pthread_once_t found = PTHREAD_ONCE_INIT;

static void find(void)
{
    struct error err = ERROR_INIT;
    own = sha256_blocks_able();
    if (own)
        return;
    if (evp_load(&err) == 0)
        algorithm = evp_library.EVP_MD_fetch_(NULL, "SHA256", NULL);
    else
        fprintf(stderr, "kedge: error: %s\n", err.message);
}

static void must(int done)
{
    if (done == 1)
        return;
    fputs("kedge: error: libcrypto has no SHA-256\n", stderr);
    abort();
}

static void start(struct sha256 *hash)
{
    sha256_chain_start(&hash->chain);
    hash->length = 0;
}

struct sha256 *sha256_new(void)
{
    pthread_once(&found, find);
    struct sha256 *hash = MEM_NEW(struct sha256);
    if (own) {
        start(hash);
        return hash;
    }
    must(algorithm != NULL);
    hash->context = evp_library.EVP_MD_CTX_new_();
    must(hash->context != NULL);
    must(evp_library.EVP_DigestInit_ex2_(hash->context, algorithm, NULL));
    return hash;
}

/* What waits in `rest`. */
static size_t waiting(const struct sha256 *hash)
{
    return hash->length % SHA256_BLOCK;
}

/* Take bytes until a block is whole and done: how many were taken. */
static size_t fill(struct sha256 *hash, const uint8_t *data, size_t size)
{
    size_t at = waiting(hash);
    if (!at)
        return 0;
    size_t part = SHA256_BLOCK - at < size ? SHA256_BLOCK - at : size;
    memcpy(hash->rest + at, data, part);
    hash->length += part;
    if (at + part == SHA256_BLOCK)
        sha256_blocks(&hash->chain, hash->rest, 1);
    return part;
}

static void update(struct sha256 *hash, const uint8_t *data, size_t size)
{
    size_t taken = fill(hash, data, size);
    data += taken;
    size -= taken;
    if (!size)
        return;
    sha256_blocks(&hash->chain, data, size / SHA256_BLOCK);
    memcpy(hash->rest, data + size / SHA256_BLOCK * SHA256_BLOCK, size % SHA256_BLOCK);
    hash->length += size;
}

void sha256_update(struct sha256 *hash, const void *data, size_t size)
{
    if (!size)
        return;
    if (hash->context)
        must(evp_library.EVP_DigestUpdate_(hash->context, data, size));
    else
        update(hash, data, size);
}

void sha256_update_two(struct sha256 *first, const void *first_data, size_t first_size,
                       struct sha256 *second, const void *second_data, size_t second_size)
{
    const uint8_t *a = first_data;
    const uint8_t *b = second_data;
    if (!first->context && first_size && second_size) {
        size_t a_taken = fill(first, a, first_size);
        size_t b_taken = fill(second, b, second_size);
        a += a_taken;
        first_size -= a_taken;
        b += b_taken;
        second_size -= b_taken;
        size_t count = (first_size < second_size ? first_size : second_size) / SHA256_BLOCK;
        size_t both = count * SHA256_BLOCK;
        sha256_blocks_two(&first->chain, a, &second->chain, b, count);
        first->length += both;
        second->length += both;
        a += both;
        first_size -= both;
        b += both;
        second_size -= both;
    }
    sha256_update(first, a, first_size);
    sha256_update(second, b, second_size);
}

/* One bit, zeros, and the length in bits (FIPS 180-4, 5.1.1). */
static void pad(struct sha256 *hash)
{
    uint64_t bits = __builtin_bswap64(hash->length * 8);
    size_t at = waiting(hash);
    hash->rest[at++] = 0x80;
    if (at > SHA256_BLOCK - sizeof bits) {
        memset(hash->rest + at, 0, SHA256_BLOCK - at);
        sha256_blocks(&hash->chain, hash->rest, 1);
        at = 0;
    }
    memset(hash->rest + at, 0, SHA256_BLOCK - sizeof bits - at);
    memcpy(hash->rest + SHA256_BLOCK - sizeof bits, &bits, sizeof bits);
    sha256_blocks(&hash->chain, hash->rest, 1);
}

void sha256_finish(struct sha256 *hash, uint8_t ret_digest[static SHA256_SIZE])
{
    if (hash->context) {
        must(evp_library.EVP_DigestFinal_ex_(hash->context, ret_digest, NULL));
        must(evp_library.EVP_DigestInit_ex2_(hash->context, NULL, NULL));
        return;
    }
    pad(hash);
    sha256_chain_read(&hash->chain, ret_digest);
    start(hash);
}

void sha256_free(struct sha256 *hash)
{
    if (!hash)
        return;
    if (hash->context)
        evp_library.EVP_MD_CTX_free_(hash->context);
    free(hash);
}

void sha256_of(const void *data, size_t size, uint8_t ret_digest[static SHA256_SIZE])
{
    SCOPED(sha256) struct sha256 *hash = sha256_new();
    sha256_update(hash, data, size);
    sha256_finish(hash, ret_digest);
}

void sha256_finish_text(struct sha256 *hash, char ret_text[static SHA256_TEXT])
{
    uint8_t digest[SHA256_SIZE];
    sha256_finish(hash, digest);
    text_hex(digest, sizeof digest, ret_text);
}
