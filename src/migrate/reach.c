#include "migrate/reach.h"

#include "base/error.h"
#include "base/text.h"
#include "db/db.h"
#include "migrate/cursor.h"

#include <string.h>
#include <strings.h>

/* What changes more than the database that it runs in. */
static const char *const server_wide[] = {
    "CREATE ROLE",
    "ALTER ROLE",
    "DROP ROLE",
    "CREATE USER",
    "ALTER USER",
    "DROP USER",
    "CREATE GROUP",
    "DROP GROUP",
    "CREATE DATABASE",
    "ALTER DATABASE",
    "DROP DATABASE",
    "CREATE TABLESPACE",
    "ALTER TABLESPACE",
    "DROP TABLESPACE",
    "ALTER SYSTEM",
    "REASSIGN OWNED",
    "DROP OWNED",
    "CREATE SUBSCRIPTION",
    "DROP SUBSCRIPTION",
    "RENAME USER",
    "SET GLOBAL",
    "SET PERSIST",
    "SET PASSWORD",
    "CREATE SERVER",
    "INSTALL",
    "UNINSTALL",
    "FLUSH",
    "SHUTDOWN",
    "KILL",
    "RESET",
    "CHANGE MASTER",
    "USE",
};

static bool reaches_server(enum db_engine engine, const struct tokens *tokens)
{
    struct cursor at = cursor_over(tokens);
    if (engine == DB_SQLITE)
        return cursor_is(&at, "ATTACH") || cursor_is(&at, "VACUUM INTO");
    if (engine == DB_POSTGRES && (cursor_is(&at, "RESET") || cursor_is(&at, "CREATE SERVER")))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(server_wide); i++)
        if (cursor_is(&at, server_wide[i]))
            return true;
    /* Rights on nothing but a table of this database go with it. */
    bool grants = cursor_is(&at, "GRANT") || cursor_is(&at, "REVOKE");
    return grants && (!cursor_mentions(&at, "ON") || cursor_mentions(&at, "* . *"));
}

/* A name of another database before a dot; NULL when there is none. Borrowed from the list. */
static const char *named_database(const struct tokens *tokens, const struct text_list *databases)
{
    struct cursor at = cursor_over(tokens);
    for (; cursor_ahead(&at, 1); at.at++) {
        const struct token *name = cursor_token(&at);
        if (!token_is_name(name) || !token_is(cursor_ahead(&at, 1), "."))
            continue;
        SCOPED(string) char *written = mem_string_n(name->text, name->size);
        SCOPED(string) char *plain = name_plain(DB_MYSQL, written);
        for (size_t i = 0; i < databases->count; i++)
            if (strcasecmp(databases->items[i], plain) == 0)
                return databases->items[i];
    }
    return NULL;
}

static int read_databases(struct os *os, const struct db_url *url, struct text_list *names,
                          struct error *err)
{
    SCOPED(db) struct db *db = NULL;
    const struct db_options options = {.os = os, .application = "kedge migrate verify"};
    if (url->engine != DB_MYSQL)
        return 0;
    if (db_open(url, &options, &db, err) < 0)
        return -1;
    return db_query_list(
        db,
        "SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT IN "
        "('information_schema', 'performance_schema')",
        NULL, 0, names, err);
}

static int check_statement(const struct db_url *url, const char *place,
                           const struct migration_statement *statement,
                           const struct text_list *databases, struct error *err)
{
    SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
    tokens_read(&tokens, url->engine, statement->text, statement->size);
    const char *other = named_database(&tokens, databases);
    if (other)
        error_set(err, ERROR_USAGE,
                  "%s:%zu: names the database %s, which a trial would change for good", place,
                  statement->line, other);
    else if (reaches_server(url->engine, &tokens))
        error_set(err, ERROR_USAGE,
                  "%s:%zu: reaches out of its database, so a trial would change more than the "
                  "scratch database",
                  place, statement->line);
    else
        return 0;
    return error_hint(err, "try it on a server of its own, with an empty database named by "
                           "--scratch-url");
}

static int check_way(const struct db_url *url, const struct migration *migration,
                     enum direction direction, const struct text_list *databases, struct error *err)
{
    const struct migration_part *part = &migration->parts[direction];
    SCOPED(string) char *place = migration_place(migration, direction);
    for (size_t i = 0; i < part->count; i++)
        if (check_statement(url, place, &part->items[i], databases, err) < 0)
            return -1;
    return 0;
}

int reach_check(struct os *os, const struct db_url *url, const struct migration_set *set,
                struct error *err)
{
    SCOPED(text_list) struct text_list databases = TEXT_LIST_INIT;
    if (read_databases(os, url, &databases, err) < 0)
        return -1;
    for (size_t i = 0; i < set->count; i++)
        if (check_way(url, set->items[i], MIGRATE_UP, &databases, err) < 0 ||
            check_way(url, set->items[i], MIGRATE_DOWN, &databases, err) < 0)
            return -1;
    return 0;
}
