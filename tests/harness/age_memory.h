/*
 * Age files in memory: encrypt a text into a buffer, open and read a buffer.
 */
#ifndef KEDGE_TESTS_HARNESS_AGE_MEMORY_H
#define KEDGE_TESTS_HARNESS_AGE_MEMORY_H

#include "base/buf.h"
#include "base/os.h"
#include "base/sink.h"
#include "crypto/age.h"

/* A sink that appends to a buffer (borrowed). */
struct sink_memory {
    struct sink base;
    struct buf *out;
    size_t writes;
    bool fail;
};

void sink_memory_init(struct sink_memory *sink, struct buf *out);

/* All of `plain`, pushed in pieces of `piece` bytes (0: at once), as an age file appended to `out`.
 */
int age_memory_encrypt(struct os *os, const struct text_list *recipients, const char *passphrase,
                       const void *plain, size_t size, size_t piece, struct buf *out,
                       struct error *err);

/* An age_read_fn; `context` is the struct buf with the encrypted file. */
int age_memory_read(void *context, uint64_t offset, void *data, size_t size, size_t *ret_size,
                    struct error *err);

/* The whole plain content of an encrypted file, appended to `plain`. */
int age_memory_decrypt(const struct age_keys *keys, const struct buf *file, struct buf *plain,
                       struct error *err);

/* `size` bytes that repeat late and look alike nowhere. */
void fill_pattern(void *data, size_t size);

#endif
