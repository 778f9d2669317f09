/*
 * A growable run of bytes that knows its maximum.
 *
 * Invariants: data[length] is always NUL (so text can be read as a C string), length <= maximum. An
 * append past the maximum sets `overflowed` and leaves the content as it was: whoever fills a
 * buffer from outside asks buf_check() before using it. A static initialiser makes an empty buffer
 * that owns nothing.
 */
#ifndef KEDGE_BASE_BUF_H
#define KEDGE_BASE_BUF_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

struct buf {
    char *data;
    size_t length;
    size_t capacity; /* bytes owned, without the NUL */
    size_t maximum;
    bool overflowed;
};

extern char buf_empty[1];

/* For what we make ourselves. */
#define BUF_UNLIMITED SIZE_MAX
#define BUF_INIT ((struct buf){.data = buf_empty, .maximum = BUF_UNLIMITED})
#define BUF_INIT_MAX(max) ((struct buf){.data = buf_empty, .maximum = (max)})

/* Free, back to empty; the maximum is kept. */
void buf_clear(struct buf *buf);

/* As buf_clear, for what nobody may find in memory later: overwritten first. */
void buf_wipe(struct buf *buf);

/* Length 0; the memory is kept. */
void buf_reset(struct buf *buf);

/* Room for `extra` more bytes, within the maximum. */
void buf_reserve(struct buf *buf, size_t extra);

void buf_append(struct buf *buf, const void *data, size_t size);
void buf_append_text(struct buf *buf, const char *text);
void buf_append_char(struct buf *buf, char c);
void buf_append_format(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Drop the first `size` bytes (at most all). */
void buf_consume(struct buf *buf, size_t size);

/* -1 with ERROR_FAILED "<what> is longer than N bytes" when an append did not fit. */
int buf_check(const struct buf *buf, const char *what, struct error *err);

/* Hand the bytes on as a NUL-ended string to free(); the buffer is empty afterwards. */
char *buf_steal(struct buf *buf);

static inline void scoped_buf_cleanup(struct buf *buf)
{
    buf_clear(buf);
}

static inline void scoped_secret_buf_cleanup(struct buf *buf)
{
    buf_wipe(buf);
}

#endif
