#include "migrate/directive.h"

#include "base/mem.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

static const enum syntax syntaxes[] = {SYNTAX_KEDGE, SYNTAX_GOOSE, SYNTAX_DBMATE};

struct span {
    const char *text;
    size_t size;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static void skip_blanks(struct span *span)
{
    while (span->size && is_blank(*span->text)) {
        span->text++;
        span->size--;
    }
}

/* The next run without blanks, taken off `span`. */
static struct span next_word(struct span *span)
{
    skip_blanks(span);
    struct span word = {span->text, 0};
    while (word.size < span->size && !is_blank(span->text[word.size]))
        word.size++;
    span->text += word.size;
    span->size -= word.size;
    return word;
}

static bool word_is(struct span word, const char *text)
{
    return strlen(text) == word.size && strncasecmp(word.text, text, word.size) == 0;
}

static struct directive bad(const char *problem)
{
    return (struct directive){.kind = DIRECTIVE_BAD, .problem = problem};
}

/* Is the word nearly `text`? */
static bool word_near(struct span word, const char *text)
{
    char lower[16] = "";
    if (word.size == 0 || word.size >= sizeof lower)
        return false;
    for (size_t i = 0; i < word.size; i++)
        lower[i] = text_lower(word.text[i]);
    return text_distance(lower, text) <= 2;
}

/* What may follow Up and Down. */
static struct directive section(enum directive_kind kind, enum syntax syntax, struct span rest)
{
    struct directive directive = {.kind = kind};
    for (struct span word = next_word(&rest); word.size; word = next_word(&rest)) {
        if ((syntax == SYNTAX_KEDGE && word_is(word, "notransaction")) ||
            (syntax == SYNTAX_DBMATE && word_is(word, "transaction:false")))
            directive.outside = true;
        else if (syntax != SYNTAX_DBMATE)
            return bad(word.text[word.size - 1] == ';' ? "a directive does not end in \";\""
                                                       : "only notransaction may follow it");
    }
    return directive;
}

static struct directive command(enum syntax syntax, struct span rest)
{
    struct span word = next_word(&rest);
    if (word_is(word, "up"))
        return section(DIRECTIVE_UP, syntax, rest);
    if (word_is(word, "down"))
        return section(DIRECTIVE_DOWN, syntax, rest);
    bool more = next_word(&(struct span){rest.text, rest.size}).size > 0;
    if (word_is(word, "statementbegin") && !more)
        return (struct directive){.kind = DIRECTIVE_STATEMENT_BEGIN};
    if (word_is(word, "statementend") && !more)
        return (struct directive){.kind = DIRECTIVE_STATEMENT_END};
    if (syntax == SYNTAX_GOOSE && word_is(word, "no") && word_is(next_word(&rest), "transaction"))
        return (struct directive){.kind = DIRECTIVE_NO_TRANSACTION};
    if (syntax == SYNTAX_GOOSE && word_is(word, "envsub"))
        return (struct directive){.kind = DIRECTIVE_ENVSUB};
    if (word.size && word.text[word.size - 1] == ';')
        return bad("a directive does not end in \";\"");
    return bad("it is none of Up, Down, StatementBegin and StatementEnd");
}

/* Take "+name" with or without blanks around the sign off the front. */
static bool take_sign(struct span *span, struct span *ret_word)
{
    skip_blanks(span);
    if (!span->size || *span->text != '+')
        return false;
    span->text++;
    span->size--;
    *ret_word = next_word(span);
    return ret_word->size > 0;
}

/* -- migrate Up, without its sign. */
static bool lacks_sign(struct span rest)
{
    if (!word_is(next_word(&rest), "migrate"))
        return false;
    struct span word = next_word(&rest);
    return (word_is(word, "up") || word_is(word, "down")) && !next_word(&rest).size;
}

/* +migrat Up, +migration Up, +Down */
static bool is_misspelt(struct span word, struct span rest)
{
    static const char start[] = "migrat";
    if (word.size >= strlen(start) && strncasecmp(word.text, start, strlen(start)) == 0)
        return true;
    bool alone = next_word(&rest).size == 0;
    return word_near(word, "migrate") || (alone && (word_is(word, "up") || word_is(word, "down")));
}

static struct directive kedge_directive(struct span rest, bool own_line, size_t column)
{
    struct span word;
    if (lacks_sign(rest))
        return bad("the sign + is missing before migrate");
    if (!take_sign(&rest, &word))
        return (struct directive){0};
    if (!word_is(word, "migrate"))
        return is_misspelt(word, rest) ? bad("it is spelt -- +migrate") : (struct directive){0};
    if (!own_line)
        return bad("a directive stands on a line of its own");
    if (column != 1)
        return bad("a directive is not indented");
    return command(SYNTAX_KEDGE, rest);
}

static struct directive dbmate_directive(struct span rest, size_t column)
{
    static const char prefix[] = "migrate:";
    struct span word = next_word(&rest);
    size_t size = strlen(prefix);
    if (word.size < size || strncasecmp(word.text, prefix, size) != 0)
        return (struct directive){0};
    if (column != 1)
        return bad("a directive is not indented");
    struct span way = {word.text + size, word.size - size};
    if (word_is(way, "up"))
        return section(DIRECTIVE_UP, SYNTAX_DBMATE, rest);
    if (word_is(way, "down"))
        return section(DIRECTIVE_DOWN, SYNTAX_DBMATE, rest);
    return bad("it is neither migrate:up nor migrate:down");
}

static struct directive parse_own(enum syntax syntax, const char *comment, size_t size,
                                  bool own_line, size_t column)
{
    size_t mark = *comment == '#' ? 1 : 2;
    struct span rest = {comment + mark, size - mark};
    struct span word;
    switch (syntax) {
    case SYNTAX_KEDGE:
        return kedge_directive(rest, own_line, column);
    case SYNTAX_GOOSE:
        if (!own_line || !take_sign(&rest, &word) || !word_is(word, "goose"))
            return (struct directive){0};
        return column == 1 ? command(syntax, rest) : bad("a directive is not indented");
    case SYNTAX_DBMATE:
        return own_line ? dbmate_directive(rest, column) : (struct directive){0};
    case SYNTAX_PLAIN:
        break;
    }
    return (struct directive){0};
}

/* What another tool would obey may not pass for a comment: a Down section would run on the way
 * up. */
static bool is_foreign(enum syntax syntax, const char *comment, size_t size)
{
    for (size_t i = 0; i < ARRAY_SIZE(syntaxes); i++) {
        enum directive_kind kind = parse_own(syntaxes[i], comment, size, true, 1).kind;
        if (syntaxes[i] != syntax && (kind == DIRECTIVE_UP || kind == DIRECTIVE_DOWN))
            return true;
    }
    return false;
}

struct directive directive_parse(enum syntax syntax, const char *comment, size_t size,
                                 bool own_line, size_t column)
{
    struct directive own = parse_own(syntax, comment, size, own_line, column);
    if (*comment == '#' && own.kind != DIRECTIVE_NONE)
        return bad("a directive begins with --");
    if (own.kind == DIRECTIVE_NONE && own_line && syntax != SYNTAX_PLAIN &&
        is_foreign(syntax, comment, size))
        return bad("it is one of another tool, and this file has others");
    return own;
}

/* The ASCII letters of `comment` alone, in lower case; "" when there are more than fit or digits.
 */
static void letters_of(const char *comment, size_t size, char ret_letters[static 32])
{
    size_t length = 0;
    for (size_t i = 0; i < size && length < 31; i++) {
        char c = text_lower(comment[i]);
        if (c >= 'a' && c <= 'z')
            ret_letters[length++] = c;
        else if (c >= '0' && c <= '9')
            length = 31;
    }
    ret_letters[length < 31 ? length : 0] = '\0';
}

enum directive_kind directive_announces(const char *comment, size_t size)
{
    static const struct {
        const char *letters;
        enum directive_kind kind;
    } words[] = {
        {"createabovedropbelow", DIRECTIVE_DOWN}, /* tern */
        {"down", DIRECTIVE_DOWN},
        {"downmigration", DIRECTIVE_DOWN}, /* node-pg-migrate */
        {"downs", DIRECTIVE_DOWN},         /* Play */
        {"goosedown", DIRECTIVE_DOWN},
        {"gooseup", DIRECTIVE_UP},
        {"migratedown", DIRECTIVE_DOWN},
        {"migrateup", DIRECTIVE_UP},
        {"migrationdown", DIRECTIVE_DOWN},
        {"migrationup", DIRECTIVE_UP},
        {"ramblerdown", DIRECTIVE_DOWN},
        {"ramblerup", DIRECTIVE_UP},
        {"undo", DIRECTIVE_DOWN}, /* MyBatis */
        {"upmigration", DIRECTIVE_UP},
    };
    char letters[32];
    for (size_t i = 0; i < ARRAY_SIZE(syntaxes); i++) {
        enum directive_kind kind = parse_own(syntaxes[i], comment, size, true, 1).kind;
        if (kind == DIRECTIVE_UP || kind == DIRECTIVE_DOWN)
            return kind;
    }
    letters_of(comment, size, letters);
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(letters, words[i].letters) == 0)
            return words[i].kind;
    return DIRECTIVE_NONE;
}

bool directive_in_block(const char *comment, size_t size)
{
    /* What is parsed begins with a mark of two characters, and so does a block. */
    struct span text = {comment + 2, size >= 4 ? size - 4 : 0};
    while (text.size && (is_blank(*text.text) || *text.text == '\n' || *text.text == '*')) {
        text.text++;
        text.size--;
    }
    const char *end = text.size ? memchr(text.text, '\n', text.size) : NULL;
    size_t line = end ? (size_t)(end - text.text) : text.size;
    while (line && text.text[line - 1] == '*')
        line--;
    for (size_t i = 0; line && i < ARRAY_SIZE(syntaxes); i++) {
        struct directive found = parse_own(syntaxes[i], text.text - 2, line + 2, true, 1);
        if (found.kind != DIRECTIVE_NONE && found.kind != DIRECTIVE_BAD)
            return true;
    }
    return false;
}

enum syntax directive_detect(const char *text, size_t size)
{
    static const char mark[] = "\xEF\xBB\xBF";
    if (size >= strlen(mark) && memcmp(text, mark, strlen(mark)) == 0) {
        text += strlen(mark);
        size -= strlen(mark);
    }
    while (size > 0) {
        const char *newline = memchr(text, '\n', size);
        size_t line = newline ? (size_t)(newline - text) : size;
        struct span rest = {text, line};
        skip_blanks(&rest);
        for (size_t i = 0;
             rest.size >= 2 && memcmp(rest.text, "--", 2) == 0 && i < ARRAY_SIZE(syntaxes); i++)
            if (parse_own(syntaxes[i], rest.text, rest.size, true, 1).kind != DIRECTIVE_NONE)
                return syntaxes[i];
        text += line + (newline != NULL);
        size -= line + (newline != NULL);
    }
    return SYNTAX_PLAIN;
}
