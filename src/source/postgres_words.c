#include "source/postgres_words.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static const char *skip_blanks(const char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

bool words_take(struct words *words, const char *keywords)
{
    const char *at = skip_blanks(words->at);
    while (*keywords) {
        size_t length = strcspn(keywords, " ");
        if (strncasecmp(at, keywords, length) != 0 || is_name_char(at[length]))
            return false;
        at = skip_blanks(at + length);
        keywords += length + (keywords[length] == ' ');
    }
    words->at = at;
    return true;
}

/* One identifier; unquoted ones become lower case, as on the server. */
static char *take_identifier(const char **at)
{
    struct buf name = BUF_INIT;
    const char *from = skip_blanks(*at);
    if (*from != '"') {
        for (; is_name_char(*from); from++)
            buf_append_char(&name, text_lower(*from));
    } else {
        for (from++; *from && (*from != '"' || from[1] == '"'); from++) {
            buf_append_char(&name, *from);
            from += *from == '"';
        }
        if (*from != '"')
            buf_clear(&name);
        from += *from == '"';
    }
    if (!name.length)
        return NULL;
    *at = from;
    return buf_steal(&name);
}

bool words_name(struct words *words, char **ret_schema, char **ret_name)
{
    const char *at = words->at;
    SCOPED(string) char *schema = NULL;
    SCOPED(string) char *name = take_identifier(&at);
    if (!name)
        return false;
    if (*at == '.') {
        at++;
        schema = STEAL(name);
        name = take_identifier(&at);
        if (!name)
            return false;
    }
    if (ret_schema)
        *ret_schema = STEAL(schema);
    if (ret_name)
        *ret_name = STEAL(name);
    words->at = skip_blanks(at);
    return true;
}

static const char *skip_quoted(const char *at)
{
    char quote = *at++;
    while (*at && *at != quote)
        at++;
    return *at ? at + 1 : at;
}

bool words_seek(struct words *words, const char *keywords)
{
    const char *at = words->at;
    while (*at) {
        struct words here = {at};
        if (words_take(&here, keywords)) {
            *words = here;
            return true;
        }
        if (*at == '"' || *at == '\'')
            at = skip_quoted(at);
        else if (is_name_char(*at))
            while (is_name_char(*at))
                at++;
        else
            at++;
    }
    return false;
}

bool words_tablespace(const char *statement, char **ret_name)
{
    struct words words = {statement};
    if (!words_take(&words, "SET default_tablespace") || *words.at != '=')
        return false;
    words.at++;
    return words_name(&words, NULL, ret_name);
}

/* ---- what follows the data ---- */

static bool take_index(struct words *words, char **ret_schema, char **ret_name)
{
    struct words here = *words;
    if (!words_take(&here, "CREATE INDEX") && !words_take(&here, "CREATE UNIQUE INDEX"))
        return false;
    words_take(&here, "CONCURRENTLY");
    words_take(&here, "IF NOT EXISTS");
    if (!words_take(&here, "ON") && (!words_name(&here, NULL, NULL) || !words_take(&here, "ON")))
        return false;
    words_take(&here, "ONLY");
    return words_name(&here, ret_schema, ret_name);
}

static enum post_kind table_kind(struct words here, char **ret_schema, char **ret_name)
{
    words_take(&here, "IF EXISTS");
    words_take(&here, "ONLY");
    SCOPED(string) char *schema = NULL;
    SCOPED(string) char *name = NULL;
    if (!words_name(&here, &schema, &name))
        return POST_NONE;
    if (words_take(&here, "ENABLE ROW LEVEL SECURITY") ||
        words_take(&here, "ENABLE ALWAYS TRIGGER") || words_take(&here, "ENABLE REPLICA TRIGGER") ||
        words_take(&here, "DISABLE TRIGGER") || words_take(&here, "DISABLE RULE") ||
        words_take(&here, "ENABLE ALWAYS RULE") || words_take(&here, "CLUSTER ON") ||
        words_take(&here, "ENABLE REPLICA RULE") ||
        words_take(&here, "REPLICA IDENTITY USING INDEX"))
        return POST_OTHER;
    if (!words_take(&here, "ADD CONSTRAINT") || !words_name(&here, NULL, NULL))
        return POST_NONE;

    enum post_kind kind = POST_OTHER;
    if (words_take(&here, "PRIMARY KEY") || words_take(&here, "UNIQUE") ||
        words_take(&here, "EXCLUDE"))
        kind = POST_INDEX;
    else if (words_take(&here, "FOREIGN KEY"))
        kind = POST_FOREIGN;
    *ret_schema = STEAL(schema);
    *ret_name = STEAL(name);
    return kind;
}

/* A constraint that stands alone may be one that older values do not keep. */
static enum post_kind domain_kind(struct words here)
{
    return words_name(&here, NULL, NULL) && words_take(&here, "ADD CONSTRAINT") ? POST_OTHER
                                                                                : POST_NONE;
}

static const struct {
    const char *words;
    enum post_kind kind;
} others[] = {
    {"GRANT", POST_GRANT},
    {"REVOKE", POST_GRANT},
    {"ALTER DEFAULT PRIVILEGES", POST_GRANT},
    {"ALTER INDEX", POST_OTHER},
    {"CREATE STATISTICS", POST_OTHER},
    {"CREATE TRIGGER", POST_OTHER},
    {"CREATE CONSTRAINT TRIGGER", POST_OTHER},
    {"CREATE RULE", POST_OTHER},
    {"CREATE EVENT TRIGGER", POST_OTHER},
    {"CREATE POLICY", POST_OTHER},
    {"CREATE PUBLICATION", POST_OTHER},
    {"CREATE SUBSCRIPTION", POST_OTHER},
};

static enum post_kind find_kind(const char *statement, char **ret_schema, char **ret_name)
{
    struct words words = {statement};
    if (take_index(&words, ret_schema, ret_name))
        return POST_INDEX;
    if (words_take(&words, "ALTER TABLE"))
        return table_kind(words, ret_schema, ret_name);
    if (words_take(&words, "ALTER DOMAIN"))
        return domain_kind(words);
    if (words_take(&words, "REFRESH MATERIALIZED VIEW")) {
        words_take(&words, "CONCURRENTLY");
        return words_name(&words, ret_schema, ret_name) ? POST_REFRESH : POST_OTHER;
    }
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (words_take(&words, others[i].words))
            return others[i].kind;
    return POST_NONE;
}

enum post_kind words_post_kind(const char *statement, char **ret_schema, char **ret_name)
{
    SCOPED(string) char *schema = NULL;
    SCOPED(string) char *name = NULL;
    enum post_kind kind = find_kind(statement, &schema, &name);
    if (ret_schema)
        *ret_schema = STEAL(schema);
    if (ret_name)
        *ret_name = STEAL(name);
    return kind;
}
