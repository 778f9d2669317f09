/*
 * The words and signs of one statement, and a way to read along them: for those that must know what
 * a statement does, not only where it ends.
 *
 * Comments and blanks are left out; the content of MySQL's versioned comments is code. Pieces
 * borrow from the statement's text. Of a very long statement only the first PHRASE_MAXIMUM pieces
 * are kept: what it does stands at its beginning.
 */
#ifndef KEDGE_MIGRATE_PHRASE_H
#define KEDGE_MIGRATE_PHRASE_H

#include "base/mem.h"
#include "db/url.h"

#include <stdbool.h>
#include <stddef.h>

#define PHRASE_MAXIMUM ((size_t)1 << 16)

enum piece_kind {
    PIECE_WORD,   /* a keyword or a plain name */
    PIECE_NAME,   /* a quoted name, with its quotes */
    PIECE_STRING, /* with its quotes, or a dollar quote */
    PIECE_NUMBER,
    PIECE_SIGN, /* one byte, or `::` */
};

struct piece {
    enum piece_kind kind;
    const char *text;
    size_t size;
    size_t depth; /* parentheses open before it; those themselves stand outside */
};

struct phrase {
    enum db_engine engine;
    struct piece *items;
    size_t count;
    size_t capacity;
};

#define PHRASE_INIT ((struct phrase){0})

void phrase_read(struct phrase *phrase, enum db_engine engine, const char *text, size_t size);
void phrase_clear(struct phrase *phrase);

/* A part of the phrase: from `at`, up to and without `end`. A value: copy it to look ahead. */
struct reading {
    const struct phrase *phrase;
    size_t at;
    size_t end;
};

struct reading reading_of(const struct phrase *phrase);

/* The piece `ahead` of the reading; NULL after the last. */
const struct piece *reading_piece(const struct reading *reading, size_t ahead);
/* Do the words and signs from here on read as `text`, as "IF NOT EXISTS"? Case is no matter. */
bool reading_is(const struct reading *reading, const char *text);
/* The same, and step behind them. */
bool reading_take(struct reading *reading, const char *text);
/* Step to where `text` reads at the depth of the reading's first piece; false, without a step, when
 * nowhere. */
bool reading_find(struct reading *reading, const char *text);
/* Is the word somewhere, at any depth? */
bool reading_has(const struct reading *reading, const char *text);

/* Take a name with its schema, as it is written ("store.\"Odd\""), to be freed; NULL when there is
 * none. */
char *reading_take_name(struct reading *reading);
/* Skip "( ... )"; the reading over what is in them. Without one the answer is empty. */
struct reading reading_take_parentheses(struct reading *reading);
/* The part up to the next comma at this depth; the reading is behind the comma afterwards. False
 * when nothing is left. */
bool reading_take_item(struct reading *reading, struct reading *ret_item);
/* The text from the first to the last piece, as it is written; to be freed. */
char *reading_text(const struct reading *reading);

/* A name without its quotes and, where the engine does so, in lower case; the last part only. To be
 * freed. */
char *name_plain(enum db_engine engine, const char *written);
/* Do two written names, with or without their schema, mean one thing? */
bool name_same(enum db_engine engine, const char *a, const char *b);

static inline void scoped_phrase_cleanup(struct phrase *phrase)
{
    phrase_clear(phrase);
}

#endif
