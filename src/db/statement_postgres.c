/*
 * PostgreSQL: as psql's lexer, which is the server's own.
 */
#include "db/statement_core.h"

#include "base/error.h"

#include <string.h>
#include <strings.h>

#define COMMAND_MAXIMUM 32 /* no command of psql has a longer name */

enum routine_word {
    ROUTINE_CREATE,
    ROUTINE_OR,
    ROUTINE_REPLACE,
    ROUTINE_KIND,
    ROUTINE_YES,
    ROUTINE_NO
};

struct postgres_reader {
    struct statement_reader reader;
    size_t parentheses;
    enum routine_word routine; /* the next word that CREATE [OR REPLACE] FUNCTION needs */
    size_t body;               /* depth of BEGIN ATOMIC and CASE */
    bool begin;                /* the last token was BEGIN */
    bool named;                /* it was `.` or AS: a word is a name, whatever it says */
    bool number;               /* it was a number, or its point */
    bool copy;                 /* the first word was COPY */
    bool from;                 /* the last word was FROM */
    bool copy_stdin;
    bool sets;      /* the first word was SET or RESET */
    bool escapes;   /* standard_conforming_strings is off now */
    bool any;       /* there was a word */
    bool continued; /* the last token was a string with escapes: another on a later line goes on
                       with it */
};

static struct postgres_reader *postgres(struct statement_reader *reader)
{
    return (struct postgres_reader *)reader;
}

static const struct postgres_reader *postgres_const(const struct statement_reader *reader)
{
    return (const struct postgres_reader *)reader;
}

static void postgres_reset(struct statement_reader *reader)
{
    struct postgres_reader *this = postgres(reader);
    this->parentheses = 0;
    this->routine = ROUTINE_CREATE;
    this->body = 0;
    this->begin = false;
    this->named = false;
    this->number = false;
    this->copy = false;
    this->from = false;
    this->copy_stdin = false;
    this->sets = false;
    this->any = false;
    this->continued = false;
}

static void postgres_restart(struct statement_reader *reader)
{
    postgres_reset(reader);
    postgres(reader)->escapes = reader->options.escape_strings;
}

/* Follow CREATE [OR REPLACE] FUNCTION|PROCEDURE, the only statements with a BEGIN ATOMIC body. */
static enum routine_word routine_next(enum routine_word wanted, const char *text, size_t size)
{
    switch (wanted) {
    case ROUTINE_CREATE:
        return scan_is(text, size, "create") ? ROUTINE_OR : ROUTINE_NO;
    case ROUTINE_OR:
        if (scan_is(text, size, "or"))
            return ROUTINE_REPLACE;
        __attribute__((fallthrough));
    case ROUTINE_KIND:
        return scan_is(text, size, "function") || scan_is(text, size, "procedure") ? ROUTINE_YES
                                                                                   : ROUTINE_NO;
    case ROUTINE_REPLACE:
        return scan_is(text, size, "replace") ? ROUTINE_KIND : ROUTINE_NO;
    default:
        return wanted;
    }
}

static void body_word(struct postgres_reader *this, const char *text, size_t size)
{
    bool begin = this->begin;
    bool named = this->named;
    this->begin = false;
    this->named = scan_is(text, size, "as");
    this->number = false;
    if (this->routine != ROUTINE_YES || this->parentheses > 0 || named)
        return;
    if (this->body == 0) {
        if (begin && scan_is(text, size, "atomic"))
            this->body = 1;
        else
            this->begin = scan_is(text, size, "begin");
        return;
    }
    if (scan_is(text, size, "case"))
        this->body++;
    else if (scan_is(text, size, "end"))
        this->body--;
}

/* In `1. END` the point belongs to the number. */
static void body_sign(struct postgres_reader *this, char sign)
{
    this->begin = false;
    this->named = sign == '.' && !this->number;
    this->number = (sign >= '0' && sign <= '9') || (sign == '.' && this->number);
}

static void copy_word(struct postgres_reader *this, const char *text, size_t size)
{
    if (this->parentheses > 0)
        return;
    /* To the server FROM stdout is the same. */
    if (this->copy && this->from && (scan_is(text, size, "stdin") || scan_is(text, size, "stdout")))
        this->copy_stdin = true;
    this->from = this->copy && scan_is(text, size, "from");
}

static int code_word(struct statement_reader *reader)
{
    struct postgres_reader *this = postgres(reader);
    size_t size = scan_word(reader, SCAN_IN_WORD);
    if (!size || (size == 1 && scan_short(reader, 2)))
        return SCAN_MORE;
    const char *text = scan_text(reader);
    if (size == 1 && (text[0] == 'e' || text[0] == 'E') && scan_left(reader) > 1 &&
        text[1] == '\'') {
        scan_open_quote(reader, 2, '\'', true);
        return SCAN_GO;
    }
    if (!this->any) {
        this->copy = scan_is(text, size, "copy");
        this->sets = scan_is(text, size, "set") || scan_is(text, size, "reset");
    }
    this->any = true;
    this->routine = routine_next(this->routine, text, size);
    body_word(this, text, size);
    copy_word(this, text, size);
    scan_take(reader, size);
    return SCAN_GO;
}

/* `$1`, `$tag$` or a lone dollar. */
static int code_dollar(struct statement_reader *reader)
{
    const char *text = scan_text(reader);
    if (scan_short(reader, 2))
        return SCAN_MORE;
    bool number = scan_left(reader) > 1 && text[1] >= '0' && text[1] <= '9';
    size_t size = scan_word(reader, SCAN_LETTER | SCAN_DIGIT);
    if (!size)
        return SCAN_MORE;
    if (number || size == scan_left(reader) || text[size] != '$') {
        scan_take(reader, number ? 1 + strspn(text + 1, "0123456789") : 1);
        return SCAN_GO;
    }
    reader->opened = reader->at;
    reader->tag_size = size + 1;
    scan_take(reader, reader->tag_size);
    reader->state = SCAN_DOLLAR;
    return SCAN_GO;
}

static int code_backslash(struct statement_reader *reader, struct error *err)
{
    const char *text = scan_text(reader);
    size_t size = 1;
    while (size < scan_left(reader) && size < COMMAND_MAXIMUM && scan_in(text[size], SCAN_LETTER))
        size++;
    if (size == scan_left(reader) && size < COMMAND_MAXIMUM && !reader->eof)
        return SCAN_MORE;
    bool start = reader->fresh && reader->begin == STATEMENT_NONE;
    if (start && (scan_is(text, size, "\\restrict") || scan_is(text, size, "\\unrestrict"))) {
        reader->state = SCAN_SKIP_LINE;
        return SCAN_GO;
    }
    scan_fail(reader, reader->at, true, err, "%.*s is a command of psql, not SQL", (int)size, text);
    return error_hint(err,
                      "take it out; only SQL and COPY ... FROM stdin with its rows can be run");
}

static int code_semicolon(struct statement_reader *reader, struct error *err)
{
    struct postgres_reader *this = postgres(reader);
    bool ends = this->parentheses == 0 && this->body == 0;
    /* Rows cannot be part of a block. */
    if (ends && (!reader->block || this->copy_stdin))
        return scan_emit(reader, 1, true, err);
    if (reader->begin != STATEMENT_NONE)
        scan_take(reader, 1);
    else
        reader->at++;
    return SCAN_GO;
}

static int code_sign(struct statement_reader *reader, struct error *err)
{
    struct postgres_reader *this = postgres(reader);
    const char *text = scan_text(reader);
    char next = scan_left(reader) > 1 ? text[1] : '\0';
    switch (text[0]) {
    case ';':
        return code_semicolon(reader, err);
    case '\\':
        return code_backslash(reader, err);
    case '$':
        return code_dollar(reader);
    case '"':
        body_sign(this, '"');
        scan_open_quote(reader, 1, '"', false);
        return SCAN_GO;
    case '-':
    case '/':
        if (scan_short(reader, 2))
            return SCAN_MORE;
        if (text[0] == '-' && next == '-') {
            scan_open_comment(reader, 2, SCAN_LINE_COMMENT);
            return SCAN_GO;
        }
        if (text[0] == '/' && next == '*') {
            scan_open_comment(reader, 2, SCAN_BLOCK_COMMENT);
            return SCAN_GO;
        }
        break;
    case '(':
        this->parentheses++;
        break;
    case ')':
        if (this->parentheses > 0)
            this->parentheses--;
        break;
    default:
        break;
    }
    body_sign(this, text[0]);
    scan_take(reader, 1);
    return SCAN_GO;
}

/* Is there a line's end between the string and here? Comments between
 * them do not matter. */
static bool is_continued(const struct postgres_reader *this)
{
    const struct statement_reader *reader = &this->reader;
    return this->continued && reader->end < reader->at &&
           memchr(reader->buf.data + reader->end, '\n', reader->at - reader->end);
}

static int postgres_code(struct statement_reader *reader, struct error *err)
{
    struct postgres_reader *this = postgres(reader);
    char c = *scan_text(reader);
    if (c == '\'') {
        bool escapes = is_continued(this) || this->escapes;
        scan_open_quote(reader, 1, '\'', escapes);
        this->continued = escapes;
        return SCAN_GO;
    }
    int result = scan_in(c, SCAN_LETTER) ? code_word(reader) : code_sign(reader, err);
    if (result == SCAN_GO && reader->state == SCAN_QUOTE && reader->quote == '\'')
        this->continued = true;
    else if (result == SCAN_GO && reader->state != SCAN_LINE_COMMENT)
        this->continued = false;
    return result;
}

static bool postgres_inside(const struct statement_reader *reader)
{
    return postgres_const(reader)->parentheses > 0 || postgres_const(reader)->body > 0;
}

static const char *postgres_unfinished(const struct statement_reader *reader)
{
    const struct postgres_reader *this = postgres_const(reader);
    if (this->body > 0)
        return "BEGIN ATOMIC ... END body";
    return this->parentheses > 0 ? "parenthesis" : NULL;
}

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t\r\n\f");
}

/* After `word` and the blanks behind it, or NULL when the text does not begin with it. */
static const char *after_word(const char *text, const char *word)
{
    size_t size = strlen(word);
    if (strncasecmp(text, word, size) != 0 || scan_in(text[size], SCAN_IN_WORD))
        return NULL;
    return skip_blanks(text + size);
}

/* SET [SESSION | LOCAL] standard_conforming_strings = off: what a backslash is to the server from
 * here on. psql asks the server, and reads on in the same way. */
static void follow_strings(struct postgres_reader *this, const char *text)
{
    static const char *const off[] = {"off", "0", "false", "no"};
    bool resets = after_word(text, "reset") != NULL;
    const char *at = after_word(text, resets ? "reset" : "set");
    const char *scoped = at ? after_word(at, "session") : NULL;
    scoped = at && !scoped ? after_word(at, "local") : scoped;
    at = scoped ? scoped : at;
    at = at ? after_word(at, "standard_conforming_strings") : NULL;
    if (!at)
        return;
    this->escapes = false;
    const char *value = resets ? NULL : *at == '=' ? skip_blanks(at + 1) : after_word(at, "to");
    if (value && *value == '\'')
        value++;
    for (size_t i = 0; value && i < sizeof off / sizeof *off; i++)
        this->escapes |= after_word(value, off[i]) != NULL;
}

static int postgres_found(struct statement_reader *reader, struct statement *statement,
                          struct error *err)
{
    struct postgres_reader *this = postgres(reader);
    (void)err;
    if (this->copy_stdin)
        statement->kind = STATEMENT_COPY;
    if (this->sets)
        follow_strings(this, statement->text);
    return 0;
}

const struct dialect dialect_postgres = {
    .size = sizeof(struct postgres_reader),
    .code = postgres_code,
    .reset = postgres_reset,
    .restart = postgres_restart,
    .inside = postgres_inside,
    .unfinished = postgres_unfinished,
    .found = postgres_found,
    .cr_ends_comment = true,
    .nested_comments = true,
};
