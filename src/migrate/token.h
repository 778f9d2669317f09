/*
 * The tokens of one statement, and a cursor that walks over them: for those who have to know what a
 * statement says, not only where it ends (that is db/statement.h).
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

void tokens_read(struct tokens *tokens, enum db_engine engine, const char *text, size_t size);
void tokens_clear(struct tokens *tokens);

/* A name as the server knows it: without quotes, folded where the server folds, "schema.name" when
 * it was written so and the schema is not the usual one. Cut when very long. */
struct sql_name {
    char text[192];
};

bool sql_name_is(const struct sql_name *a, const struct sql_name *b);

/* From `at` up to `end`. A value: copy it to look ahead. */
struct cursor {
    const struct tokens *tokens;
    size_t at;
    size_t end;
};

struct cursor cursor_over(const struct tokens *tokens);
bool cursor_ended(const struct cursor *cursor);

/* Do these words and signs ("ADD COLUMN", "PRIMARY KEY (") come next? */
bool cursor_is(const struct cursor *cursor, const char *words);
/* The same, and step over them. */
bool cursor_take(struct cursor *cursor, const char *words);
/* One token, or a whole group in parentheses. */
void cursor_skip(struct cursor *cursor);
/* Where the words come, outside of parentheses; TOKEN_NONE when nowhere. */
size_t cursor_find(const struct cursor *cursor, const char *words);
bool cursor_has(const struct cursor *cursor, const char *words);
/* Step to where they come; to the end when nowhere. */
bool cursor_seek(struct cursor *cursor, const char *words);

/* What is between the parentheses that open here, which are stepped over; empty when none open. */
struct cursor cursor_group(struct cursor *cursor);
/* Up to the next comma outside of parentheses, which is stepped over. */
struct cursor cursor_item(struct cursor *cursor);

/* A name, be it qualified, and step over it. False, and nothing is done, when none comes. */
bool cursor_name(struct cursor *cursor, struct sql_name *ret_name);

/* The token that comes next, or NULL. */
const struct token *cursor_token(const struct cursor *cursor);
bool token_is(const struct token *token, const char *text);

/* All that is left in lower case, blanks only where words meet: "numeric(10,2)". */
void cursor_text(const struct cursor *cursor, char *ret_text, size_t size);

#endif
