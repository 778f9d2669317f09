#include "source/postgres_rules.h"

#include "base/error.h"
#include "base/mem.h"
#include "db/pq.h"
#include "source/postgres_properties.h"
#include "source/postgres_words.h"

#include <string.h>
#include <strings.h>

static int list_names(struct pq *pq, const char *sql, struct text_list *list, struct error *err)
{
    SCOPED(pq_result) struct pq_result *names = NULL;
    if (pq_exec(pq, sql, &names, err) < 0)
        return error_prefix(err, "read what the server knows");
    for (size_t i = 0; i < pq_rows(names); i++)
        text_list_add(list, pq_value(names, i, 0));
    return 0;
}

int postgres_rules_init(struct pq *pq, struct postgres_rules *ret_rules, struct error *err)
{
    struct postgres_rules rules = {0};
    if (list_names(pq, "SELECT name FROM pg_settings", &rules.settings, err) < 0 ||
        list_names(pq, "SELECT spcname FROM pg_tablespace", &rules.tablespaces, err) < 0) {
        postgres_rules_clear(&rules);
        return -1;
    }
    *ret_rules = rules;
    return 0;
}

void postgres_rules_clear(struct postgres_rules *rules)
{
    text_list_clear(&rules->settings);
    text_list_clear(&rules->tablespaces);
}

/* A name with a dot belongs to an extension: the server takes it unseen. */
static bool knows_setting(const struct postgres_rules *rules, const char *statement)
{
    struct words words = {statement};
    words_take(&words, "SET");
    if (!words_take(&words, "SESSION"))
        words_take(&words, "LOCAL");
    size_t length = strcspn(words.at, " =\t\n");
    if (memchr(words.at, '.', length))
        return true;
    for (size_t i = 0; i < rules->settings.count; i++)
        if (strlen(rules->settings.items[i]) == length &&
            strncasecmp(rules->settings.items[i], words.at, length) == 0)
            return true;
    /* SET ROLE, SET TIME ZONE, SET SESSION AUTHORIZATION: words of the grammar. */
    static const char *const grammar[] = {"ROLE",
                                          "TIME",
                                          "TRANSACTION",
                                          "NAMES",
                                          "XML",
                                          "CONSTRAINTS",
                                          "CHARACTERISTICS",
                                          "SCHEMA",
                                          "CATALOG",
                                          "SESSION",
                                          "SEED",
                                          "AUTHORIZATION"};
    for (size_t i = 0; i < ARRAY_SIZE(grammar); i++)
        if (strlen(grammar[i]) == length && strncasecmp(grammar[i], words.at, length) == 0)
            return true;
    return false;
}

static const char *const refused[] = {
    "COPY",       "ALTER SYSTEM", "CREATE DATABASE", "DROP DATABASE", "DROP ROLE", "DROP USER",
    "DROP OWNED", "LOAD",         "DROP TABLESPACE",
};

static const char *const server_files[] = {
    "LO_IMPORT", "LO_EXPORT", "PG_READ_FILE", "PG_READ_BINARY_FILE", "PG_LS_DIR",
};

static int refuse(const char *statement, struct error *err)
{
    error_set(err, ERROR_RESTORE, "refused: %.*s", (int)strcspn(statement, "\n"), statement);
    return error_hint(err,
                      "a backup may not touch the server's files, programs or other databases");
}

static int check_refused(const char *statement, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        struct words words = {statement};
        if (words_take(&words, refused[i]))
            return refuse(statement, err);
    }
    struct words select = {statement};
    if (!words_take(&select, "SELECT"))
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(server_files); i++) {
        struct words words = select;
        if (words_seek(&words, server_files[i]))
            return refuse(statement, err);
    }
    return 0;
}

/* Is it about a tablespace that is there already, or about one that is not wanted? */
static bool spares_tablespace(const struct postgres_rules *rules, const char *statement)
{
    struct words words = {statement};
    SCOPED(string) char *name = NULL;
    if (words_take(&words, "CREATE TABLESPACE"))
        return rules->no_tablespaces ||
               (words_name(&words, NULL, &name) && text_list_has(&rules->tablespaces, name));
    return rules->no_tablespaces && words_tablespace(statement, &name);
}

static bool is_ownership(const char *statement)
{
    struct words words = {statement};
    if (words_take(&words, "GRANT") || words_take(&words, "REVOKE") ||
        words_take(&words, "ALTER DEFAULT PRIVILEGES") ||
        words_take(&words, "SET SESSION AUTHORIZATION") ||
        words_take(&words, "RESET SESSION AUTHORIZATION"))
        return true;
    return words_take(&words, "ALTER") && words_seek(&words, "OWNER TO");
}

int postgres_rules_allow(const struct postgres_rules *rules, const char *statement,
                         struct error *err)
{
    if (check_refused(statement, err) < 0)
        return -1;
    struct words words = {statement};
    if (words_take(&words, "SET") && !knows_setting(rules, statement))
        return 0;
    if (spares_tablespace(rules, statement))
        return 0;
    if (text_starts(statement, POSTGRES_PROPERTY_MARK))
        return !rules->no_properties && !rules->no_owner;
    return !(rules->no_owner && is_ownership(statement));
}
