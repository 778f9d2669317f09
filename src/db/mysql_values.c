#include "db/mysql_values.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

static void append_blob(struct buf *out, const struct db_value *value)
{
    SCOPED(memory) void *hex = mem_alloc(2 * value->size + 1, 1);
    text_hex(value->text, value->size, hex);
    buf_append_format(out, "X'%s'", (const char *)hex);
}

static void append_text(const struct mysql_values *values, struct buf *out,
                        const struct db_value *value)
{
    SCOPED(memory) void *escaped = mem_alloc(2 * value->size + 1, 1);
    size_t size = values->escape(values->context, escaped, value->text, value->size);
    buf_append_char(out, '\'');
    buf_append(out, escaped, size);
    buf_append_char(out, '\'');
}

static void append_value(const struct mysql_values *values, struct buf *out,
                         const struct db_value *value)
{
    if (value->type == DB_NULL)
        buf_append_text(out, "NULL");
    else if (value->type == DB_INTEGER)
        buf_append_format(out, "%" PRId64, value->integer);
    else if (value->type == DB_REAL)
        buf_append_format(out, "%.17g", value->real);
    else if (value->type == DB_BLOB)
        append_blob(out, value);
    else
        append_text(values, out, value);
}

/* How far it is to the next `?` outside of quotes, or to the end. */
static size_t to_parameter(const char *sql, size_t size)
{
    char quote = '\0';
    for (size_t i = 0; i < size; i++) {
        char c = sql[i];
        if (quote)
            quote = c == quote ? '\0' : quote;
        else if (c == '?')
            return i;
        else if (c == '\'' || c == '"' || c == '`')
            quote = c;
    }
    return size;
}

int mysql_put_values(const struct mysql_values *values, const char *sql, size_t size,
                     struct buf *out, struct error *err)
{
    size_t used = 0;
    for (;;) {
        size_t length = to_parameter(sql, size);
        buf_append(out, sql, length);
        if (length == size)
            break;
        if (used < values->count)
            append_value(values, out, &values->items[used]);
        used++;
        sql += length + 1;
        size -= length + 1;
    }
    if (used != values->count)
        return error_set(err, ERROR_FAILED, "a statement with %zu parameters was given %zu", used,
                         values->count);
    return 0;
}
