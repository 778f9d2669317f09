/*
 * The tokens of one statement: for those who have to know what a statement says, not only where it
 * ends (that is db/statement.h). They are read along with a cursor (migrate/cursor.h).
 *
 * Comments are left out; the content of MySQL's versioned ones is code. A token borrows from the
 * text, so the text has to live as long as the tokens. Very long statements are cut after
 * TOKENS_MAXIMUM tokens: what is looked for stands at the beginning.
 */
#ifndef KEDGE_MIGRATE_TOKEN_H
#define KEDGE_MIGRATE_TOKEN_H

#include "db/url.h"

#include <stdbool.h>
#include <stddef.h>

#define TOKENS_MAXIMUM ((size_t)1 << 16)
#define TOKEN_NONE ((size_t)-1)

enum token_kind {
    TOKEN_WORD,   /* a keyword or a name without quotes */
    TOKEN_NAME,   /* a quoted name, with its quotes */
    TOKEN_STRING, /* with its quotes; dollar quotes too */
    TOKEN_NUMBER,
    TOKEN_SIGN, /* one byte, or "::" */
};

struct token {
    enum token_kind kind;
    const char *text;
    size_t size;
    size_t depth; /* parentheses open before it; those themselves stand outside */
    size_t close; /* of "(": the index of its ")", or the count when there is none */
};

struct tokens {
    enum db_engine engine;
    const char *text;
    struct token *items;
    size_t count;
    size_t capacity;
};

#define TOKENS_INIT ((struct tokens){0})

/* What `tokens` held before is not freed. */
void tokens_read(struct tokens *tokens, enum db_engine engine, const char *text, size_t size);
void tokens_clear(struct tokens *tokens);

/* Is it this word or sign? Case is no matter; NULL is nothing. */
bool token_is(const struct token *token, const char *text);
bool token_reads(const struct token *token, const char *text, size_t size);
/* May it be a name? In MySQL "name" may be one, or a string: the server's mode says which. */
bool token_is_name(const struct token *token);

static inline void scoped_tokens_cleanup(struct tokens *tokens)
{
    tokens_clear(tokens);
}

#endif
