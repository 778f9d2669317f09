/*
 * Small secrets at rest: the columns of the catalogue whose names end in _encrypted.
 *
 * They are sealed with libsodium's secretbox under one key of the installation,
 * $KEDGE_HOME/secret.key (mode 0600, 64 hex digits and a line end), made once and never replaced.
 * The key's fingerprint goes into encryption_key_id, so a row that another key sealed is told from
 * one that was damaged.
 */
#ifndef KEDGE_CRYPTO_SEALED_H
#define KEDGE_CRYPTO_SEALED_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct os;
struct sealed_key;
struct secret;

/* Fingerprint as text: 16 hex digits and NUL. */
#define SEALED_ID_SIZE 17

/* The key of the installation at `home`. It is made when it is not there and `create` is set;
 * without that, ERROR_NOT_FOUND. Several processes may make it at once: one wins, and all use that
 * one. To be closed. */
int sealed_key_open(struct os *os, const char *home, bool create, struct sealed_key **ret_key,
                    struct error *err);
void sealed_key_close(struct sealed_key *key);

/* Borrowed. */
const char *sealed_key_id(const struct sealed_key *key);

/* `size` bytes as a text of printable ASCII for a column; the caller frees it. At most 1 MiB. */
int sealed_seal(const struct sealed_key *key, struct os *os, const void *plain, size_t size,
                char **ret_text, struct error *err);

/* The way back. `key_id` is the column encryption_key_id, or NULL when it is not known: with it, a
 * text that another key sealed is ERROR_WRONG_KEY and named as such. Damage is ERROR_CORRUPT. */
int sealed_open(const struct sealed_key *key, const char *key_id, const char *text,
                struct secret *ret_plain, struct error *err);

#endif
