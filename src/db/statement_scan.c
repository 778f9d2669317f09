#include "db/statement_core.h"

#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- places ---- */

/* Move a place over `size` bytes. Columns count characters: bytes that do not continue one. */
static void place_advance(const char *text, size_t size, size_t *line, size_t *column)
{
    const char *newline = NULL;
    while ((newline = memchr(text, '\n', size)) != NULL) {
        size -= (size_t)(newline + 1 - text);
        text = newline + 1;
        (*line)++;
        *column = 1;
    }
    size_t characters = 0;
    for (size_t i = 0; i < size; i++)
        characters += ((unsigned char)text[i] & 0xC0) != 0x80;
    *column += characters;
}

/* Fill in where `index` is. */
static void find_place(const struct statement_reader *reader, size_t index, size_t *ret_line,
                       size_t *ret_column)
{
    *ret_line = reader->line;
    *ret_column = reader->column;
    place_advance(reader->buf.data + reader->mark, index - reader->mark, ret_line, ret_column);
}

void scan_mark(struct statement_reader *reader, size_t index)
{
    place_advance(reader->buf.data + reader->mark, index - reader->mark, &reader->line,
                  &reader->column);
    reader->mark = index;
}

void statement_locate(const struct statement *statement, size_t position, size_t *ret_line,
                      size_t *ret_column)
{
    size_t index = 0;
    for (size_t seen = 1; index < statement->size && seen < position; seen++)
        do
            index++;
        while (index < statement->size && ((unsigned char)statement->text[index] & 0xC0) == 0x80);
    *ret_line = statement->line;
    *ret_column = statement->column;
    place_advance(statement->text, index, ret_line, ret_column);
}

int scan_fail_at(const struct statement_reader *reader, size_t line, size_t column, bool usage,
                 struct error *err, const char *what)
{
    const char *name = reader->options.name ? reader->options.name : "statement";
    return error_set(err, usage ? ERROR_USAGE : ERROR_CORRUPT, "%s:%zu:%zu: %s", name, line, column,
                     what);
}

int scan_fail(const struct statement_reader *reader, size_t index, bool usage, struct error *err,
              const char *format, ...)
{
    size_t line = 0;
    size_t column = 0;
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    find_place(reader, index, &line, &column);
    return scan_fail_at(reader, line, column, usage, err, what);
}

/* ---- tokens ---- */

const unsigned char scan_classes[256] = {
    ['$'] = SCAN_DOLLAR_SIGN,    ['_'] = SCAN_LETTER,         ['0' ... '9'] = SCAN_DIGIT,
    ['A' ... 'Z'] = SCAN_LETTER, ['a' ... 'z'] = SCAN_LETTER, [0x80 ... 0xFF] = SCAN_LETTER,
};

bool scan_same(const char *text, size_t size, const char *word)
{
    return strlen(word) == size && strncasecmp(text, word, size) == 0;
}

void scan_begin(struct statement_reader *reader)
{
    reader->begin = reader->at;
    scan_mark(reader, reader->at);
}

void scan_open_quote(struct statement_reader *reader, size_t size, char quote, bool escapes)
{
    reader->opened = reader->at;
    scan_take(reader, size);
    reader->state = SCAN_QUOTE;
    reader->quote = quote;
    reader->escapes = escapes;
    reader->doubled = true;
}

void scan_open_bracket(struct statement_reader *reader)
{
    scan_open_quote(reader, 1, ']', false);
    reader->doubled = false;
}

void scan_open_comment(struct statement_reader *reader, size_t size, enum scan_state state)
{
    reader->opened = reader->at;
    if (reader->begin == STATEMENT_NONE)
        scan_mark(reader, reader->at);
    find_place(reader, reader->at, &reader->open_line, &reader->open_column);
    reader->own_line = reader->fresh;
    reader->fresh = false;
    reader->at += size;
    reader->resume = 0;
    reader->state = state;
    reader->depth = 1;
}

void scan_blanks(struct statement_reader *reader)
{
    const char *data = reader->buf.data;
    while (reader->at < reader->buf.length && scan_blank((unsigned char)data[reader->at]) &&
           data[reader->at] != reader->stop_blank)
        if (data[reader->at++] == '\n')
            reader->fresh = true;
    reader->resume = 0;
}

size_t scan_word(struct statement_reader *reader, unsigned classes)
{
    const char *text = scan_text(reader);
    size_t left = scan_left(reader);
    size_t size = reader->resume ? reader->resume : 1;
    while (size < left && scan_in(text[size], classes))
        size++;
    if (size == left && !reader->eof) {
        reader->resume = size;
        return 0;
    }
    return size;
}

/* ---- handing out ---- */

static void statement_forget(struct statement_reader *reader)
{
    reader->begin = STATEMENT_NONE;
    reader->end = 0;
    reader->dialect->reset(reader);
}

static int statement_hand_out(struct statement_reader *reader, bool terminated, size_t after,
                              struct error *err)
{
    struct statement statement = {
        .text = reader->buf.data + reader->begin,
        .size = reader->end - reader->begin,
        .number = ++reader->count,
        .offset = reader->base + reader->begin,
        .line = reader->line,
        .column = reader->column,
        .terminated = terminated,
        .block = reader->block,
    };
    if (reader->dialect->found && reader->dialect->found(reader, &statement, err) < 0)
        return -1;
    bool copy = statement.kind == STATEMENT_COPY;
    if (copy && (!reader->handler.data || !terminated))
        return scan_fail(reader, reader->begin, true, err,
                         terminated ? "COPY ... FROM stdin cannot be used here"
                                    : "COPY ... FROM stdin without its rows");
    /* Handlers get a C string: the byte after it is put back afterwards. */
    char kept = reader->buf.data[reader->end];
    reader->buf.data[reader->end] = '\0';
    int result = reader->handler.statement(reader->handler.context, &statement, err);
    reader->buf.data[reader->end] = kept;
    reader->at = after;
    if (copy)
        reader->state = SCAN_COPY_LINE;
    return result < 0 ? -1 : SCAN_GO;
}

int scan_emit(struct statement_reader *reader, size_t skip, bool terminated, struct error *err)
{
    size_t after = reader->at + skip;
    reader->resume = 0;
    if (skip)
        reader->fresh = false;
    reader->at = after;
    if (reader->begin != STATEMENT_NONE && statement_hand_out(reader, terminated, after, err) < 0)
        return -1;
    statement_forget(reader);
    return SCAN_GO;
}
