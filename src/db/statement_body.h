/*
 * Follows MySQL's compound statements word by word, so that the reader knows whether a `;` ends a
 * statement or only a step within a routine's body, without DELIMITER.
 *
 * BEGIN, IF, CASE, LOOP, WHILE, REPEAT and FOR open a block where a statement may begin, and only
 * there; elsewhere they are functions or names. Only CREATE PROCEDURE, FUNCTION, TRIGGER, EVENT,
 * ALTER EVENT and MariaDB's compound statements outside of routines have a body at all.
 */
#ifndef KEDGE_DB_STATEMENT_BODY_H
#define KEDGE_DB_STATEMENT_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum body_phase {
    BODY_FIRST,   /* no word yet */
    BODY_LABEL,   /* the first word may be a label */
    BODY_BEGIN,   /* BEGIN: NOT ATOMIC follows, or it opens a transaction */
    BODY_CREATE,  /* CREATE or ALTER: of what? */
    BODY_ROUTINE, /* until the end of the parameters */
    BODY_HEADER,  /* RETURNS and characteristics */
    BODY_TRIGGER, /* until FOR EACH ROW */
    BODY_ORDER,   /* FOLLOWS or PRECEDES another trigger */
    BODY_EVENT,   /* until DO */
    BODY_INSIDE,
    BODY_NONE, /* a statement that can have no body */
};

struct body {
    enum body_phase phase;
    bool at_start;   /* a statement may begin here */
    bool begun;      /* the last word was a block's BEGIN: NOT ATOMIC may follow */
    bool ended;      /* the last word was END: its kind may follow */
    bool label;      /* the last word stood where a statement begins */
    bool named;      /* the last token was `.` or `@`: a word is a name */
    bool declares;   /* in a DECLARE */
    bool type_set;   /* the last word was RETURNS, CHARACTER or CHAR: SET is no statement */
    uint8_t handler; /* how far DECLARE ... HANDLER FOR has come */
    uint8_t order;   /* BODY_ORDER, BODY_TRIGGER: words seen */
    size_t parentheses;
    size_t depth;       /* blocks open */
    uint8_t kinds[256]; /* of the blocks, with a flag while in their condition */
};

#define BODY_INIT ((struct body){.phase = BODY_FIRST})

/* A word outside of quotes. -1 when blocks are nested too deep to follow. */
int body_word(struct body *body, const char *text, size_t size);
/* A quoted name, or a string. */
void body_quoted(struct body *body, bool string);
/* Any other sign. `next` is the byte after it. */
void body_sign(struct body *body, char sign, char next);
/* A `;`: does the statement end here? */
bool body_semicolon(struct body *body);
/* Is a block open? */
bool body_open(const struct body *body);

#endif
