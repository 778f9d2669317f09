#include "migrate/token.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* Each token learns how deep it stands, and each "(" where its ")" is: one pass with the open ones
 * linked through `close`. */
static void match_parentheses(struct tokens *tokens)
{
    size_t open = TOKEN_NONE;
    size_t depth = 0;
    for (size_t i = 0; i < tokens->count; i++) {
        struct token *token = &tokens->items[i];
        if (token_is(token, ")") && open != TOKEN_NONE) {
            size_t above = tokens->items[open].close;
            tokens->items[open].close = i;
            open = above;
            depth--;
        }
        token->depth = depth;
        if (token_is(token, "(")) {
            token->close = open;
            open = i;
            depth++;
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

bool token_reads(const struct token *token, const char *text, size_t size)
{
    return token && (token->kind == TOKEN_WORD || token->kind == TOKEN_SIGN) &&
           token->size == size && strncasecmp(token->text, text, size) == 0;
}

bool token_is(const struct token *token, const char *text)
{
    return token_reads(token, text, strlen(text));
}

bool token_is_name(const struct token *token)
{
    return token && (token->kind == TOKEN_WORD || token->kind == TOKEN_NAME ||
                     (token->kind == TOKEN_STRING && *token->text == '"'));
}
