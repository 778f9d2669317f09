#include "db/sql_mode.h"

#include "base/mem.h"

#include <string.h>
#include <strings.h>

static size_t blanks(const char *text, const char *end)
{
    size_t size = 0;
    while (text + size < end && (text[size] == ' ' || (text[size] >= '\t' && text[size] <= '\r')))
        size++;
    return size;
}

static bool word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$';
}

static size_t word_size(const char *text, const char *end)
{
    size_t size = 0;
    while (text + size < end && word_byte(text[size]))
        size++;
    return size;
}

static const char *find(const char *text, const char *end, const char *what)
{
    size_t size = strlen(what);
    for (; text + size <= end; text++)
        if (strncasecmp(text, what, size) == 0)
            return text;
    return NULL;
}

static bool word_is(const char *text, size_t size, const char *word)
{
    return strlen(word) == size && strncasecmp(text, word, size) == 0;
}

/* The modes named in a list such as 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'. */
static struct sql_mode mode_parse(const char *text, const char *end)
{
    static const char *const ansi[] = {"ANSI_QUOTES", "ANSI",  "ORACLE",    "MSSQL",
                                       "DB2",         "MAXDB", "POSTGRESQL"};
    struct sql_mode mode = {0};
    while (text < end) {
        size_t size = word_size(text, end);
        for (size_t i = 0; i < ARRAY_SIZE(ansi); i++)
            mode.ansi_quotes |= word_is(text, size, ansi[i]);
        mode.no_backslash_escapes |= word_is(text, size, "NO_BACKSLASH_ESCAPES");
        text += size ? size : 1;
    }
    return mode;
}

static struct sql_mode_saved *saved_find(struct sql_modes *modes, const char *name, size_t size)
{
    for (size_t i = 0; i < modes->saved_count; i++)
        if (word_is(name, size, modes->saved[i].name))
            return &modes->saved[i];
    return NULL;
}

static void saved_put(struct sql_modes *modes, const char *name, size_t size)
{
    struct sql_mode_saved *saved = saved_find(modes, name, size);
    if (!saved) {
        if (size >= sizeof saved->name || modes->saved_count == ARRAY_SIZE(modes->saved))
            return;
        saved = &modes->saved[modes->saved_count++];
        memcpy(saved->name, name, size);
        saved->name[size] = '\0';
    }
    saved->mode = modes->now;
}

/* The value given to sql_mode. CONCAT(@@sql_mode, ',X') adds, REPLACE(@@sql_mode, 'X', '') takes
 * away. */
static struct sql_mode mode_value(struct sql_modes *modes, const char *text, const char *end)
{
    if (text < end && (*text == '\'' || *text == '"')) {
        const char *close = memchr(text + 1, *text, (size_t)(end - text - 1));
        return mode_parse(text + 1, close ? close : end);
    }
    if (text < end && *text == '@' && text + 1 < end && text[1] != '@') {
        struct sql_mode_saved *saved = saved_find(modes, text + 1, word_size(text + 1, end));
        return saved ? saved->mode : modes->initial;
    }
    size_t size = word_size(text, end);
    struct sql_mode named = mode_parse(text, end);
    struct sql_mode mode = modes->now;
    if (word_is(text, size, "concat") || word_is(text, size, "concat_ws")) {
        mode.ansi_quotes |= named.ansi_quotes;
        mode.no_backslash_escapes |= named.no_backslash_escapes;
        return mode;
    }
    if (word_is(text, size, "replace")) {
        mode.ansi_quotes &= !named.ansi_quotes;
        mode.no_backslash_escapes &= !named.no_backslash_escapes;
        return mode;
    }
    return word_is(text, size, "default") ? modes->initial : named;
}

/* Is the sql_mode at `at` the server's own for other sessions? */
static bool is_global(const char *text, const char *at)
{
    static const char *const scopes[] = {"global ", "global.", "persist ", "persist."};
    for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
        size_t size = strlen(scopes[i]);
        if ((size_t)(at - text) >= size && strncasecmp(at - size, scopes[i], size) == 0)
            return true;
    }
    return false;
}

static const char *after_equals(const char *at, const char *end)
{
    at += blanks(at, end);
    if (at < end && *at == ':')
        at++;
    if (at >= end || *at != '=')
        return NULL;
    at++;
    return at + blanks(at, end);
}

/* SET @name = @@sql_mode */
static void follow_save(struct sql_modes *modes, const char *text, const char *end)
{
    for (const char *at = text; (at = memchr(at, '@', (size_t)(end - at))) != NULL; at++) {
        size_t size = word_size(at + 1, end);
        const char *value = size ? after_equals(at + 1 + size, end) : NULL;
        if (!value || (at > text && at[-1] == '@'))
            continue;
        if (find(value, end, "@@sql_mode") == value ||
            find(value, end, "@@session.sql_mode") == value)
            saved_put(modes, at + 1, size);
    }
}

void sql_modes_follow(struct sql_modes *modes, const char *text, size_t size)
{
    const char *end = text + size;
    const char *at = find(text, end, "sql_mode");
    if (!at)
        return;
    follow_save(modes, text, end);
    for (; at; at = find(at + 1, end, "sql_mode")) {
        const char *value = after_equals(at + strlen("sql_mode"), end);
        bool variable = at > text && at[-1] == '@' && (at == text + 1 || at[-2] != '@');
        bool part = variable || (at > text && word_byte(at[-1]));
        if (value && !part && !is_global(text, at))
            modes->now = mode_value(modes, value, end);
    }
}
