/*
 * libcrypto, loaded on first use: linked, it would take half a millisecond of every start, and only
 * encryption and processors without SHA instructions need it. Used by this folder only.
 */
#ifndef KEDGE_CRYPTO_EVP_H
#define KEDGE_CRYPTO_EVP_H

#include <openssl/evp.h>

struct error;

/* clang-format off */
#define EVP_FUNCTIONS(X) \
    X(EVP_MD_fetch) X(EVP_MD_free) X(EVP_MD_CTX_new) X(EVP_MD_CTX_free) \
    X(EVP_DigestInit_ex2) X(EVP_DigestUpdate) X(EVP_DigestFinal_ex) \
    X(EVP_chacha20_poly1305) X(EVP_CIPHER_CTX_new) X(EVP_CIPHER_CTX_free) X(EVP_CIPHER_CTX_ctrl) \
    X(EVP_CipherInit_ex) X(EVP_CipherUpdate) X(EVP_CipherFinal_ex)
/* clang-format on */

#define EVP_SLOT(name) __typeof__(name) *name##_;

/* EVP_MD_fetch is evp_library.EVP_MD_fetch_, once evp_load has answered 0. */
extern struct evp_library {
    EVP_FUNCTIONS(EVP_SLOT)
} evp_library;

/* Thread-safe; does nothing the second time. */
int evp_load(struct error *err);

#endif
