#include "db/statement_body.h"

#include "base/mem.h"

#include <string.h>
#include <strings.h>

enum word {
    WORD_OTHER,
    WORD_BEGIN,
    WORD_IF,
    WORD_CASE,
    WORD_LOOP,
    WORD_WHILE,
    WORD_REPEAT,
    WORD_FOR,
    WORD_END,
    WORD_ELSE,
    WORD_ELSEIF,
    WORD_THEN,
    WORD_WHEN,
    WORD_UNTIL,
    WORD_DO,
    WORD_DECLARE,
    WORD_HANDLER,
    WORD_NOT,
    WORD_ATOMIC,
    WORD_CREATE,
    WORD_ALTER,
    WORD_ROUTINE, /* PROCEDURE, FUNCTION */
    WORD_TRIGGER,
    WORD_EVENT,
    WORD_OBJECT, /* TABLE and whatever else has no body */
    WORD_EACH,
    WORD_ROW,
    WORD_ORDER, /* FOLLOWS, PRECEDES */
    WORD_SET,
    WORD_TYPE,      /* RETURNS, CHARACTER, CHAR */
    WORD_STATEMENT, /* begins a statement that is no block */
    WORD_SQLSTATE,
    WORD_VALUE,
};

/* What is open; CASE within an expression apart from the statement. */
enum kind {
    KIND_BEGIN,
    KIND_IF,
    KIND_CASE,
    KIND_LOOP,
    KIND_WHILE,
    KIND_REPEAT,
    KIND_FOR,
    KIND_EXPRESSION
};
#define KIND_MASK 0x0F
#define KIND_CONDITION 0x10 /* between IF and THEN, WHILE and DO, UNTIL and END */

enum handler {
    HANDLER_NO,
    HANDLER_FOR,
    HANDLER_CONDITION,
    HANDLER_STATE,
    HANDLER_NOT,
    HANDLER_NEXT
};

static const struct {
    const char *text;
    enum word word;
} words[] = {
    {"AFTER", WORD_OTHER},
    {"ALTER", WORD_ALTER},
    {"ANALYZE", WORD_STATEMENT},
    {"ATOMIC", WORD_ATOMIC},
    {"BEGIN", WORD_BEGIN},
    {"CALL", WORD_STATEMENT},
    {"CASE", WORD_CASE},
    {"CHAR", WORD_TYPE},
    {"CHARACTER", WORD_TYPE},
    {"CREATE", WORD_CREATE},
    {"DATABASE", WORD_OBJECT},
    {"DECLARE", WORD_DECLARE},
    {"DELETE", WORD_STATEMENT},
    {"DO", WORD_DO},
    {"DROP", WORD_STATEMENT},
    {"EACH", WORD_EACH},
    {"ELSE", WORD_ELSE},
    {"ELSEIF", WORD_ELSEIF},
    {"END", WORD_END},
    {"EVENT", WORD_EVENT},
    {"EXECUTE", WORD_STATEMENT},
    {"FOLLOWS", WORD_ORDER},
    {"FOR", WORD_FOR},
    {"FULLTEXT", WORD_OBJECT},
    {"FUNCTION", WORD_ROUTINE},
    {"GRANT", WORD_STATEMENT},
    {"HANDLER", WORD_HANDLER},
    {"IF", WORD_IF},
    {"INDEX", WORD_OBJECT},
    {"INSERT", WORD_STATEMENT},
    {"LOGFILE", WORD_OBJECT},
    {"LOOP", WORD_LOOP},
    {"NOT", WORD_NOT},
    {"PRECEDES", WORD_ORDER},
    {"PREPARE", WORD_STATEMENT},
    {"PROCEDURE", WORD_ROUTINE},
    {"REPEAT", WORD_REPEAT},
    {"REPLACE", WORD_STATEMENT},
    {"RETURN", WORD_STATEMENT},
    {"RETURNS", WORD_TYPE},
    {"ROLE", WORD_OBJECT},
    {"ROW", WORD_ROW},
    {"SCHEMA", WORD_OBJECT},
    {"SELECT", WORD_STATEMENT},
    {"SEQUENCE", WORD_OBJECT},
    {"SERVER", WORD_OBJECT},
    {"SET", WORD_SET},
    {"SHOW", WORD_STATEMENT},
    {"SIGNAL", WORD_STATEMENT},
    {"SPATIAL", WORD_OBJECT},
    {"SQLSTATE", WORD_SQLSTATE},
    {"TABLE", WORD_OBJECT},
    {"TABLESPACE", WORD_OBJECT},
    {"TEMPORARY", WORD_OBJECT},
    {"THEN", WORD_THEN},
    {"TRIGGER", WORD_TRIGGER},
    {"TRUNCATE", WORD_STATEMENT},
    {"UNIQUE", WORD_OBJECT},
    {"UNTIL", WORD_UNTIL},
    {"UPDATE", WORD_STATEMENT},
    {"USER", WORD_OBJECT},
    {"VALUE", WORD_VALUE},
    {"VIEW", WORD_OBJECT},
    {"WHEN", WORD_WHEN},
    {"WHILE", WORD_WHILE},
    {"WITH", WORD_STATEMENT},
};

/* Mostly the first letter decides. */
static int compare_word(const char *text, size_t size, const char *word)
{
    int order = (text[0] & 0x5F) - word[0];
    if (order == 0)
        order = strncasecmp(text, word, size);
    return order == 0 && word[size] ? -1 : order;
}

static enum word word_of(const char *text, size_t size)
{
    size_t low = 0;
    size_t high = ARRAY_SIZE(words);
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = compare_word(text, size, words[middle].text);
        if (order == 0)
            return words[middle].word;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return WORD_OTHER;
}

static enum kind top(const struct body *body)
{
    return body->depth ? (enum kind)(body->kinds[body->depth - 1] & KIND_MASK) : KIND_BEGIN;
}

static bool in_condition(const struct body *body)
{
    return body->depth && (body->kinds[body->depth - 1] & KIND_CONDITION);
}

static void condition_set(struct body *body, bool on)
{
    if (!body->depth)
        return;
    uint8_t *kind = &body->kinds[body->depth - 1];
    *kind = (uint8_t)(on ? *kind | KIND_CONDITION : *kind & KIND_MASK);
}

static int block_push(struct body *body, enum kind kind, bool condition)
{
    if (body->depth == ARRAY_SIZE(body->kinds))
        return -1;
    body->kinds[body->depth++] = (uint8_t)((uint8_t)kind | (condition ? KIND_CONDITION : 0));
    return 0;
}

static int block_pop(struct body *body)
{
    if (body->depth)
        body->depth--;
    body->ended = true;
    return 0;
}

/* A word where a statement may begin. */
static int statement_word(struct body *body, enum word word)
{
    body->at_start = false;
    switch (word) {
    case WORD_BEGIN:
        body->at_start = true;
        body->begun = true;
        return block_push(body, KIND_BEGIN, false);
    case WORD_IF:
        return block_push(body, KIND_IF, true);
    case WORD_CASE:
        return block_push(body, KIND_CASE, true);
    case WORD_LOOP:
        body->at_start = true;
        return block_push(body, KIND_LOOP, false);
    case WORD_REPEAT:
        body->at_start = true;
        return block_push(body, KIND_REPEAT, false);
    case WORD_WHILE:
        return block_push(body, KIND_WHILE, true);
    case WORD_FOR:
        return block_push(body, KIND_FOR, true);
    case WORD_ELSE:
        body->at_start = true;
        return 0;
    case WORD_ELSEIF:
    case WORD_WHEN:
    case WORD_UNTIL:
        condition_set(body, true);
        return 0;
    case WORD_END:
        return block_pop(body);
    case WORD_DECLARE:
        body->declares = true;
        return 0;
    default:
        body->label = word == WORD_OTHER;
        return 0;
    }
}

/* A word in the middle of one. */
static int inner_word(struct body *body, enum word word, bool ended)
{
    switch (word) {
    case WORD_CASE:
        return ended ? 0 : block_push(body, KIND_EXPRESSION, false);
    case WORD_END:
        if (body->depth &&
            (top(body) == KIND_EXPRESSION || (top(body) == KIND_REPEAT && in_condition(body))))
            block_pop(body);
        /* `END` of an expression is not followed by what it ended. */
        return 0;
    case WORD_THEN:
        if ((top(body) == KIND_IF || top(body) == KIND_CASE) && in_condition(body)) {
            condition_set(body, false);
            body->at_start = true;
        }
        return 0;
    case WORD_DO:
        if ((top(body) == KIND_WHILE || top(body) == KIND_FOR) && in_condition(body)) {
            condition_set(body, false);
            body->at_start = true;
        }
        return 0;
    case WORD_HANDLER:
        if (body->declares)
            body->handler = HANDLER_FOR;
        return 0;
    default:
        return 0;
    }
}

/* DECLARE ... HANDLER FOR condition, condition statement: true when the word belongs to the
 * conditions. */
static bool handler_word(struct body *body, enum word word)
{
    switch (body->handler) {
    case HANDLER_FOR:
        if (word == WORD_FOR)
            body->handler = HANDLER_CONDITION;
        return true;
    case HANDLER_CONDITION:
        body->handler = HANDLER_NEXT;
        if (word == WORD_SQLSTATE)
            body->handler = HANDLER_STATE;
        else if (word == WORD_NOT)
            body->handler = HANDLER_NOT;
        return true;
    case HANDLER_STATE: /* VALUE */
        return true;
    case HANDLER_NOT: /* FOUND */
        body->handler = HANDLER_NEXT;
        return true;
    default:
        body->handler = HANDLER_NO;
        body->declares = false;
        body->at_start = true;
        return false;
    }
}

static int inside_word(struct body *body, enum word word)
{
    bool ended = body->ended;
    bool begun = body->begun;
    body->ended = false;
    body->begun = false;
    body->label = false;
    if (body->handler != HANDLER_NO && handler_word(body, word))
        return 0;
    if (begun && (word == WORD_NOT || word == WORD_ATOMIC)) {
        body->begun = word == WORD_NOT;
        return 0;
    }
    if (body->at_start)
        return statement_word(body, word);
    return inner_word(body, word, ended);
}

static int enter(struct body *body, enum word word)
{
    body->phase = BODY_INSIDE;
    body->at_start = true;
    return inside_word(body, word);
}

static bool opens_block(enum word word)
{
    return word >= WORD_BEGIN && word <= WORD_FOR;
}

static int first_word(struct body *body, enum word word)
{
    if (word == WORD_CREATE || word == WORD_ALTER)
        body->phase = BODY_CREATE;
    else if (word == WORD_BEGIN)
        body->phase = BODY_BEGIN;
    else if (opens_block(word))
        return enter(body, word);
    else
        body->phase = word == WORD_OTHER ? BODY_LABEL : BODY_NONE;
    return 0;
}

static int begin_word(struct body *body, enum word word)
{
    if (word != WORD_NOT) {
        body->phase = BODY_NONE;
        return 0;
    }
    enter(body, WORD_BEGIN);
    return inside_word(body, WORD_NOT);
}

static void create_word(struct body *body, enum word word)
{
    if (word == WORD_ROUTINE)
        body->phase = BODY_ROUTINE;
    else if (word == WORD_TRIGGER)
        body->phase = BODY_TRIGGER;
    else if (word == WORD_EVENT)
        body->phase = BODY_EVENT;
    else if (word == WORD_OBJECT)
        body->phase = BODY_NONE;
}

static int header_word(struct body *body, enum word word)
{
    bool type = body->type_set;
    body->type_set = word == WORD_TYPE;
    body->label = word == WORD_OTHER;
    if (body->parentheses > 0)
        return 0;
    bool statement = word == WORD_STATEMENT || word == WORD_CREATE || word == WORD_ALTER ||
                     word == WORD_DO || (word == WORD_SET && !type);
    return statement || opens_block(word) ? enter(body, word) : 0;
}

/* FOR EACH ROW ends a trigger's head. */
static void trigger_word(struct body *body, enum word word)
{
    static const enum word wanted[] = {WORD_FOR, WORD_EACH, WORD_ROW};
    body->order = word == wanted[body->order] ? (uint8_t)(body->order + 1) : word == WORD_FOR;
    if (body->order < ARRAY_SIZE(wanted))
        return;
    body->order = 0;
    body->phase = BODY_ORDER;
}

/* FOLLOWS name, PRECEDES name, or the body. */
static int order_word(struct body *body, enum word word)
{
    if (body->order == 0 && word == WORD_ORDER) {
        body->order = 1;
        return 0;
    }
    if (body->order == 1) {
        body->order = 2;
        return 0;
    }
    return enter(body, word);
}

int body_word(struct body *body, const char *text, size_t size)
{
    if (body->phase == BODY_NONE)
        return 0;
    bool named = body->named;
    body->named = false;
    enum word word = named ? WORD_OTHER : word_of(text, size);
    switch (body->phase) {
    case BODY_FIRST:
        return first_word(body, word);
    case BODY_BEGIN:
        return begin_word(body, word);
    case BODY_CREATE:
        create_word(body, word);
        return 0;
    case BODY_HEADER:
        return header_word(body, word);
    case BODY_TRIGGER:
        trigger_word(body, word);
        return 0;
    case BODY_ORDER:
        return named ? 0 : order_word(body, word);
    case BODY_EVENT:
        if (word == WORD_DO && body->parentheses == 0) {
            body->phase = BODY_INSIDE;
            body->at_start = true;
        }
        return 0;
    case BODY_INSIDE:
        if (!named)
            return inside_word(body, word);
        body->at_start = false;
        return 0;
    case BODY_LABEL:
        body->phase = BODY_NONE;
        return 0;
    default:
        return 0;
    }
}

void body_quoted(struct body *body, bool string)
{
    bool named = body->named;
    body->named = false;
    body->ended = false;
    body->begun = false;
    body->label = !string && !named && (body->at_start || body->phase == BODY_HEADER);
    if (body->phase == BODY_FIRST)
        body->phase = string ? BODY_NONE : BODY_LABEL;
    else if (body->phase == BODY_LABEL || body->phase == BODY_BEGIN)
        body->phase = BODY_NONE;
    else if (body->phase == BODY_ORDER && body->order == 1)
        body->order = 2;
    if (body->phase != BODY_INSIDE)
        return;
    if (body->handler == HANDLER_STATE || body->handler == HANDLER_CONDITION)
        body->handler = HANDLER_NEXT;
    body->at_start = false;
}

static void parenthesis(struct body *body, bool open)
{
    if (open)
        body->parentheses++;
    else if (body->parentheses > 0)
        body->parentheses--;
    if (!open && body->phase == BODY_ROUTINE && body->parentheses == 0)
        body->phase = BODY_HEADER;
}

void body_sign(struct body *body, char sign, char next)
{
    if (body->phase == BODY_NONE)
        return;
    bool label = body->label || body->phase == BODY_LABEL;
    body->named = sign == '.' || sign == '@' || (sign == '=' && body->phase == BODY_CREATE);
    body->label = false;
    body->ended = false;
    body->begun = false;
    if (sign == '(' || sign == ')')
        parenthesis(body, sign == '(');
    if (sign == ':' && next != '=' && label) {
        bool first = body->phase == BODY_LABEL;
        body->phase = first ? BODY_FIRST : BODY_INSIDE;
        body->at_start = !first;
        return;
    }
    if (body->phase == BODY_LABEL || body->phase == BODY_BEGIN || body->phase == BODY_FIRST)
        body->phase = BODY_NONE;
    if (body->phase != BODY_INSIDE)
        return;
    if (sign == ',' && body->handler == HANDLER_NEXT)
        body->handler = HANDLER_CONDITION;
    body->at_start = false;
}

bool body_semicolon(struct body *body)
{
    while (body->depth && top(body) == KIND_EXPRESSION)
        body->depth--;
    if (body->phase != BODY_INSIDE || body->depth == 0)
        return true;
    body->at_start = true;
    body->declares = false;
    body->handler = HANDLER_NO;
    body->ended = false;
    body->begun = false;
    body->label = false;
    body->named = false;
    return false;
}

bool body_open(const struct body *body)
{
    return body->phase == BODY_INSIDE && body->depth > 0;
}
