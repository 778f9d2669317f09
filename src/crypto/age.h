/*
 * Encryption in the age v1 format (age-encryption.org/v1): what kedge writes, the `age` program
 * opens, and the other way round.
 *
 * A portable backup that is encrypted goes through age_encrypt_new() on its way to the store, after
 * compression. A restore opens it with age_open() and reads any range of the plain content: the
 * format seals chunks of 64 KiB, each for itself. Recipients are X25519 public keys ("age1…") whose
 * secret keys ("AGE-SECRET-KEY-1…", identities) need not be on the machine that makes backups; or
 * one passphrase.
 */
#ifndef KEDGE_CRYPTO_AGE_H
#define KEDGE_CRYPTO_AGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct age_reader;
struct buf;
struct error;
struct os;
struct secret;
struct sink;
struct text_list;

/* Plain bytes that are sealed together, and what sealing adds to them. */
#define AGE_CHUNK_SIZE ((size_t)65536)
#define AGE_TAG_SIZE ((size_t)16)

/* Room for "age1…" and its NUL. */
#define AGE_RECIPIENT_SIZE 63
/* So many first bytes are enough for age_is(). */
#define AGE_SNIFF_SIZE 34

/* ---- writing ---- */

/*
 * A sink that encrypts what is written into it and pushes the age file into `next` (borrowed, not
 * finished, not freed). Either `recipients` names at least one public key and `passphrase` is NULL,
 * or `recipients` is NULL or empty and `passphrase` is a text that is not empty. Both are used here
 * only and not kept. A recipient that is none is ERROR_USAGE and named. The header is pushed with
 * the first bytes, so a sink that was only made has written nothing. Not for several threads at
 * once.
 */
int age_encrypt_new(struct os *os, const struct text_list *recipients, const char *passphrase,
                    struct sink *next, struct sink **ret_sink, struct error *err);

/* ---- reading ---- */

/* What may open a file. Everything is borrowed for the length of age_open() only. */
struct age_keys {
    const struct text_list *identities; /* "AGE-SECRET-KEY-1…" each; NULL or empty for none */
    const char *passphrase;             /* NULL for none */
    bool allow_scrypt; /* accept a work factor above 2^18 (256 MiB), up to 2^22 (4 GiB) */
};

/* Bytes of the encrypted file from `offset`; *ret_size is less than `size` only at its end. Called
 * by several threads at once when age_pread() is. */
typedef int age_read_fn(void *context, uint64_t offset, void *data, size_t size, size_t *ret_size,
                        struct error *err);

/*
 * Open an encrypted file of `size` bytes (binary or armored) that is read through `read` and
 * `context` (borrowed until age_close). Checks the header and that the last chunk is the last one,
 * so a file that was cut or lengthened is found here. ERROR_WRONG_KEY, with a hint that names the
 * option to give, when no key opens it; ERROR_CORRUPT for damage.
 */
int age_open(const struct age_keys *keys, age_read_fn *read, void *context, uint64_t size,
             struct age_reader **ret_reader, struct error *err);

/* Bytes of plain content. */
uint64_t age_plain_size(const struct age_reader *reader);

/*
 * Plain bytes from `offset`; *ret_size is less than `size` only at the end. Only whole chunks can
 * be opened, so reads of many chunks at once cost least. A chunk that is not as it was sealed is
 * ERROR_CORRUPT, and nothing of it stays in `data`. Several threads may call this at once.
 */
int age_pread(struct age_reader *reader, uint64_t offset, void *data, size_t size, size_t *ret_size,
              struct error *err);

void age_close(struct age_reader *reader);

/* Whether a file that begins with these bytes is an age file, binary or armored. */
bool age_is(const void *data, size_t size);

/* ---- keys ---- */

/* Whether `text` is a public key that can be encrypted to. */
bool age_recipient_valid(const char *text);

/* As age_recipient_valid, with the reason: 0, or -1 and ERROR_USAGE that names `text` (never when
 * it looks like a secret key). */
int age_recipient_check(const char *text, struct error *err);

/*
 * Add the identities in the content of a key file to `identities`: one a line, blank lines and
 * lines that begin with '#' are passed over. `name` is for messages. ERROR_USAGE when a line is
 * none (its number is named, its text never) or when there is no identity at all; the list is then
 * as it was. Clear the list with secret_list_clear().
 */
int age_identity_parse(const char *content, size_t size, const char *name,
                       struct text_list *identities, struct error *err);

/* The public key of an identity. -1 and ERROR_USAGE when `identity` is none. */
int age_identity_recipient(const char *identity, char ret_recipient[static AGE_RECIPIENT_SIZE],
                           struct error *err);

/* A fresh key pair. `ret_identity` (initialised, its old content is cleared) becomes the text
 * "AGE-SECRET-KEY-1…". */
int age_keygen(struct os *os, struct secret *ret_identity,
               char ret_recipient[static AGE_RECIPIENT_SIZE], struct error *err);

/* The content of a key file as age-keygen writes it: the time, the public key, the identity. */
void age_identity_write(struct os *os, const struct secret *identity, const char *recipient,
                        struct secret *ret_content);

#endif
