/*
 * A cursor over the tokens of a statement (migrate/token.h): it asks what comes next, steps over
 * it, and hands out the parts of a list or of parentheses as cursors of their own.
 */
#ifndef KEDGE_MIGRATE_CURSOR_H
#define KEDGE_MIGRATE_CURSOR_H

#include "migrate/sql_name.h"
#include "migrate/token.h"

/* From `at` up to `end`. A value: copy it to look ahead. */
struct cursor {
    const struct tokens *tokens;
    size_t at;
    size_t end;
};

struct cursor cursor_over(const struct tokens *tokens);
bool cursor_ended(const struct cursor *cursor);

/* The token that comes next, or the one `count` behind it; NULL after the last. */
const struct token *cursor_token(const struct cursor *cursor);
const struct token *cursor_ahead(const struct cursor *cursor, size_t count);

/* Do these words and signs ("ADD COLUMN", "PRIMARY KEY (") come next? Case is no matter. */
bool cursor_is(const struct cursor *cursor, const char *words);
/* The same, and step over them. */
bool cursor_take(struct cursor *cursor, const char *words);
/* One token, or a whole group in parentheses. */
void cursor_skip(struct cursor *cursor);

/* Where the words come, outside of parentheses; TOKEN_NONE when nowhere. */
size_t cursor_find(const struct cursor *cursor, const char *words);
bool cursor_has(const struct cursor *cursor, const char *words);
/* Step to where they come, or behind them; false, and no step, when nowhere. */
bool cursor_seek(struct cursor *cursor, const char *words);
bool cursor_pass(struct cursor *cursor, const char *words);
/* Do they come anywhere, in parentheses too? */
bool cursor_mentions(const struct cursor *cursor, const char *words);

/* What is between the parentheses that open here, which are stepped over; empty when none open. */
struct cursor cursor_group(struct cursor *cursor);
/* The part up to the next comma outside of parentheses, which is stepped over; false when nothing
 * is left. */
bool cursor_item(struct cursor *cursor, struct cursor *ret_item);

/* A name, be it qualified, and step over it. False, and nothing is done, when none comes. */
bool cursor_name(struct cursor *cursor, struct sql_name *ret_name);
/* The same, as it is written ("store.\"Odd\""), to be freed; NULL when none comes. */
char *cursor_written_name(struct cursor *cursor);

/* All that is left, as it is written; to be freed. */
char *cursor_written(const struct cursor *cursor);
/* The same in lower case, blanks only where words meet: "numeric(10,2)". */
void cursor_text(const struct cursor *cursor, char *ret_text, size_t size);

#endif
