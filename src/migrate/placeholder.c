#include "migrate/placeholder.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

#include <string.h>
#include <strings.h>

static bool is_name(const char *text, size_t size, const char *name)
{
    return strlen(name) == size && strncasecmp(text, name, size) == 0;
}

/* Borrowed; NULL when there is none. */
static const char *value_of(const char *name, size_t size, const char *path,
                            const struct text_list *values)
{
    for (size_t i = 0; values && i < values->count; i++) {
        const char *equals = strchr(values->items[i], '=');
        if (equals && (size_t)(equals - values->items[i]) == size &&
            strncasecmp(values->items[i], name, size) == 0)
            return equals + 1;
    }
    return is_name(name, size, "flyway:filename") ? path_base(path) : NULL;
}

static int missing(const char *name, size_t size, size_t line, const char *path, struct error *err)
{
    int shown = size < 100 ? (int)size : 100;
    error_set(err, ERROR_FAILED, "%s:%zu: the placeholder ${%.*s} has no value", path, line, shown,
              name);
    return error_hint(err,
                      "give it with --placeholder %.*s=VALUE or under migrations: placeholders; "
                      "--no-placeholders leaves every ${...} as it is",
                      shown, name);
}

/* "${name}" at the start of the text: the size of the name, 0 when it is none. */
static size_t name_size(const char *text, size_t size)
{
    if (size < 4 || text[0] != '$' || text[1] != '{')
        return 0;
    const char *close = memchr(text, '}', size);
    size_t length = close ? (size_t)(close - text - 2) : 0;
    return length && !memchr(text + 2, '\n', length) ? length : 0;
}

int placeholder_append(struct buf *buf, const char *text, size_t size, const char *path,
                       const struct text_list *values, struct error *err)
{
    size_t line = 1;
    while (size > 0) {
        size_t name = name_size(text, size);
        size_t used = name ? name + 3 : 1;
        const char *value = name ? value_of(text + 2, name, path, values) : NULL;
        if (name && !value)
            return missing(text + 2, name, line, path, err);
        if (value)
            buf_append_text(buf, value);
        else
            buf_append_char(buf, *text);
        line += *text == '\n';
        text += used;
        size -= used;
    }
    return 0;
}
