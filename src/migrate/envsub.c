#include "migrate/envsub.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>
#include <strings.h>

static size_t name_size(const char *text, size_t size)
{
    size_t length = 0;
    while (length < size && ((text[length] >= 'a' && text[length] <= 'z') ||
                             (text[length] >= 'A' && text[length] <= 'Z') || text[length] == '_' ||
                             (length > 0 && text[length] >= '0' && text[length] <= '9')))
        length++;
    return length;
}

/* ${NAME}, ${NAME:-default}, ${NAME-default}, ${NAME?message}: the length, 0 when it is none. */
static int replace_braces(struct buf *buf, const char *text, size_t size, size_t line,
                          const char *path, envsub_lookup_fn *lookup, size_t *ret_used,
                          struct error *err)
{
    size_t length = name_size(text + 2, size - 2);
    const char *close = memchr(text, '}', size);
    *ret_used = 0;
    if (!length || !close)
        return 0;
    SCOPED(string) char *name = mem_string_n(text + 2, length);
    const char *value = lookup(name);
    const char *rest = text + 2 + length;
    bool empty_too = *rest == ':';
    rest += empty_too;
    size_t rest_size = (size_t)(close - rest);
    bool missing = !value || (empty_too && !*value);
    if (rest < close && *rest != '-' && *rest != '?')
        return 0;
    if (missing && rest < close && *rest == '?')
        return error_set(err, ERROR_FAILED, "%s:%zu: %s: %.*s", path, line, name,
                         rest_size < 200 ? (int)rest_size - 1 : 200, rest + 1);
    *ret_used = (size_t)(close + 1 - text);
    if (missing && rest < close)
        buf_append(buf, rest + 1, rest_size - 1);
    else
        buf_append_text(buf, value ? value : "");
    return 0;
}

static int replace_line(struct buf *buf, const char *text, size_t size, size_t line,
                        const char *path, envsub_lookup_fn *lookup, struct error *err)
{
    while (size > 0) {
        size_t used = 0;
        if (size > 1 && text[0] == '$' && text[1] == '{' &&
            replace_braces(buf, text, size, line, path, lookup, &used, err) < 0)
            return -1;
        size_t length = text[0] == '$' && !used ? name_size(text + 1, size - 1) : 0;
        if (length) {
            SCOPED(string) char *name = mem_string_n(text + 1, length);
            const char *value = lookup(name);
            buf_append_text(buf, value ? value : "");
            used = length + 1;
        }
        if (!used) {
            buf_append_char(buf, *text);
            used = 1;
        }
        text += used;
        size -= used;
    }
    return 0;
}

/* 1 for ON, 0 for OFF, -1 when the line is no such directive. */
static int switch_of(const char *text, size_t size)
{
    static const char on[] = "-- +goose ENVSUB ON";
    static const char off[] = "-- +goose ENVSUB OFF";
    if (size >= strlen(off) && strncasecmp(text, off, strlen(off)) == 0)
        return 0;
    return size >= strlen(on) && strncasecmp(text, on, strlen(on)) == 0 ? 1 : -1;
}

int envsub_append(struct buf *buf, const char *text, size_t size, const char *path,
                  envsub_lookup_fn *lookup, struct error *err)
{
    bool on = false;
    for (size_t line = 1; size > 0; line++) {
        const char *newline = memchr(text, '\n', size);
        size_t length = newline ? (size_t)(newline + 1 - text) : size;
        int turned = switch_of(text, length);
        if (turned >= 0)
            on = turned;
        if (!on || turned >= 0)
            buf_append(buf, text, length);
        else if (replace_line(buf, text, length, line, path, lookup, err) < 0)
            return -1;
        text += length;
        size -= length;
    }
    return 0;
}
