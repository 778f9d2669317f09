#include "migrate/session.h"

#include "base/mem.h"
#include "db/db.h"
#include "migrate/classify.h"

#define MYSQL_TABLE_NOT_LOCKED 1100
#define MYSQL_TABLE_LOCKED_FOR_READ 1099
#define MYSQL_XA_NOT_IN_STATE 1399

static bool statement_touches(enum db_engine engine, const struct migration_statement *statement)
{
    static const char *const harmless[] = {"ALTER",  "DROP",    "INSERT", "UPDATE", "DELETE",
                                           "GRANT",  "COMMENT", "REVOKE", "COPY",   "TRUNCATE",
                                           "CREATE", "REPLACE", "RENAME"};
    struct words words;
    if (statement->block)
        return true;
    words_read(&words, engine, statement->text, statement->size);
    if (words_are(&words, 0, "CREATE") &&
        (words_find(&words, "TEMP") > 0 || words_find(&words, "TEMPORARY") > 0))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
        if (words_are(&words, 0, harmless[i]))
            return false;
    return true;
}

bool session_touched(enum db_engine engine, const struct migration *migration,
                     enum direction direction)
{
    const struct migration_part *part = &migration->parts[direction];
    if (migration->functions[direction])
        return true;
    for (size_t i = 0; i < part->count; i++)
        if (statement_touches(engine, &part->items[i]))
            return true;
    return false;
}

bool session_sets(enum db_engine engine, const struct migration_statement *statement)
{
    struct words words;
    if (statement->block)
        return false;
    words_read(&words, engine, statement->text, statement->size);
    if (engine == DB_SQLITE)
        return words_are(&words, 0, "PRAGMA");
    if (engine == DB_POSTGRES && words_are(&words, 0, "SELECT"))
        return words_are(&words, 1, "SET_CONFIG (") ||
               words_are(&words, 1, "PG_CATALOG . SET_CONFIG (");
    return words_are(&words, 0, "SET") || words_are(&words, 0, "RESET") ||
           words_are(&words, 0, "USE") || words_are(&words, 0, "PREPARE");
}

bool session_out_of_reach(const struct db *db)
{
    int code = db->fault.native_code;
    return db->ops->engine == DB_MYSQL &&
           (code == MYSQL_TABLE_NOT_LOCKED || code == MYSQL_TABLE_LOCKED_FOR_READ ||
            code == MYSQL_XA_NOT_IN_STATE);
}
