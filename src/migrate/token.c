#include "migrate/token.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- reading ---- */

struct span {
    const char *text;
    size_t size;
};

static bool starts_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool in_word(char c)
{
    return starts_word(c) || is_digit(c) || c == '$';
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool span_starts(const struct span *span, const char *text)
{
    size_t size = strlen(text);
    return span->size >= size && memcmp(span->text, text, size) == 0;
}

static size_t line_size(const struct span *span)
{
    const char *newline = memchr(span->text, '\n', span->size);
    return newline ? (size_t)(newline - span->text) : span->size;
}

/* PostgreSQL's comments nest. */
static size_t block_comment_size(const struct span *span, bool nested)
{
    size_t depth = 1;
    size_t at = 2;
    while (at + 1 < span->size) {
        const char *pair = span->text + at;
        if (pair[0] == '*' && pair[1] == '/') {
            at += 2;
            if (--depth == 0)
                return at;
        } else if (nested && pair[0] == '/' && pair[1] == '*') {
            at += 2;
            depth++;
        } else {
            at++;
        }
    }
    return span->size;
}

/* Where the code of a versioned comment begins; 0 when it is none. */
static size_t versioned_size(const struct span *span)
{
    size_t at = span_starts(span, "/*!") ? 3 : span_starts(span, "/*M!") ? 4 : 0;
    while (at && at < span->size && is_digit(span->text[at]))
        at++;
    return at;
}

/* The length of the blank or comment that comes next, or 0. */
static size_t blank_size(enum db_engine engine, const struct span *span)
{
    bool mysql = engine == DB_MYSQL;
    if (is_blank(*span->text))
        return 1;
    if (span_starts(span, "--") && (!mysql || span->size == 2 || is_blank(span->text[2])))
        return line_size(span);
    if (mysql && *span->text == '#')
        return line_size(span);
    if (mysql && span_starts(span, "*/"))
        return 2;
    if (!span_starts(span, "/*"))
        return 0;
    size_t versioned = mysql ? versioned_size(span) : 0;
    return versioned ? versioned : block_comment_size(span, engine == DB_POSTGRES);
}

static size_t quoted_size(const struct span *span, size_t at, char quote, bool escapes)
{
    while (at < span->size) {
        char c = span->text[at++];
        if (escapes && c == '\\') {
            at++;
        } else if (c == quote) {
            if (at == span->size || span->text[at] != quote || quote == ']')
                break;
            at++;
        }
    }
    return at < span->size ? at : span->size;
}

/* $tag$ ... $tag$; 0 when there is no tag here. */
static size_t dollar_size(const struct span *span)
{
    size_t tag = 1;
    while (tag < span->size && span->text[tag] != '$' && in_word(span->text[tag]))
        tag++;
    if (tag == span->size || span->text[tag] != '$' || is_digit(span->text[1]))
        return 0;
    tag++;
    const char *close = memmem(span->text + tag, span->size - tag, span->text, tag);
    return close ? (size_t)(close - span->text) + tag : span->size;
}

/* E'...', N'...', B'...', X'...' and U&'...': how long what stands before the quote is. */
static size_t prefix_size(enum db_engine engine, const struct span *span)
{
    static const char postgres[] = "eEnNbBxX";
    static const char others[] = "nNbBxX";
    if (span->size >= 3 && engine == DB_POSTGRES && strchr("uU", span->text[0]) &&
        span->text[1] == '&' && strchr("'\"", span->text[2]))
        return 2;
    const char *letters = engine == DB_POSTGRES ? postgres : others;
    return span->size >= 2 && span->text[1] == '\'' && strchr(letters, span->text[0]) ? 1 : 0;
}

static size_t quote_token(enum db_engine engine, const struct span *span, struct token *token)
{
    size_t prefix = prefix_size(engine, span);
    char quote = span->text[prefix];
    bool mysql = engine == DB_MYSQL;
    bool bracket = quote == '[' && engine == DB_SQLITE;
    if (!prefix && !bracket && quote != '\'' && quote != '"' && quote != '`')
        return 0;
    bool string = quote == '\'' || (quote == '"' && mysql);
    bool escapes = string && (mysql || (prefix == 1 && strchr("eE", span->text[0])));
    token->kind = string ? TOKEN_STRING : TOKEN_NAME;
    return quoted_size(span, prefix + 1, bracket ? ']' : quote, escapes);
}

static size_t number_size(const struct span *span)
{
    size_t size = 1;
    while (size < span->size && (in_word(span->text[size]) || span->text[size] == '.'))
        size++;
    return size;
}

static size_t word_size(const struct span *span)
{
    size_t size = 1;
    while (size < span->size && in_word(span->text[size]))
        size++;
    return size;
}

static size_t read_token(enum db_engine engine, const struct span *span, struct token *token)
{
    size_t size = quote_token(engine, span, token);
    if (size)
        return size;
    if (*span->text == '$' && engine == DB_POSTGRES && (size = dollar_size(span)) > 0) {
        token->kind = TOKEN_STRING;
        return size;
    }
    if (starts_word(*span->text)) {
        token->kind = TOKEN_WORD;
        return word_size(span);
    }
    token->kind = is_digit(*span->text) ? TOKEN_NUMBER : TOKEN_SIGN;
    if (token->kind == TOKEN_NUMBER)
        return number_size(span);
    return span_starts(span, "::") ? 2 : 1;
}

/* Each "(" learns where its ")" is: one pass with the open ones linked through `close`. */
static void match_parentheses(struct tokens *tokens)
{
    size_t open = TOKEN_NONE;
    for (size_t i = 0; i < tokens->count; i++) {
        struct token *token = &tokens->items[i];
        if (token_is(token, "(")) {
            token->close = open;
            open = i;
        } else if (token_is(token, ")") && open != TOKEN_NONE) {
            size_t above = tokens->items[open].close;
            tokens->items[open].close = i;
            open = above;
        }
    }
    while (open != TOKEN_NONE) {
        size_t above = tokens->items[open].close;
        tokens->items[open].close = tokens->count;
        open = above;
    }
}

void tokens_read(struct tokens *tokens, enum db_engine engine, const char *text, size_t size)
{
    struct span span = {text, size};
    *tokens = (struct tokens){.engine = engine, .text = text};
    while (span.size > 0 && tokens->count < TOKENS_MAXIMUM) {
        size_t used = blank_size(engine, &span);
        if (!used) {
            struct token token = {.text = span.text};
            used = read_token(engine, &span, &token);
            token.size = used;
            ARRAY_GROW(tokens->items, tokens->count, tokens->capacity);
            tokens->items[tokens->count++] = token;
        }
        span.text += used;
        span.size -= used;
    }
    match_parentheses(tokens);
}

void tokens_clear(struct tokens *tokens)
{
    free(tokens->items);
    *tokens = TOKENS_INIT;
}

/* ---- the cursor ---- */

bool token_is(const struct token *token, const char *text)
{
    return token && (token->kind == TOKEN_WORD || token->kind == TOKEN_SIGN) &&
           strlen(text) == token->size && strncasecmp(token->text, text, token->size) == 0;
}

struct cursor cursor_over(const struct tokens *tokens)
{
    return (struct cursor){.tokens = tokens, .end = tokens->count};
}

bool cursor_ended(const struct cursor *cursor)
{
    return cursor->at >= cursor->end;
}

const struct token *cursor_token(const struct cursor *cursor)
{
    return cursor_ended(cursor) ? NULL : &cursor->tokens->items[cursor->at];
}

/* How many tokens the words are; 0 when they do not come next. */
static size_t words_here(const struct cursor *cursor, const char *words)
{
    size_t at = cursor->at;
    while (*words) {
        char word[32];
        size_t size = strcspn(words, " ");
        if (at >= cursor->end || size >= sizeof word)
            return 0;
        memcpy(word, words, size);
        word[size] = '\0';
        if (!token_is(&cursor->tokens->items[at], word))
            return 0;
        at++;
        words += size;
        words += *words == ' ';
    }
    return at - cursor->at;
}

bool cursor_is(const struct cursor *cursor, const char *words)
{
    return words_here(cursor, words) > 0;
}

bool cursor_take(struct cursor *cursor, const char *words)
{
    size_t count = words_here(cursor, words);
    cursor->at += count;
    return count > 0;
}

void cursor_skip(struct cursor *cursor)
{
    const struct token *token = cursor_token(cursor);
    if (!token)
        return;
    cursor->at = token_is(token, "(") ? token->close + 1 : cursor->at + 1;
    if (cursor->at > cursor->end)
        cursor->at = cursor->end;
}

size_t cursor_find(const struct cursor *cursor, const char *words)
{
    struct cursor here = *cursor;
    for (; !cursor_ended(&here); cursor_skip(&here))
        if (cursor_is(&here, words))
            return here.at;
    return TOKEN_NONE;
}

bool cursor_has(const struct cursor *cursor, const char *words)
{
    return cursor_find(cursor, words) != TOKEN_NONE;
}

bool cursor_seek(struct cursor *cursor, const char *words)
{
    size_t at = cursor_find(cursor, words);
    cursor->at = at == TOKEN_NONE ? cursor->end : at;
    return at != TOKEN_NONE;
}

struct cursor cursor_group(struct cursor *cursor)
{
    struct cursor inside = {.tokens = cursor->tokens, .at = cursor->at, .end = cursor->at};
    const struct token *token = cursor_token(cursor);
    if (!token_is(token, "("))
        return inside;
    inside.at = cursor->at + 1;
    inside.end = token->close < cursor->end ? token->close : cursor->end;
    cursor_skip(cursor);
    return inside;
}

struct cursor cursor_item(struct cursor *cursor)
{
    struct cursor item = *cursor;
    cursor_seek(cursor, ",");
    item.end = cursor->at;
    cursor_take(cursor, ",");
    return item;
}

/* ---- names and texts ---- */

bool sql_name_is(const struct sql_name *a, const struct sql_name *b)
{
    return strcmp(a->text, b->text) == 0;
}

static void name_add(struct sql_name *name, char c)
{
    size_t size = strlen(name->text);
    if (size + 1 < sizeof name->text)
        name->text[size] = c;
}

/* PostgreSQL keeps the case of quoted names; the others do not tell case apart. */
static void name_add_part(struct sql_name *name, const struct tokens *tokens,
                          const struct token *token)
{
    bool quoted = token->kind != TOKEN_WORD;
    bool keep = quoted && tokens->engine == DB_POSTGRES;
    size_t end = quoted && token->size > 1 ? token->size - 1 : token->size;
    for (size_t i = quoted; i < end; i++) {
        char c = token->text[i];
        name_add(name, keep ? c : text_lower(c));
        if (quoted && c == token->text[0] && i + 1 < end && token->text[i + 1] == c)
            i++;
    }
}

static bool is_name(const struct token *token)
{
    return token && (token->kind == TOKEN_WORD || token->kind == TOKEN_NAME ||
                     (token->kind == TOKEN_STRING && token->text[0] == '"'));
}

static void name_drop_usual_schema(struct sql_name *name, enum db_engine engine)
{
    static const char *const usual[] = {
        [DB_SQLITE] = "main.", [DB_POSTGRES] = "public.", [DB_MYSQL] = ""};
    size_t size = strlen(usual[engine]);
    if (size && strncmp(name->text, usual[engine], size) == 0)
        memmove(name->text, name->text + size, strlen(name->text + size) + 1);
}

bool cursor_name(struct cursor *cursor, struct sql_name *ret_name)
{
    struct sql_name name = {.text = ""};
    if (!is_name(cursor_token(cursor)))
        return false;
    for (;;) {
        name_add_part(&name, cursor->tokens, cursor_token(cursor));
        cursor->at++;
        struct cursor next = *cursor;
        if (!cursor_take(&next, ".") || !is_name(cursor_token(&next)))
            break;
        name_add(&name, '.');
        *cursor = next;
    }
    name_drop_usual_schema(&name, cursor->tokens->engine);
    *ret_name = name;
    return true;
}

void cursor_text(const struct cursor *cursor, char *ret_text, size_t size)
{
    size_t used = 0;
    bool after_word = false;
    for (size_t i = cursor->at; i < cursor->end; i++) {
        const struct token *token = &cursor->tokens->items[i];
        bool word = token->kind != TOKEN_SIGN;
        if (word && after_word && used + 1 < size)
            ret_text[used++] = ' ';
        after_word = word;
        bool keep = token->kind == TOKEN_STRING || token->kind == TOKEN_NAME;
        for (size_t j = 0; j < token->size && used + 1 < size; j++)
            ret_text[used++] = keep ? token->text[j] : text_lower(token->text[j]);
    }
    ret_text[used] = '\0';
}
