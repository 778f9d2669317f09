#include "migrate/classify.h"

#include "base/mem.h"

#include <stdbool.h>
#include <string.h>

static bool word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static bool blank_byte(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Of a block comment. Those of PostgreSQL hold others. */
static size_t comment_size(enum db_engine engine, const char *text, size_t size)
{
    size_t depth = 1;
    size_t at = 2;
    for (; depth && at + 1 < size; at++) {
        bool opens = engine == DB_POSTGRES && memcmp(text + at, "/*", 2) == 0;
        bool closes = memcmp(text + at, "*/", 2) == 0;
        depth = depth + opens - closes;
        at += opens || closes;
    }
    return depth ? size : at;
}

/* The length of the blanks or the comment at `text`; 0 when there is none. A versioned comment's
 * content is code, so only its signs are skipped. */
static size_t skip_size(enum db_engine engine, const char *text, size_t size)
{
    bool mysql = engine == DB_MYSQL;
    if (blank_byte(*text))
        return 1;
    if ((size >= 2 && memcmp(text, "--", 2) == 0) || (mysql && *text == '#')) {
        const char *newline = memchr(text, '\n', size);
        return newline ? (size_t)(newline - text) : size;
    }
    if (mysql && size >= 2 && memcmp(text, "*/", 2) == 0)
        return 2;
    if (size < 2 || memcmp(text, "/*", 2) != 0)
        return 0;
    bool versioned = mysql && size > 3 && (text[2] == '!' || (text[2] == 'M' && text[3] == '!'));
    if (versioned) {
        size_t at = text[2] == '!' ? 3 : 4;
        while (at < size && text[at] >= '0' && text[at] <= '9')
            at++;
        return at;
    }
    return comment_size(engine, text, size);
}

/* Copies up to the room there is. */
static void add_word(struct words *words, const char *text, size_t size, bool upper)
{
    char *word = words->items[words->count++];
    size_t kept = size < sizeof words->items[0] ? size : sizeof words->items[0] - 1;
    for (size_t i = 0; i < kept; i++)
        word[i] = (char)(upper && text[i] >= 'a' && text[i] <= 'z' ? text[i] - 32 : text[i]);
    word[kept] = '\0';
}

static size_t quoted_size(const char *text, size_t size)
{
    char quote = *text == '[' ? ']' : *text;
    const char *close = size > 1 ? memchr(text + 1, quote, size - 1) : NULL;
    return close ? (size_t)(close + 1 - text) : size;
}

void words_read(struct words *words, enum db_engine engine, const char *text, size_t size)
{
    words->count = 0;
    while (size > 0 && words->count < ARRAY_SIZE(words->items)) {
        size_t used = skip_size(engine, text, size);
        if (!used && strchr("\"`'", *text)) {
            used = quoted_size(text, size);
            add_word(words, text + 1, used > 2 ? used - 2 : 0, false);
        } else if (!used) {
            while (used < size && word_byte(text[used]))
                used++;
            used = used ? used : 1;
            add_word(words, text, used, true);
        }
        text += used;
        size -= used;
    }
}

int words_are(const struct words *words, size_t at, const char *text)
{
    while (*text) {
        size_t size = strcspn(text, " ");
        if (at >= words->count || strlen(words->items[at]) != size ||
            memcmp(words->items[at], text, size) != 0)
            return 0;
        at++;
        text += size;
        text += *text == ' ';
    }
    return 1;
}

int words_find(const struct words *words, const char *text)
{
    for (size_t i = 0; i < words->count; i++)
        if (words_are(words, i, text))
            return (int)i;
    return -1;
}

static bool begins(const struct words *words, const char *const *starts)
{
    for (; *starts; starts++)
        if (words_are(words, 0, *starts))
            return true;
    return false;
}

static bool is_transaction(const struct words *words, enum db_engine engine)
{
    static const char *const starts[] = {"COMMIT", "START TRANSACTION", "PREPARE TRANSACTION",
                                         "XA",     "SET AUTOCOMMIT",    NULL};
    bool back_to = words_find(words, "TO") > 0;
    if (words_are(words, 0, "ROLLBACK") && !back_to)
        return true;
    if (words_are(words, 0, "BEGIN"))
        return !words_are(words, 1, "NOT ATOMIC");
    if ((words_are(words, 0, "END") || words_are(words, 0, "ABORT")) && engine != DB_MYSQL)
        return true;
    return begins(words, starts);
}

static bool postgres_outside(const struct words *words)
{
    static const char *const starts[] = {"VACUUM",
                                         "CREATE DATABASE",
                                         "DROP DATABASE",
                                         "CREATE TABLESPACE",
                                         "DROP TABLESPACE",
                                         "ALTER SYSTEM",
                                         "REINDEX DATABASE",
                                         "REINDEX SYSTEM",
                                         "DISCARD ALL",
                                         "CREATE SUBSCRIPTION",
                                         NULL};
    static const char *const concurrently[] = {"CREATE INDEX CONCURRENTLY",
                                               "CREATE UNIQUE INDEX CONCURRENTLY",
                                               "DROP INDEX CONCURRENTLY", NULL};
    if (begins(words, starts) || begins(words, concurrently))
        return true;
    if (words_are(words, 0, "CLUSTER"))
        return words->count == 1;
    if (words_are(words, 0, "REINDEX") || words_find(words, "DETACH PARTITION") > 0)
        return words_find(words, "CONCURRENTLY") > 0;
    return words_are(words, 0, "ALTER DATABASE") && words_find(words, "TABLESPACE") > 0;
}

static bool mysql_commits(const struct words *words)
{
    static const char *const starts[] = {
        "ALTER",        "CREATE",  "DROP",      "RENAME",     "TRUNCATE",    "GRANT",    "REVOKE",
        "ANALYZE",      "CACHE",   "CHECK",     "FLUSH",      "LOAD INDEX",  "OPTIMIZE", "REPAIR",
        "RESET",        "INSTALL", "UNINSTALL", "LOCK TABLE", "LOCK TABLES", "UNLOCK",   "CHANGE",
        "SET PASSWORD", "IMPORT",  "BACKUP",    NULL};
    bool temporary =
        words_are(words, 1, "TEMPORARY") || words_are(words, 1, "OR REPLACE TEMPORARY");
    return begins(words, starts) && !temporary;
}

/* What these run is not seen from here. */
static bool mysql_may_commit(const struct words *words)
{
    static const char *const starts[] = {"CALL", "EXECUTE", "BEGIN NOT ATOMIC", "IF",  "CASE",
                                         "LOOP", "WHILE",   "REPEAT",           "FOR", NULL};
    return begins(words, starts);
}

static bool sqlite_outside(const struct words *words)
{
    static const char *const starts[] = {"VACUUM", "ATTACH", "DETACH", NULL};
    static const char *const pragmas[] = {"JOURNAL_MODE", "WAL_CHECKPOINT", "AUTO_VACUUM",
                                          "SYNCHRONOUS", NULL};
    if (begins(words, starts))
        return true;
    for (size_t i = 0; pragmas[i] && words_are(words, 0, "PRAGMA"); i++)
        if (words_find(words, pragmas[i]) > 0)
            return words_find(words, "=") > 0 || i == 1;
    return false;
}

unsigned statement_traits(enum db_engine engine, const char *text, size_t size)
{
    struct words words;
    unsigned traits = 0;
    words_read(&words, engine, text, size);
    if (is_transaction(&words, engine))
        traits |= TRAIT_TRANSACTION;
    if (engine == DB_POSTGRES && postgres_outside(&words))
        traits |= TRAIT_OUTSIDE;
    if (engine == DB_SQLITE && sqlite_outside(&words))
        traits |= TRAIT_OUTSIDE;
    if (engine == DB_MYSQL && mysql_commits(&words))
        traits |= TRAIT_COMMITS;
    if (engine == DB_MYSQL && mysql_may_commit(&words))
        traits |= TRAIT_MAY_COMMIT;
    if (engine == DB_SQLITE && words_are(&words, 0, "PRAGMA FOREIGN_KEYS") && words.count > 2)
        traits |= TRAIT_FOREIGN_KEYS;
    return traits;
}
