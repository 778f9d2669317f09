/*
 * The header of an age file: a version line, one stanza for each recipient, and a MAC.
 *
 *     age-encryption.org/v1
 *     -> X25519 <argument>
 *     <body in base64, lines of 64>
 *     --- <MAC in base64>
 *
 * Reading is strict, as the format demands: what is not written exactly so is refused, so that two
 * readers never disagree on a file. What the stanzas mean is age_wrap's business.
 */
#ifndef KEDGE_CRYPTO_AGE_HEADER_H
#define KEDGE_CRYPTO_AGE_HEADER_H

#include "base/buf.h"
#include "base/text.h"

#include <stddef.h>

struct error;

/* The first words of every version. */
#define AGE_MAGIC "age-encryption.org/"

/* Some ten thousand recipients; more is not a header. */
#define AGE_HEADER_MAXIMUM ((size_t)1 << 20)

#define AGE_MAC_SIZE 32

struct age_stanza {
    struct text_list words; /* the type, then its arguments */
    struct buf body;
};

struct age_header {
    struct age_stanza *stanzas;
    size_t count;
    size_t capacity;
    size_t signed_size; /* bytes under the MAC */
    unsigned char mac[AGE_MAC_SIZE];
};

/* clang-format off */
#define AGE_HEADER_INIT {.stanzas = NULL}
/* clang-format on */

/* Bytes of the header at the start of `text`, or 0 when its end is not within `size`. */
size_t age_header_find_end(const char *text, size_t size);

/* `text` is exactly a header. ERROR_CORRUPT says which line is wrong. `ret_header` is initialised
 * and to be cleared in any case. */
int age_header_parse(const char *text, size_t size, struct age_header *ret_header,
                     struct error *err);

/* Whether the MAC over the header's text is made with this file key: 0, or -1 and ERROR_CORRUPT. */
int age_header_check(const struct age_header *header, const char *text,
                     const unsigned char *file_key, struct error *err);

void age_header_clear(struct age_header *header);

/* Writing: begin, a stanza for each recipient, end. `line` is the type and its arguments. */
void age_header_begin(struct buf *header);
void age_header_add(struct buf *header, const char *line, const void *body, size_t size);
void age_header_end(struct buf *header, const unsigned char *file_key);

static inline void scoped_age_header_cleanup(struct age_header *header)
{
    age_header_clear(header);
}

#endif
