/*
 * MySQL and MariaDB: as their command-line client reads a file, with bodies understood without
 * DELIMITER too.
 */
#include "db/sql_mode.h"
#include "db/statement_body.h"
#include "db/statement_core.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DELIMITER_MAX 15 /* the client's own limit */

struct mysql_reader {
    struct statement_reader reader;
    char delimiter[DELIMITER_MAX + 1];
    size_t delimiter_size;
    struct sql_modes modes;
    struct body body;
    bool sets;      /* the first word was SET */
    bool any;       /* there was a word */
    bool versioned; /* within a versioned comment, whose content is code */
};

static struct mysql_reader *mysql(struct statement_reader *reader)
{
    return (struct mysql_reader *)reader;
}

static void mysql_reset(struct statement_reader *reader)
{
    struct mysql_reader *this = mysql(reader);
    this->body = BODY_INIT;
    this->sets = false;
    this->any = false;
    this->versioned = false;
}

static void mysql_restart(struct statement_reader *reader)
{
    struct mysql_reader *this = mysql(reader);
    mysql_reset(reader);
    strcpy(this->delimiter, ";");
    this->delimiter_size = 1;
    reader->stop_blank = '\0';
    this->modes = (struct sql_modes){0};
    this->modes.initial.ansi_quotes = reader->options.ansi_quotes;
    this->modes.initial.no_backslash_escapes = reader->options.no_backslash_escapes;
    this->modes.now = this->modes.initial;
}

/* Is the delimiter at `offset` from here? SCAN_GO, SCAN_MORE when it may be, -1 when not. */
static int delimiter_here(const struct statement_reader *reader, size_t offset)
{
    const struct mysql_reader *this = (const struct mysql_reader *)reader;
    const char *text = scan_text(reader) + offset;
    size_t left = scan_left(reader) - offset;
    if (text[0] != this->delimiter[0])
        return -1;
    size_t size = left < this->delimiter_size ? left : this->delimiter_size;
    if (memcmp(text, this->delimiter, size) != 0)
        return -1;
    if (size < this->delimiter_size)
        return reader->eof ? -1 : SCAN_MORE;
    return SCAN_GO;
}

static bool plain_delimiter(const struct mysql_reader *this)
{
    return this->delimiter_size == 1 && this->delimiter[0] == ';';
}

static int code_delimiter(struct statement_reader *reader, struct error *err)
{
    struct mysql_reader *this = mysql(reader);
    bool plain = plain_delimiter(this);
    bool ends = !this->versioned && (!plain || (!reader->block && body_semicolon(&this->body)));
    if (ends)
        return scan_emit(reader, this->delimiter_size, true, err);
    if (plain && (reader->block || this->versioned))
        body_semicolon(&this->body);
    if (reader->begin != STATEMENT_NONE)
        scan_take(reader, this->delimiter_size);
    else
        reader->at += this->delimiter_size;
    return SCAN_GO;
}

/* ---- the client's own commands ---- */

#define LINE_MAXIMUM ((size_t)1 << 16) /* a longer line is no command */

enum { COMMAND_NOT = 2 };

/* The line at `at`: SCAN_GO, SCAN_MORE while its end has not come, COMMAND_NOT. */
static int whole_line(const struct statement_reader *reader, size_t *ret_size)
{
    const char *text = scan_text(reader);
    const char *newline = memchr(text, '\n', scan_left(reader));
    if (!newline && !reader->eof)
        return scan_left(reader) > LINE_MAXIMUM ? COMMAND_NOT : SCAN_MORE;
    *ret_size = newline ? (size_t)(newline - text) : scan_left(reader);
    return SCAN_GO;
}

/* The argument of DELIMITER: up to a blank, or quoted; a backslash is taken away, and `\n` is a
 * line's end. */
static size_t delimiter_argument(const char *text, size_t size, char ret_text[static 64])
{
    size_t at = 0;
    size_t length = 0;
    while (at < size && scan_blank((unsigned char)text[at]))
        at++;
    char quote = at < size && strchr("'\"`", text[at]) ? text[at++] : '\0';
    for (; at < size && length < 63; at++) {
        if (quote ? text[at] == quote : scan_blank((unsigned char)text[at]))
            break;
        if (text[at] == '\\' && at + 1 < size)
            ret_text[length++] = text[++at] == 'n' ? '\n' : text[at];
        else
            ret_text[length++] = text[at];
    }
    ret_text[length] = '\0';
    return length;
}

static int command_delimiter(struct statement_reader *reader, size_t word, struct error *err)
{
    struct mysql_reader *this = mysql(reader);
    char argument[64];
    size_t size = 0;
    int line_here = whole_line(reader, &size);
    if (line_here != SCAN_GO)
        return line_here;
    const char *line = scan_text(reader);
    size_t length = delimiter_argument(line + word, size - word, argument);
    if (length == 0)
        return scan_fail(reader, reader->at, true, err,
                         "DELIMITER needs the new delimiter after it");
    if (strchr(argument, '\\'))
        return scan_fail(reader, reader->at, true, err, "DELIMITER cannot contain a backslash");
    if (length > DELIMITER_MAX)
        return scan_fail(reader, reader->at, true, err, "DELIMITER is longer than %d characters",
                         DELIMITER_MAX);
    if (scan_emit(reader, 0, false, err) < 0)
        return SCAN_FAILED;
    memcpy(this->delimiter, argument, length + 1);
    this->delimiter_size = length;
    reader->stop_blank = scan_blank((unsigned char)argument[0]) ? argument[0] : '\0';
    reader->at += size;
    return SCAN_GO;
}

static bool contains(const char *text, size_t size, const char *what, size_t what_size)
{
    return memmem(text, size, what, what_size) != NULL;
}

/* A line such as `use shop` or `source more.sql`, with no delimiter in it: the client obeys it. */
static int command_refuse(struct statement_reader *reader, size_t word, bool takes_argument,
                          struct error *err)
{
    const struct mysql_reader *this = mysql(reader);
    size_t size = 0;
    int line_here = whole_line(reader, &size);
    if (line_here != SCAN_GO)
        return line_here;
    const char *line = scan_text(reader);
    size_t end = size;
    while (end > word && scan_blank((unsigned char)line[end - 1]))
        end--;
    if (contains(line, size, this->delimiter, this->delimiter_size) ||
        contains(line, size, "\\g", 2) || (end > word && !takes_argument))
        return COMMAND_NOT;
    scan_fail(reader, reader->at, true, err, "%.*s is a command of the mariadb client, not SQL",
              (int)word, line);
    return error_hint(err,
                      takes_argument ? "if it is meant for the server, end the line with %s"
                                     : "take it out, or end the line with %s",
                      this->delimiter);
}

/* The word at the start of a statement or line. */
static int code_command(struct statement_reader *reader, size_t word, struct error *err)
{
    static const struct {
        const char *name;
        bool takes_argument;
    } commands[] = {
        {"charset", true},  {"clear", false},    {"connect", true},    {"edit", false},
        {"ego", false},     {"exit", false},     {"go", false},        {"help", true},
        {"nopager", false}, {"notee", false},    {"nowarning", false}, {"pager", true},
        {"print", false},   {"prompt", true},    {"quit", false},      {"rehash", false},
        {"source", true},   {"status", false},   {"system", true},     {"tee", true},
        {"use", true},      {"warnings", false},
    };
    const char *text = scan_text(reader);
    bool first = reader->begin == STATEMENT_NONE;
    bool blank_after = word == scan_left(reader) || scan_blank((unsigned char)text[word]);
    if (blank_after && (first || reader->fresh) && scan_is(text, word, "delimiter"))
        return command_delimiter(reader, word, err);
    for (size_t i = 0; blank_after && first && reader->fresh && i < ARRAY_SIZE(commands); i++) {
        if (scan_is(text, word, commands[i].name))
            return command_refuse(reader, word, commands[i].takes_argument, err);
    }
    return COMMAND_NOT;
}

static int code_backslash(struct statement_reader *reader, struct error *err)
{
    if (scan_short(reader, 2))
        return SCAN_MORE;
    const char *text = scan_text(reader);
    if (scan_left(reader) > 1 && text[1] == 'N') {
        scan_take(reader, 2);
        return SCAN_GO;
    }
    if (scan_left(reader) == 1)
        return scan_fail(reader, reader->at, true, err, "a lone backslash");
    return scan_fail(reader, reader->at, true, err,
                     "\\%c is a command of the mariadb client, not SQL",
                     text[1] > ' ' && text[1] < 127 ? text[1] : '?');
}

/* ---- tokens ---- */

/* A word ends where the delimiter begins, even in the middle: `t1//`, `endMySQL`. */
static int word_size(struct statement_reader *reader, size_t *ret_size)
{
    const struct mysql_reader *this = mysql(reader);
    size_t size = scan_word(reader, SCAN_IN_WORD);
    if (!size)
        return SCAN_MORE;
    if (scan_in(this->delimiter[0], SCAN_IN_WORD)) {
        for (size_t i = 1; i < size; i++) {
            int here = delimiter_here(reader, i);
            if (here == SCAN_MORE)
                return SCAN_MORE;
            if (here == SCAN_GO)
                size = i;
        }
    }
    *ret_size = size;
    return SCAN_GO;
}

static int code_word(struct statement_reader *reader, struct error *err)
{
    struct mysql_reader *this = mysql(reader);
    size_t size = 0;
    if (word_size(reader, &size) == SCAN_MORE)
        return SCAN_MORE;
    if (reader->fresh || reader->begin == STATEMENT_NONE) {
        int result = code_command(reader, size, err);
        if (result != COMMAND_NOT)
            return result;
        int here = delimiter_here(reader, 0);
        if (here == SCAN_MORE)
            return SCAN_MORE;
        if (here == SCAN_GO)
            return code_delimiter(reader, err);
    }
    const char *text = scan_text(reader);
    if (!this->any)
        this->sets = scan_is(text, size, "set");
    this->any = true;
    if (body_word(&this->body, text, size) < 0)
        return scan_fail(reader, reader->at, false, err, "blocks are nested too deep");
    scan_take(reader, size);
    return SCAN_GO;
}

static int open_comment(struct statement_reader *reader, size_t size, enum scan_state state)
{
    scan_open_comment(reader, size, state);
    return SCAN_GO;
}

/* `--` is a comment before a blank, and before anything at the start of a statement. A directive
 * may lack its blank. */
static int code_dash(struct statement_reader *reader)
{
    static const char directive[] = "--+migrate";
    if (scan_short(reader, 3))
        return SCAN_MORE;
    const char *text = scan_text(reader);
    size_t left = scan_left(reader);
    bool dashes = left >= 2 && text[1] == '-';
    if (dashes && left > 2 && text[2] == '+' && scan_short(reader, strlen(directive)))
        return SCAN_MORE;
    if (dashes &&
        (left == 2 || scan_blank((unsigned char)text[2]) || reader->begin == STATEMENT_NONE ||
         (left >= strlen(directive) && strncasecmp(text, directive, strlen(directive)) == 0)))
        return open_comment(reader, 2, SCAN_LINE_COMMENT);
    body_sign(&mysql(reader)->body, '-', '\0');
    scan_take(reader, 1);
    return SCAN_GO;
}

/* A comment, or one whose content is code: `/ *!`, `/ *!50003` and MariaDB's `/ *M!`. */
static int code_slash(struct statement_reader *reader)
{
    struct mysql_reader *this = mysql(reader);
    if (scan_short(reader, 10))
        return SCAN_MORE;
    const char *text = scan_text(reader);
    size_t left = scan_left(reader);
    if (left < 2 || text[1] != '*') {
        body_sign(&this->body, '/', '\0');
        scan_take(reader, 1);
        return SCAN_GO;
    }
    bool mariadb = left > 3 && text[2] == 'M' && text[3] == '!';
    bool never = mariadb && left >= 10 && memcmp(text + 4, "999999", 6) == 0;
    if ((!mariadb && !(left > 2 && text[2] == '!')) || never || this->versioned)
        return open_comment(reader, 2, SCAN_BLOCK_COMMENT);
    size_t size = mariadb ? 4 : 3;
    while (size < left && size < 10 && text[size] >= '0' && text[size] <= '9')
        size++;
    reader->opened = reader->at;
    scan_take(reader, size);
    this->versioned = true;
    return SCAN_GO;
}

static int code_star(struct statement_reader *reader)
{
    struct mysql_reader *this = mysql(reader);
    if (scan_short(reader, 2))
        return SCAN_MORE;
    bool closes = this->versioned && scan_left(reader) > 1 && scan_text(reader)[1] == '/';
    if (closes)
        this->versioned = false;
    else
        body_sign(&this->body, '*', '\0');
    scan_take(reader, closes ? 2 : 1);
    return SCAN_GO;
}

static int code_quote(struct statement_reader *reader, char quote)
{
    struct mysql_reader *this = mysql(reader);
    bool name = quote == '`' || (quote == '"' && this->modes.now.ansi_quotes);
    body_quoted(&this->body, !name);
    scan_open_quote(reader, 1, quote, !name && !this->modes.now.no_backslash_escapes);
    return SCAN_GO;
}

static int code_sign(struct statement_reader *reader, struct error *err)
{
    const char *text = scan_text(reader);
    switch (text[0]) {
    case '\'':
    case '"':
    case '`':
        return code_quote(reader, text[0]);
    case '#':
        return open_comment(reader, 1, SCAN_LINE_COMMENT);
    case '-':
        return code_dash(reader);
    case '/':
        return code_slash(reader);
    case '*':
        return code_star(reader);
    case '\\':
        return code_backslash(reader, err);
    default:
        break;
    }
    if (text[0] == ':' && scan_short(reader, 2))
        return SCAN_MORE;
    body_sign(&mysql(reader)->body, text[0], scan_left(reader) > 1 ? text[1] : '\0');
    scan_take(reader, 1);
    return SCAN_GO;
}

static int mysql_code(struct statement_reader *reader, struct error *err)
{
    unsigned char c = (unsigned char)*scan_text(reader);
    /* DELIMITER is looked for first, or `delimiter delimiter` could not be taken back. */
    bool command = (c == 'd' || c == 'D') && (reader->fresh || reader->begin == STATEMENT_NONE);
    if (!command) {
        int here = delimiter_here(reader, 0);
        if (here == SCAN_MORE)
            return SCAN_MORE;
        if (here == SCAN_GO)
            return code_delimiter(reader, err);
    }
    if (scan_blank(c)) {
        reader->fresh |= c == '\n';
        reader->at++;
        return SCAN_GO;
    }
    return scan_in((char)c, SCAN_IN_WORD) ? code_word(reader, err) : code_sign(reader, err);
}

static bool mysql_inside(const struct statement_reader *reader)
{
    const struct mysql_reader *this = (const struct mysql_reader *)reader;
    return this->versioned || (plain_delimiter(this) && body_open(&this->body));
}

static const char *mysql_unfinished(const struct statement_reader *reader)
{
    const struct mysql_reader *this = (const struct mysql_reader *)reader;
    if (this->versioned)
        return "versioned comment";
    return mysql_inside(reader) ? "BEGIN ... END body" : NULL;
}

/* The client reads lines: CRLF becomes LF, in strings too. */
static void drop_carriage_returns(struct statement_reader *reader, struct statement *statement)
{
    char *text = reader->buf.data + reader->begin;
    char *from = memchr(text, '\r', statement->size);
    if (!from)
        return;
    scan_mark(reader, reader->end);
    char *to = from;
    for (const char *end = text + statement->size; from < end; from++)
        if (!(*from == '\r' && from + 1 < end && from[1] == '\n'))
            *to++ = *from;
    reader->end = (size_t)(to - reader->buf.data);
    statement->size = (size_t)(to - text);
}

static int mysql_found(struct statement_reader *reader, struct statement *statement,
                       struct error *err)
{
    (void)err;
    struct mysql_reader *this = mysql(reader);
    if (!reader->options.keep_carriage_returns)
        drop_carriage_returns(reader, statement);
    if (this->sets)
        sql_modes_follow(&this->modes, statement->text, statement->size);
    return 0;
}

const struct dialect dialect_mysql = {
    .size = sizeof(struct mysql_reader),
    .code = mysql_code,
    .reset = mysql_reset,
    .restart = mysql_restart,
    .inside = mysql_inside,
    .unfinished = mysql_unfinished,
    .found = mysql_found,
};
