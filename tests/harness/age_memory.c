#include "harness/age_memory.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>

static int memory_write(struct sink *base, const void *data, size_t size, struct error *err)
{
    struct sink_memory *sink = (struct sink_memory *)base;
    sink->writes++;
    if (sink->fail)
        return error_set(err, ERROR_NO_SPACE, "no room in memory sink");
    buf_append(sink->out, data, size);
    return 0;
}

static int memory_finish(struct sink *base, struct error *err)
{
    (void)base;
    (void)err;
    return 0;
}

static void memory_free(struct sink *base)
{
    (void)base;
}

static const struct sink_ops memory_ops = {
    .write = memory_write, .finish = memory_finish, .free = memory_free};

void sink_memory_init(struct sink_memory *sink, struct buf *out)
{
    *sink = (struct sink_memory){.base = {.ops = &memory_ops}, .out = out};
}

int age_memory_encrypt(struct os *os, const struct text_list *recipients, const char *passphrase,
                       const void *plain, size_t size, size_t piece, struct buf *out,
                       struct error *err)
{
    struct sink_memory next;
    sink_memory_init(&next, out);
    struct sink *filter = NULL;
    if (age_encrypt_new(os, recipients, passphrase, &next.base, &filter, err) < 0)
        return -1;
    const char *at = plain;
    int result = 0;
    while (size && result == 0) {
        size_t taken = piece && piece < size ? piece : size;
        result = sink_write(filter, at, taken, err);
        at += taken;
        size -= taken;
    }
    if (result == 0)
        result = sink_finish(filter, err);
    sink_free(filter);
    return result;
}

int age_memory_read(void *context, uint64_t offset, void *data, size_t size, size_t *ret_size,
                    struct error *err)
{
    const struct buf *file = context;
    (void)err;
    size_t got = 0;
    if (offset < file->length)
        got = size < file->length - offset ? size : file->length - (size_t)offset;
    if (got)
        memcpy(data, file->data + offset, got);
    *ret_size = got;
    return 0;
}

int age_memory_decrypt(const struct age_keys *keys, const struct buf *file, struct buf *plain,
                       struct error *err)
{
    struct buf borrowed = *file;
    struct age_reader *reader = NULL;
    if (age_open(keys, age_memory_read, &borrowed, file->length, &reader, err) < 0)
        return -1;
    size_t size = (size_t)age_plain_size(reader);
    SCOPED(memory) void *data = mem_alloc(size, 1);
    size_t got = 0;
    int result = age_pread(reader, 0, data, size, &got, err);
    if (result == 0)
        buf_append(plain, data, got);
    age_close(reader);
    return result;
}

void fill_pattern(void *data, size_t size)
{
    unsigned char *bytes = data;
    uint64_t state = 88172645463325252ULL;
    for (size_t i = 0; i < size; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[i] = (unsigned char)state;
    }
}
