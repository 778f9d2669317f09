#include "source/sqlite_literal.h"

#include "base/buf.h"
#include "base/text.h"
#include "db/db.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As short as reads back to the same number. */
static void append_real(struct buf *sql, double value)
{
    char text[64];
    if (isnan(value)) {
        buf_append_text(sql, "NULL");
        return;
    }
    if (isinf(value)) {
        buf_append_text(sql, value > 0 ? "1e999" : "-1e999");
        return;
    }
    snprintf(text, sizeof text, "%.15g", value);
    if (strtod(text, NULL) != value)
        snprintf(text, sizeof text, "%.17g", value);
    buf_append_text(sql, text);
    if (!strpbrk(text, ".e"))
        buf_append_text(sql, ".0");
}

static void append_hex(struct buf *sql, const uint8_t *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    buf_reserve(sql, 2 * size + 3);
    buf_append_text(sql, "X'");
    char piece[1024];
    while (size) {
        size_t count = size < sizeof piece / 2 ? size : sizeof piece / 2;
        for (size_t i = 0; i < count; i++) {
            piece[2 * i] = digits[data[i] >> 4];
            piece[2 * i + 1] = digits[data[i] & 15];
        }
        buf_append(sql, piece, 2 * count);
        data += count;
        size -= count;
    }
    buf_append_char(sql, '\'');
}

static void append_cast(struct buf *sql, const void *data, size_t size)
{
    buf_append_text(sql, "CAST(");
    append_hex(sql, data, size);
    buf_append_text(sql, " AS TEXT)");
}

/* What stands for a line break: something that the text does not hold. */
static void choose_mark(const char *text, char letter, char ret_mark[static 24])
{
    snprintf(ret_mark, 24, "\\%c", letter);
    for (unsigned i = 1; strstr(text, ret_mark); i++)
        snprintf(ret_mark, 24, "\\%c%u", letter, i);
}

static void append_quoted(struct buf *sql, const char *text, size_t size, const char *cr,
                          const char *lf)
{
    buf_append_char(sql, '\'');
    while (size) {
        size_t plain = 0;
        while (plain < size && text[plain] != '\'' && text[plain] != '\r' && text[plain] != '\n')
            plain++;
        buf_append(sql, text, plain);
        if (plain == size)
            break;
        buf_append_text(sql, text[plain] == '\'' ? "''" : text[plain] == '\r' ? cr : lf);
        text += plain + 1;
        size -= plain + 1;
    }
    buf_append_char(sql, '\'');
}

/* A reader that takes CRLF for a line's end, as the sqlite3 shell does, would change what is
 * between the quotes. `text` is UTF-8 without NUL. */
static void append_text(struct buf *sql, const char *text, size_t size)
{
    char cr[24] = "";
    char lf[24] = "";
    if (memchr(text, '\r', size))
        choose_mark(text, 'r', cr);
    if (memchr(text, '\n', size))
        choose_mark(text, 'n', lf);
    if (lf[0])
        buf_append_text(sql, "replace(");
    if (cr[0])
        buf_append_text(sql, "replace(");
    append_quoted(sql, text, size, cr, lf);
    if (cr[0])
        buf_append_format(sql, ",'%s',char(13))", cr);
    if (lf[0])
        buf_append_format(sql, ",'%s',char(10))", lf);
}

static bool is_whole_utf16(const uint16_t *units, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (units[i] == 0 || (units[i] & 0xfc00) == 0xdc00)
            return false;
        if ((units[i] & 0xfc00) == 0xd800 && (++i == count || (units[i] & 0xfc00) != 0xdc00))
            return false;
    }
    return true;
}

/* `big`: the database's own bytes come the other way round than SQLite hands them out here. */
static void append_units(struct buf *sql, const uint16_t *units, size_t count, bool big)
{
    uint8_t *bytes = mem_alloc(count ? count : 1, 2);
    for (size_t i = 0; i < count; i++) {
        bytes[2 * i + big] = (uint8_t)units[i];
        bytes[2 * i + !big] = (uint8_t)(units[i] >> 8);
    }
    append_cast(sql, bytes, 2 * count);
    free(bytes);
}

static void append_text_value(struct buf *sql, sqlite3_stmt *statement, int column, int encoding)
{
    if (encoding > 1) {
        const uint16_t *units = sqlite3_column_text16(statement, column);
        size_t count = (size_t)sqlite3_column_bytes16(statement, column) / 2;
        if (!is_whole_utf16(units, count)) {
            append_units(sql, units, count, encoding == 3);
            return;
        }
    }
    const char *text = (const char *)sqlite3_column_text(statement, column);
    size_t size = (size_t)sqlite3_column_bytes(statement, column);
    if (memchr(text, '\0', size) || !text_is_utf8(text, size))
        append_cast(sql, text, size);
    else
        append_text(sql, text, size);
}

void sqlite_literal_append(struct buf *sql, sqlite3_stmt *statement, int column, int encoding)
{
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        buf_append_format(sql, "%lld", (long long)sqlite3_column_int64(statement, column));
        break;
    case SQLITE_FLOAT:
        append_real(sql, sqlite3_column_double(statement, column));
        break;
    case SQLITE_TEXT:
        append_text_value(sql, statement, column, encoding);
        break;
    case SQLITE_BLOB:
        append_hex(sql, sqlite3_column_blob(statement, column),
                   (size_t)sqlite3_column_bytes(statement, column));
        break;
    default:
        buf_append_text(sql, "NULL");
    }
}

void sqlite_name_append(struct buf *sql, const char *name)
{
    db_quote_identifier(DB_SQLITE, sql, name);
}
