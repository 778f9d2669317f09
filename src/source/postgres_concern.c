#include "source/postgres_concern.h"

#include "base/mem.h"
#include "source/postgres_words.h"

#include <stdlib.h>
#include <string.h>

/* How a statement begins, and which word its table stands behind (NULL: at once). */
static const struct {
    const char *head;
    const char *before;
} subjects[] = {
    {"CREATE TABLE", NULL},
    {"CREATE UNLOGGED TABLE", NULL},
    {"ALTER TABLE", NULL},
    {"COMMENT ON TABLE", NULL},
    {"COMMENT ON COLUMN", NULL},
    {"CREATE INDEX", "ON"},
    {"CREATE UNIQUE INDEX", "ON"},
    {"CREATE TRIGGER", "ON"},
    {"CREATE CONSTRAINT TRIGGER", "ON"},
    {"CREATE RULE", "TO"},
    {"CREATE POLICY", "ON"},
    {"CREATE STATISTICS", "FROM"},
    {"GRANT", "ON TABLE"},
    {"REVOKE", "ON TABLE"},
    {"COMMENT ON CONSTRAINT", "ON"},
    {"COMMENT ON TRIGGER", "ON"},
    {"COMMENT ON POLICY", "ON"},
    {"COMMENT ON RULE", "ON"},
};

static bool names(struct words *words, const char *schema, const char *table)
{
    SCOPED(string) char *found_schema = NULL;
    SCOPED(string) char *found = NULL;
    words_take(words, "ONLY");
    return words_name(words, &found_schema, &found) && text_equal(found_schema, schema) &&
           strcmp(found, table) == 0;
}

/* A partition's table is also named where it is hung up. */
static bool attaches(const char *statement, const char *schema, const char *table)
{
    struct words words = {statement};
    return words_take(&words, "ALTER TABLE") && words_seek(&words, "ATTACH PARTITION") &&
           names(&words, schema, table);
}

bool postgres_concerns_table(const char *statement, const char *schema, const char *table)
{
    for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
        struct words words = {statement};
        if (words_take(&words, subjects[i].head) &&
            (!subjects[i].before || words_seek(&words, subjects[i].before)) &&
            names(&words, schema, table))
            return true;
    }
    return attaches(statement, schema, table);
}

static char *take_full_name(struct words *words)
{
    SCOPED(string) char *schema = NULL;
    SCOPED(string) char *name = NULL;
    if (!words_name(words, &schema, &name))
        return NULL;
    return mem_format("%s.%s", schema ? schema : "", name);
}

char *postgres_owned_sequence(const char *statement, const char *schema, const char *table)
{
    struct words words = {statement};
    if (!words_take(&words, "ALTER SEQUENCE"))
        return NULL;
    SCOPED(string) char *sequence = take_full_name(&words);
    if (!sequence || !words_take(&words, "OWNED BY") || !names(&words, schema, table))
        return NULL;
    return STEAL(sequence);
}

bool postgres_concerns_sequence(const char *statement, const struct text_list *sequences)
{
    static const char *const heads[] = {"CREATE SEQUENCE", "ALTER SEQUENCE", "ALTER TABLE",
                                        "COMMENT ON SEQUENCE"};
    for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
        struct words words = {statement};
        if (!words_take(&words, heads[i]))
            continue;
        SCOPED(string) char *name = take_full_name(&words);
        if (name && text_list_has(sequences, name))
            return true;
    }
    return false;
}
