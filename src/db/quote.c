/*
 * Names and texts as each engine reads them in a statement.
 */
#include "base/buf.h"
#include "base/text.h"
#include "db/db.h"

#include <stdlib.h>
#include <string.h>

/* `text` between two `quote`s, those inside doubled. */
static void append_quoted(struct buf *sql, const char *text, size_t size, char quote)
{
    buf_append_char(sql, quote);
    for (size_t i = 0; i < size; i++) {
        if (text[i] == quote)
            buf_append_char(sql, quote);
        buf_append_char(sql, text[i]);
    }
    buf_append_char(sql, quote);
}

void db_quote_identifier(enum db_engine engine, struct buf *sql, const char *name)
{
    append_quoted(sql, name, strlen(name), engine == DB_MYSQL ? '`' : '"');
}

/* A backslash escapes there, and the reader of a statement stops at NUL. */
static void quote_mysql(struct buf *sql, const char *text, size_t size)
{
    buf_append_char(sql, '\'');
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\0')
            buf_append_text(sql, "\\0");
        else if (text[i] == '\'' || text[i] == '\\')
            buf_append_format(sql, "\\%c", text[i]);
        else
            buf_append_char(sql, text[i]);
    }
    buf_append_char(sql, '\'');
}

/* SQLite's text may hold NUL, its statements may not. */
static void quote_sqlite_blob(struct buf *sql, const char *text, size_t size)
{
    SCOPED(string) char *hex = mem_alloc(2 * size + 1, 1);
    text_hex(text, size, hex);
    buf_append_text(sql, "CAST(x'");
    buf_append_text(sql, hex);
    buf_append_text(sql, "' AS TEXT)");
}

void db_quote_literal(enum db_engine engine, struct buf *sql, const char *text, size_t size)
{
    if (engine == DB_MYSQL)
        quote_mysql(sql, text, size);
    else if (engine == DB_SQLITE && size && memchr(text, '\0', size))
        quote_sqlite_blob(sql, text, size);
    else
        append_quoted(sql, text, size, '\'');
}
