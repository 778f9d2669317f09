#include "base/buf.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char buf_empty[1] = "";

void buf_clear(struct buf *buf)
{
    if (buf->capacity)
        free(buf->data);
    buf->data = buf_empty;
    buf->length = 0;
    buf->capacity = 0;
    buf->overflowed = false;
}

void buf_wipe(struct buf *buf)
{
    mem_wipe(buf->data, buf->length);
    buf_clear(buf);
}

void buf_reset(struct buf *buf)
{
    buf->length = 0;
    buf->overflowed = false;
    if (buf->capacity)
        buf->data[0] = '\0';
}

void buf_reserve(struct buf *buf, size_t extra)
{
    if (extra > buf->maximum - buf->length)
        extra = buf->maximum - buf->length;
    size_t wanted = buf->length + extra;
    if (wanted <= buf->capacity)
        return;
    size_t capacity = buf->capacity + buf->capacity / 2;
    if (capacity < wanted)
        capacity = wanted;
    if (capacity < 64)
        capacity = 64;
    if (capacity > buf->maximum && wanted <= buf->maximum)
        capacity = buf->maximum;
    buf->data = mem_resize(buf->capacity ? buf->data : NULL, capacity + 1, 1);
    buf->capacity = capacity;
    buf->data[buf->length] = '\0';
}

void buf_append(struct buf *buf, const void *data, size_t size)
{
    if (size == 0)
        return;
    if (buf->overflowed || size > buf->maximum - buf->length) {
        buf->overflowed = true;
        return;
    }
    buf_reserve(buf, size);
    memcpy(buf->data + buf->length, data, size);
    buf->length += size;
    buf->data[buf->length] = '\0';
}

void buf_append_text(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_append_char(struct buf *buf, char c)
{
    buf_append(buf, &c, 1);
}

void buf_append_format(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = mem_format_v(format, args);
    va_end(args);
    buf_append_text(buf, text);
    free(text);
}

void buf_consume(struct buf *buf, size_t size)
{
    if (size >= buf->length) {
        buf_reset(buf);
        return;
    }
    memmove(buf->data, buf->data + size, buf->length - size + 1);
    buf->length -= size;
}

int buf_check(const struct buf *buf, const char *what, struct error *err)
{
    if (!buf->overflowed)
        return 0;
    return error_set(err, ERROR_FAILED, "%s is longer than %zu bytes", what, buf->maximum);
}

char *buf_steal(struct buf *buf)
{
    char *data = buf->capacity ? buf->data : mem_string("");
    buf->data = buf_empty;
    buf->length = 0;
    buf->capacity = 0;
    return data;
}
