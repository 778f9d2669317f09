#include "migrate/cursor.h"

#include "base/mem.h"
#include "base/text.h"

#include <string.h>

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
    return cursor_ahead(cursor, 0);
}

const struct token *cursor_ahead(const struct cursor *cursor, size_t count)
{
    size_t at = cursor->at + count;
    return at < cursor->end ? &cursor->tokens->items[at] : NULL;
}

/* How many tokens the words are; 0 when they do not come next. */
static size_t words_here(const struct cursor *cursor, const char *words)
{
    size_t at = cursor->at;
    while (*words) {
        size_t size = strcspn(words, " ");
        if (at >= cursor->end || !token_reads(&cursor->tokens->items[at], words, size))
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

bool cursor_mentions(const struct cursor *cursor, const char *words)
{
    struct cursor here = *cursor;
    for (; !cursor_ended(&here); here.at++)
        if (cursor_is(&here, words))
            return true;
    return false;
}

bool cursor_seek(struct cursor *cursor, const char *words)
{
    size_t at = cursor_find(cursor, words);
    if (at == TOKEN_NONE)
        return false;
    cursor->at = at;
    return true;
}

bool cursor_pass(struct cursor *cursor, const char *words)
{
    return cursor_seek(cursor, words) && cursor_take(cursor, words);
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

bool cursor_item(struct cursor *cursor, struct cursor *ret_item)
{
    struct cursor item = *cursor;
    if (cursor_ended(cursor))
        return false;
    size_t comma = cursor_find(cursor, ",");
    item.end = comma == TOKEN_NONE ? cursor->end : comma;
    cursor->at = comma == TOKEN_NONE ? cursor->end : comma + 1;
    *ret_item = item;
    return true;
}

/* ---- names and texts ---- */

bool cursor_name(struct cursor *cursor, struct sql_name *ret_name)
{
    enum db_engine engine = cursor->tokens->engine;
    struct sql_name name = {.text = ""};
    if (!token_is_name(cursor_token(cursor)))
        return false;
    for (;;) {
        sql_name_add(&name, engine, cursor_token(cursor));
        cursor->at++;
        if (!token_is(cursor_token(cursor), ".") || !token_is_name(cursor_ahead(cursor, 1)))
            break;
        cursor->at++;
    }
    sql_name_drop_usual_schema(&name, engine);
    *ret_name = name;
    return true;
}

char *cursor_written_name(struct cursor *cursor)
{
    struct cursor name = *cursor;
    struct sql_name ignored;
    if (!cursor_name(cursor, &ignored))
        return NULL;
    name.end = cursor->at;
    return cursor_written(&name);
}

char *cursor_written(const struct cursor *cursor)
{
    if (cursor_ended(cursor))
        return mem_string("");
    const struct token *first = &cursor->tokens->items[cursor->at];
    const struct token *last = &cursor->tokens->items[cursor->end - 1];
    return mem_string_n(first->text, (size_t)(last->text + last->size - first->text));
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
