/*
 * Passphrases and keys in memory that is guarded, not swapped out where the system allows it, and
 * overwritten before it is given back.
 *
 * Secrets come from files or descriptors, never from the command line. A file that others may read
 * or that someone else owns is refused, as ssh and PostgreSQL do.
 */
#ifndef KEDGE_CRYPTO_SECRET_H
#define KEDGE_CRYPTO_SECRET_H

#include <stddef.h>

struct error;
struct os;
struct text_list;

/* data[length] is NUL; an empty secret owns nothing. Assign only through the calls below. */
struct secret {
    char *data;
    size_t length;
};

/* clang-format off */
#define SECRET_INIT {.data = NULL, .length = 0}
/* clang-format on */

/* What is read from a file when nothing larger makes sense. */
#define SECRET_MAXIMUM ((size_t)65536)

/* `size` zero bytes to be filled through secret->data. What was there is wiped. */
void secret_reserve(struct secret *secret, size_t size);
/* A copy of `data`. */
void secret_set(struct secret *secret, const void *data, size_t size);
/* As text; "" when empty. Borrowed. */
const char *secret_text(const struct secret *secret);
/* Wipe and give back. */
void secret_clear(struct secret *secret);

/* Wipe the texts of a list, then clear it. */
void secret_list_clear(struct text_list *list);

/*
 * The whole content of a file of at most `maximum` bytes. It must belong to us or to root and be
 * closed to others: 0600 at most, 0640 at most when it is root's. Below /run/secrets, where
 * containers put them, reading is allowed to all. Pipes (a shell's <(…)) are not checked. `secret`
 * is untouched on failure.
 */
int secret_read_file(struct os *os, const char *path, size_t maximum, struct secret *ret_secret,
                     struct error *err);

/* The same from an open descriptor, which stays open; `name` is for messages. */
int secret_read_descriptor(struct os *os, int fd, const char *name, size_t maximum,
                           struct secret *ret_secret, struct error *err);

/* A passphrase: the content of the file without one line end. Empty ones, several lines and NUL
 * bytes are ERROR_USAGE. */
int secret_read_passphrase(struct os *os, const char *path, struct secret *ret_secret,
                           struct error *err);

static inline void scoped_secret_cleanup(struct secret *secret)
{
    secret_clear(secret);
}

static inline void scoped_secret_list_cleanup(struct text_list *list)
{
    secret_list_clear(list);
}

#endif
