#include "crypto/sha256.h"

#include "base/text.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct sha256 {
    EVP_MD_CTX *context;
};

/* Looking the algorithm up takes locks and walks tables: once per process is enough. */
static EVP_MD *algorithm;
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void fetch(void)
{
    algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
}

static void must(int done)
{
    if (done == 1)
        return;
    fputs("kedge: error: libcrypto has no SHA-256\n", stderr);
    abort();
}

struct sha256 *sha256_new(void)
{
    pthread_once(&fetched, fetch);
    struct sha256 *hash = MEM_NEW(struct sha256);
    hash->context = EVP_MD_CTX_new();
    must(algorithm && hash->context ? 1 : 0);
    must(EVP_DigestInit_ex2(hash->context, algorithm, NULL));
    return hash;
}

void sha256_update(struct sha256 *hash, const void *data, size_t size)
{
    must(EVP_DigestUpdate(hash->context, data, size));
}

void sha256_finish(struct sha256 *hash, uint8_t ret_digest[static SHA256_SIZE])
{
    must(EVP_DigestFinal_ex(hash->context, ret_digest, NULL));
    must(EVP_DigestInit_ex2(hash->context, NULL, NULL));
}

void sha256_free(struct sha256 *hash)
{
    if (!hash)
        return;
    EVP_MD_CTX_free(hash->context);
    free(hash);
}

void sha256_of(const void *data, size_t size, uint8_t ret_digest[static SHA256_SIZE])
{
    pthread_once(&fetched, fetch);
    must(algorithm ? EVP_Digest(data, size, ret_digest, NULL, algorithm, NULL) : 0);
}

void sha256_finish_text(struct sha256 *hash, char ret_text[static SHA256_TEXT])
{
    uint8_t digest[SHA256_SIZE];
    sha256_finish(hash, digest);
    text_hex(digest, sizeof digest, ret_text);
}
