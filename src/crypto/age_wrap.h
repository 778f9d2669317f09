/*
 * How the header of an age file hides the file key: one stanza for each X25519 recipient, or a
 * single one for a passphrase.
 */
#ifndef KEDGE_CRYPTO_AGE_WRAP_H
#define KEDGE_CRYPTO_AGE_WRAP_H

#include "crypto/age_kdf.h"

#include <stdbool.h>

struct age_header;
struct age_stanza;
struct buf;
struct error;
struct os;

/* Work factors of scrypt as powers of two; 2^16 is 64 MiB and about a fifth of a second. */
#define AGE_SCRYPT_WRITE 16
#define AGE_SCRYPT_READ 18
#define AGE_SCRYPT_ALLOWED 22

/* Add a stanza for a public key. */
int age_wrap_x25519(struct os *os, const unsigned char recipient[static AGE_KEY_SIZE],
                    const unsigned char *file_key, struct buf *header, struct error *err);

/* Add the stanza for a passphrase. */
int age_wrap_scrypt(struct os *os, const char *passphrase, const unsigned char *file_key,
                    struct buf *header, struct error *err);

/* What the stanzas of a file are for. Those of unknown types are passed over. */
struct age_stanzas {
    size_t x25519;
    size_t scrypt;
};

/* Every stanza of a known type is checked, and that a passphrase stands alone. */
int age_wrap_survey(const struct age_header *header, struct age_stanzas *ret_stanzas,
                    struct error *err);

/* Try one secret key or passphrase on a stanza that age_wrap_survey() passed: 1 and the file key, 0
 * when the stanza is for someone else, -1. */
int age_unwrap_x25519(const struct age_stanza *stanza,
                      const unsigned char identity[static AGE_KEY_SIZE],
                      unsigned char ret_file_key[static AGE_FILE_KEY_SIZE], struct error *err);
int age_unwrap_scrypt(const struct age_stanza *stanza, const char *passphrase, bool allow_any_work,
                      unsigned char ret_file_key[static AGE_FILE_KEY_SIZE], struct error *err);

/* Whether the file can be encrypted to this point: some give the same secret whatever the key. */
bool age_point_usable(const unsigned char point[static AGE_KEY_SIZE]);

bool age_stanza_is_x25519(const struct age_stanza *stanza);

#endif
