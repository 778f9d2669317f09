#include "migrate/phrase.h"

#include "base/buf.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- taking apart ---- */

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* PostgreSQL's block comments nest. */
static size_t block_comment(const char *text, size_t size, bool nested)
{
    size_t depth = 1;
    size_t at = 2;
    while (at + 1 < size && depth) {
        if (memcmp(text + at, "*/", 2) == 0 || (nested && memcmp(text + at, "/*", 2) == 0)) {
            depth = text[at] == '*' ? depth - 1 : depth + 1;
            at++;
        }
        at++;
    }
    return depth ? size : at;
}

/* A versioned comment's content is code: only its signs are skipped. */
static size_t versioned_comment(const char *text, size_t size)
{
    size_t at = text[2] == '!' ? 3 : text[2] == 'M' && size > 3 && text[3] == '!' ? 4 : 0;
    while (at && at < size && is_digit(text[at]))
        at++;
    return at;
}

/* The size of the blank or comment at `text`; 0 when it is none. */
static size_t skipped(enum db_engine engine, const char *text, size_t size)
{
    bool mysql = engine == DB_MYSQL;
    if (is_blank(*text))
        return 1;
    if ((size >= 2 && memcmp(text, "--", 2) == 0) || (mysql && *text == '#')) {
        const char *newline = memchr(text, '\n', size);
        return newline ? (size_t)(newline - text) : size;
    }
    if (mysql && size >= 2 && memcmp(text, "*/", 2) == 0)
        return 2;
    if (size < 2 || memcmp(text, "/*", 2) != 0)
        return 0;
    size_t signs = mysql && size > 2 ? versioned_comment(text, size) : 0;
    return signs ? signs : block_comment(text, size, engine == DB_POSTGRES);
}

/* A doubled quote stands for itself; a backslash hides what follows where it `escapes`. */
static size_t quoted(const char *text, size_t size, bool escapes)
{
    char quote = *text == '[' ? ']' : *text;
    for (size_t at = 1; at < size; at++) {
        bool closes = text[at] == quote;
        bool doubled = closes && quote != ']' && at + 1 < size && text[at + 1] == quote;
        if (doubled || (escapes && text[at] == '\\'))
            at++;
        else if (closes)
            return at + 1;
    }
    return size;
}

/* $tag$ ... $tag$; 0 when it is none. */
static size_t dollar_quoted(const char *text, size_t size)
{
    size_t tag = 1;
    while (tag < size && in_word(text[tag]))
        tag++;
    if (tag >= size || text[tag] != '$' || is_digit(text[1]))
        return 0;
    tag++;
    const char *close = memmem(text + tag, size - tag, text, tag);
    return close ? (size_t)(close - text) + tag : size;
}

static struct piece piece_at(enum db_engine engine, const char *text, size_t size)
{
    bool postgres = engine == DB_POSTGRES;
    struct piece piece = {.kind = PIECE_SIGN, .text = text, .size = 1};
    if (*text == '"' || *text == '`' || (*text == '[' && engine == DB_SQLITE)) {
        piece.kind = PIECE_NAME;
        piece.size = quoted(text, size, false);
    } else if (*text == '\'') {
        piece.kind = PIECE_STRING;
        piece.size = quoted(text, size, engine == DB_MYSQL);
    } else if (postgres && size > 1 && strchr("eE", *text) && text[1] == '\'') {
        piece.kind = PIECE_STRING;
        piece.size = 1 + quoted(text + 1, size - 1, true);
    } else if (postgres && *text == '$' && dollar_quoted(text, size)) {
        piece.kind = PIECE_STRING;
        piece.size = dollar_quoted(text, size);
    } else if (in_word(*text)) {
        piece.kind = is_digit(*text) ? PIECE_NUMBER : PIECE_WORD;
        while (piece.size < size && (in_word(text[piece.size]) || text[piece.size] == '$' ||
                                     (piece.kind == PIECE_NUMBER && text[piece.size] == '.')))
            piece.size++;
    } else if (size > 1 && memcmp(text, "::", 2) == 0) {
        piece.size = 2;
    }
    return piece;
}

void phrase_read(struct phrase *phrase, enum db_engine engine, const char *text, size_t size)
{
    size_t depth = 0;
    phrase->engine = engine;
    while (size > 0 && phrase->count < PHRASE_MAXIMUM) {
        size_t used = skipped(engine, text, size);
        if (!used) {
            struct piece piece = piece_at(engine, text, size);
            used = piece.size;
            if (*piece.text == ')' && depth > 0)
                depth--;
            piece.depth = depth;
            ARRAY_GROW(phrase->items, phrase->count, phrase->capacity);
            phrase->items[phrase->count++] = piece;
            depth += *piece.text == '(' && piece.kind == PIECE_SIGN;
        }
        text += used;
        size -= used;
    }
}

void phrase_clear(struct phrase *phrase)
{
    free(phrase->items);
    *phrase = PHRASE_INIT;
}

/* ---- reading along ---- */

struct reading reading_of(const struct phrase *phrase)
{
    return (struct reading){.phrase = phrase, .end = phrase->count};
}

const struct piece *reading_piece(const struct reading *reading, size_t ahead)
{
    size_t at = reading->at + ahead;
    return at < reading->end ? &reading->phrase->items[at] : NULL;
}

/* How many phrase from `at` on read as `text`; 0 when they do not. */
static size_t reads_as(const struct reading *reading, size_t at, const char *text)
{
    size_t start = at;
    while (*text) {
        size_t size = strcspn(text, " ");
        if (at >= reading->end)
            return 0;
        const struct piece *piece = &reading->phrase->items[at];
        bool plain = piece->kind == PIECE_WORD || piece->kind == PIECE_SIGN;
        if (!plain || piece->size != size || strncasecmp(piece->text, text, size) != 0)
            return 0;
        at++;
        text += size;
        text += *text == ' ';
    }
    return at - start;
}

bool reading_is(const struct reading *reading, const char *text)
{
    return reads_as(reading, reading->at, text) > 0;
}

bool reading_take(struct reading *reading, const char *text)
{
    size_t count = reads_as(reading, reading->at, text);
    reading->at += count;
    return count > 0;
}

bool reading_find(struct reading *reading, const char *text)
{
    const struct piece *first = reading_piece(reading, 0);
    for (size_t at = reading->at; at < reading->end; at++) {
        if (reading->phrase->items[at].depth != first->depth || !reads_as(reading, at, text))
            continue;
        reading->at = at;
        return true;
    }
    return false;
}

bool reading_has(const struct reading *reading, const char *text)
{
    for (size_t at = reading->at; at < reading->end; at++)
        if (reads_as(reading, at, text))
            return true;
    return false;
}

char *reading_take_name(struct reading *reading)
{
    const struct piece *first = reading_piece(reading, 0);
    const struct piece *last = first;
    if (!first || (first->kind != PIECE_WORD && first->kind != PIECE_NAME))
        return NULL;
    reading->at++;
    for (;;) {
        const struct piece *dot = reading_piece(reading, 0);
        const struct piece *next = reading_piece(reading, 1);
        if (!dot || *dot->text != '.' || !next ||
            (next->kind != PIECE_WORD && next->kind != PIECE_NAME))
            break;
        last = next;
        reading->at += 2;
    }
    return mem_string_n(first->text, (size_t)(last->text + last->size - first->text));
}

struct reading reading_take_parentheses(struct reading *reading)
{
    const struct piece *open = reading_piece(reading, 0);
    struct reading inside = {.phrase = reading->phrase, .at = reading->at, .end = reading->at};
    if (!open || open->kind != PIECE_SIGN || *open->text != '(')
        return inside;
    inside.at = inside.end = reading->at + 1;
    while (inside.end < reading->end && reading->phrase->items[inside.end].depth > open->depth)
        inside.end++;
    reading->at = inside.end < reading->end ? inside.end + 1 : inside.end;
    return inside;
}

bool reading_take_item(struct reading *reading, struct reading *ret_item)
{
    const struct piece *first = reading_piece(reading, 0);
    if (!first)
        return false;
    size_t at = reading->at;
    while (at < reading->end &&
           !(reading->phrase->items[at].depth == first->depth && reads_as(reading, at, ",")))
        at++;
    *ret_item = (struct reading){.phrase = reading->phrase, .at = reading->at, .end = at};
    reading->at = at < reading->end ? at + 1 : at;
    return true;
}

char *reading_text(const struct reading *reading)
{
    if (reading->at >= reading->end)
        return mem_string("");
    const struct piece *first = &reading->phrase->items[reading->at];
    const struct piece *last = &reading->phrase->items[reading->end - 1];
    return mem_string_n(first->text, (size_t)(last->text + last->size - first->text));
}

/* ---- names ---- */

static void append_part(struct buf *buf, const struct piece *piece)
{
    bool quotes = piece->kind == PIECE_NAME;
    size_t end = quotes && piece->size > 1 ? piece->size - 1 : piece->size;
    char quote = quotes && *piece->text == '[' ? ']' : *piece->text;
    for (size_t i = quotes ? 1 : 0; i < end; i++) {
        char c = piece->text[i];
        if (quotes && c == quote && i + 1 < end)
            i++;
        buf_append_char(buf, quotes ? c : text_lower(c));
    }
}

char *name_plain(enum db_engine engine, const char *written)
{
    struct buf buf = BUF_INIT;
    struct phrase phrase __attribute__((cleanup(scoped_phrase_cleanup))) = PHRASE_INIT;
    phrase_read(&phrase, engine, written, strlen(written));
    if (phrase.count)
        append_part(&buf, &phrase.items[phrase.count - 1]);
    return buf_steal(&buf);
}

/* "store" of "store.goods", plain; NULL when there is none. To be freed. */
static char *schema_of(enum db_engine engine, const char *written)
{
    struct buf buf = BUF_INIT;
    struct phrase phrase __attribute__((cleanup(scoped_phrase_cleanup))) = PHRASE_INIT;
    phrase_read(&phrase, engine, written, strlen(written));
    if (phrase.count < 3)
        return NULL;
    append_part(&buf, &phrase.items[phrase.count - 3]);
    return buf_steal(&buf);
}

bool name_same(enum db_engine engine, const char *a, const char *b)
{
    SCOPED(string) char *left = name_plain(engine, a);
    SCOPED(string) char *right = name_plain(engine, b);
    bool same = engine == DB_POSTGRES ? strcmp(left, right) == 0 : strcasecmp(left, right) == 0;
    if (!same)
        return false;
    SCOPED(string) char *left_schema = schema_of(engine, a);
    SCOPED(string) char *right_schema = schema_of(engine, b);
    return !left_schema || !right_schema || strcasecmp(left_schema, right_schema) == 0;
}
