/*
 * SQLite: the tokens of its own parser; a trigger's body ends with an END where a statement would
 * begin. As in its shell, a line that begins with `#` before a statement is a comment.
 */
#include "db/statement_core.h"

#include "base/error.h"

enum trigger_word {
    TRIGGER_FIRST,
    TRIGGER_EXPLAINED,
    TRIGGER_CREATE,
    TRIGGER_TEMP,
    TRIGGER_YES,
    TRIGGER_BODY,
    TRIGGER_ENDED,
    TRIGGER_NO
};

struct sqlite_reader {
    struct statement_reader reader;
    enum trigger_word trigger;
    bool statement_start; /* in a trigger's body: the last token was BEGIN or `;` */
    bool semicolon;       /* it was `;` */
    size_t nested;        /* BEGINs within the body: never right, but its END is not the last one */
};

static struct sqlite_reader *sqlite(struct statement_reader *reader)
{
    return (struct sqlite_reader *)reader;
}

static void sqlite_reset(struct statement_reader *reader)
{
    sqlite(reader)->trigger = TRIGGER_FIRST;
    sqlite(reader)->statement_start = false;
    sqlite(reader)->semicolon = false;
    sqlite(reader)->nested = 0;
}

/* Follow [EXPLAIN [QUERY PLAN]] CREATE [TEMP|TEMPORARY] TRIGGER ... BEGIN ...; END. */
static enum trigger_word trigger_next(const struct sqlite_reader *this, const char *text,
                                      size_t size)
{
    switch (this->trigger) {
    case TRIGGER_FIRST:
        if (scan_is(text, size, "explain"))
            return TRIGGER_EXPLAINED;
        return scan_is(text, size, "create") ? TRIGGER_CREATE : TRIGGER_NO;
    case TRIGGER_EXPLAINED:
        if (scan_is(text, size, "query") || scan_is(text, size, "plan"))
            return TRIGGER_EXPLAINED;
        return scan_is(text, size, "create") ? TRIGGER_CREATE : TRIGGER_NO;
    case TRIGGER_CREATE:
        if (scan_is(text, size, "temp") || scan_is(text, size, "temporary"))
            return TRIGGER_TEMP;
        __attribute__((fallthrough));
    case TRIGGER_TEMP:
        return scan_is(text, size, "trigger") ? TRIGGER_YES : TRIGGER_NO;
    case TRIGGER_YES:
        return scan_is(text, size, "begin") ? TRIGGER_BODY : TRIGGER_YES;
    case TRIGGER_BODY:
        return this->statement_start && scan_is(text, size, "end") ? TRIGGER_ENDED : TRIGGER_BODY;
    default:
        return this->trigger;
    }
}

static int code_word(struct statement_reader *reader)
{
    struct sqlite_reader *this = sqlite(reader);
    size_t size = scan_word(reader, SCAN_IN_WORD);
    if (!size)
        return SCAN_MORE;
    bool begins = scan_is(scan_text(reader), size, "begin");
    bool ends = this->statement_start && scan_is(scan_text(reader), size, "end");
    /* In `ON begin BEGIN` the first one is a table. */
    if (this->trigger == TRIGGER_BODY && this->semicolon && begins)
        this->nested++;
    this->semicolon = false;
    if (ends && this->nested > 0)
        this->nested--;
    else
        this->trigger = trigger_next(this, scan_text(reader), size);
    this->statement_start = this->trigger == TRIGGER_BODY && begins;
    scan_take(reader, size);
    return SCAN_GO;
}

static int code_semicolon(struct statement_reader *reader, struct error *err)
{
    struct sqlite_reader *this = sqlite(reader);
    bool within = this->trigger == TRIGGER_BODY;
    if (!reader->block && !within)
        return scan_emit(reader, 1, true, err);
    this->statement_start = within;
    this->semicolon = within;
    if (reader->begin != STATEMENT_NONE)
        scan_take(reader, 1);
    else
        reader->at++;
    return SCAN_GO;
}

static bool line_begins(struct statement_reader *reader)
{
    if (!reader->fresh)
        return false;
    scan_mark(reader, reader->at);
    return reader->column == 1;
}

static int code_comment(struct statement_reader *reader, enum scan_state state)
{
    scan_open_comment(reader, 2, state);
    return SCAN_GO;
}

static int sqlite_code(struct statement_reader *reader, struct error *err)
{
    const char *text = scan_text(reader);
    char c = text[0];
    if (scan_in(c, SCAN_IN_WORD))
        return code_word(reader);
    if (c == ';')
        return code_semicolon(reader, err);
    if (c == '.' && reader->fresh && reader->begin == STATEMENT_NONE)
        return scan_fail(
            reader, reader->at, true, err,
            "a line that begins with a dot is a command of the sqlite3 shell, not SQL");
    if (c == '#' && reader->begin == STATEMENT_NONE && line_begins(reader)) {
        scan_open_comment(reader, 1, SCAN_LINE_COMMENT);
        return SCAN_GO;
    }
    if (c == '-' || c == '/') {
        if (scan_short(reader, 2))
            return SCAN_MORE;
        char next = scan_left(reader) > 1 ? text[1] : '\0';
        if (c == '-' && next == '-')
            return code_comment(reader, SCAN_LINE_COMMENT);
        if (c == '/' && next == '*')
            return code_comment(reader, SCAN_BLOCK_COMMENT);
    }
    sqlite(reader)->statement_start = false;
    sqlite(reader)->semicolon = false;
    if (c == '\'' || c == '"' || c == '`')
        scan_open_quote(reader, 1, c, false);
    else if (c == '[')
        scan_open_bracket(reader);
    else
        scan_take(reader, 1);
    return SCAN_GO;
}

static bool sqlite_inside(const struct statement_reader *reader)
{
    return ((const struct sqlite_reader *)reader)->trigger == TRIGGER_BODY;
}

static const char *sqlite_unfinished(const struct statement_reader *reader)
{
    return sqlite_inside(reader) ? "trigger body" : NULL;
}

const struct dialect dialect_sqlite = {
    .size = sizeof(struct sqlite_reader),
    .code = sqlite_code,
    .reset = sqlite_reset,
    .inside = sqlite_inside,
    .unfinished = sqlite_unfinished,
};
