#include "migrate/lint_every.h"

#include "base/mem.h"
#include "migrate/classify.h"
#include "migrate/execute.h"
#include "migrate/run.h"

#include <string.h>

enum {
    DROP_TABLE,
    DROP_COLUMN,
    DROP_SCHEMA,
    TRUNCATE_TABLE,
    RENAME_TABLE,
    RENAME_COLUMN,
    DELETE_WITHOUT_WHERE,
    UPDATE_WITHOUT_WHERE,
    DATA_WITH_SCHEMA,
    ADD_NOT_NULL_COLUMN,
    DROP_CONSTRAINT,
    GENERATED_STORED_COLUMN,
    FLOAT_FOR_MONEY,
    INT_PRIMARY_KEY,
    TABLE_WITHOUT_PRIMARY_KEY,
    LOCK_TABLE,
    OWN_TRANSACTION,
    NEEDS_NOTRANSACTION,
    LOCK_TIMEOUT_OFF,
};

const struct lint_rule lint_every_rules[] = {
    [DROP_TABLE] = {"drop-table", LINT_ERROR, LINT_EVERY, false,
                    "its rows are lost, and whatever still reads it fails",
                    "deploy code that no longer uses it, rename or back it up, drop it later; then "
                    "silence the rule with that reason"},
    [DROP_COLUMN] = {"drop-column", LINT_ERROR, LINT_EVERY, false,
                     "its values are lost, and whatever still names it fails",
                     "deploy code that no longer names it first; then silence the rule with that "
                     "reason"},
    [DROP_SCHEMA] = {"drop-schema", LINT_ERROR, LINT_EVERY, false, "everything in it is lost",
                     "drop what is in it one by one, each with its reason"},
    [TRUNCATE_TABLE] = {"truncate-table", LINT_ERROR, LINT_POSTGRES | LINT_MYSQL, false,
                        "all its rows are lost, under a lock that stops readers",
                        "DELETE in small pieces with a WHERE, outside of the migration"},
    [RENAME_TABLE] = {"rename-table", LINT_ERROR, LINT_EVERY, false,
                      "code that runs now knows the old name and fails until it is replaced",
                      "keep the name; or give the old name to a view in the same migration"},
    [RENAME_COLUMN] = {"rename-column", LINT_ERROR, LINT_EVERY, false,
                       "code that runs now knows the old name and fails until it is replaced",
                       "add a new column, write both, copy, read the new one, drop the old one "
                       "later"},
    [DELETE_WITHOUT_WHERE] = {"delete-without-where", LINT_ERROR, LINT_EVERY, false,
                              "every row is deleted", "say which rows with a WHERE"},
    [UPDATE_WITHOUT_WHERE] = {"update-without-where", LINT_WARNING, LINT_EVERY, false,
                              "every row is written and stays locked until the end",
                              "say which rows with a WHERE (those that lack the new value), in "
                              "pieces when they are many"},
    [DATA_WITH_SCHEMA] = {"data-with-schema", LINT_WARNING, LINT_POSTGRES, false,
                          "the lock that an ALTER TABLE above took is held as long as this runs",
                          "put the change of data into a migration of its own"},
    [ADD_NOT_NULL_COLUMN] = {"add-not-null-column", LINT_ERROR, LINT_EVERY, false,
                             "a NOT NULL column without a default fails where there are rows, or "
                             "fills them with a value that nobody chose",
                             "give it a DEFAULT; or add it as NULL, fill it, and make it NOT NULL "
                             "later"},
    [DROP_CONSTRAINT] = {"drop-constraint", LINT_WARNING, LINT_POSTGRES | LINT_MYSQL, false,
                         "what it kept out can come in from now on, and putting it back needs a "
                         "check of all rows",
                         "put its successor in the same migration, or silence the rule with the "
                         "reason"},
    [GENERATED_STORED_COLUMN] = {"generated-stored-column", LINT_ERROR, LINT_POSTGRES | LINT_MYSQL,
                                 false,
                                 "adding a stored generated column writes the whole table anew "
                                 "under a lock",
                                 "add an ordinary column that a trigger or the program fills, or a "
                                 "virtual one"},
    [FLOAT_FOR_MONEY] = {"float-for-money", LINT_WARNING, LINT_EVERY, false,
                         "binary fractions cannot hold cents: sums drift",
                         "NUMERIC(12, 2), or an integer number of cents"},
    [INT_PRIMARY_KEY] = {"int-primary-key", LINT_WARNING, LINT_POSTGRES | LINT_MYSQL, false,
                         "its numbers end at 2147483647, and changing the type later writes the "
                         "table anew",
                         "BIGINT GENERATED ALWAYS AS IDENTITY; on MySQL BIGINT UNSIGNED "
                         "AUTO_INCREMENT"},
    [TABLE_WITHOUT_PRIMARY_KEY] = {"table-without-primary-key", LINT_WARNING,
                                   LINT_POSTGRES | LINT_MYSQL, false,
                                   "replication and clean-ups cannot tell its rows apart",
                                   "add a PRIMARY KEY"},
    [LOCK_TABLE] = {"lock-table", LINT_ERROR, LINT_POSTGRES | LINT_MYSQL, false,
                    "others wait for the table until the migration ends",
                    "leave it out: each statement takes the lock that it needs"},
    [OWN_TRANSACTION] = {"own-transaction", LINT_ERROR, LINT_EVERY, true,
                         "it would end the transaction that the migration and its record share; "
                         "kedge refuses the file",
                         "take it out"},
    [NEEDS_NOTRANSACTION] = {"needs-notransaction", LINT_ERROR, LINT_POSTGRES | LINT_SQLITE, true,
                             "it cannot run inside a transaction; kedge refuses the file",
                             "put it into a migration of its own below \"-- +migrate Up "
                             "notransaction\""},
    [LOCK_TIMEOUT_OFF] = {"lock-timeout-off", LINT_ERROR, LINT_POSTGRES | LINT_MYSQL, true,
                          "a statement that waits for ever makes everyone queue up behind it",
                          "leave it out: --lock-timeout (5s) and another try are set already"},
};

const size_t lint_every_count = ARRAY_SIZE(lint_every_rules);

#define RULE(name) (&lint_every_rules[name])

static bool is_new(const struct lint_part *part, const struct sql_name *table)
{
    return lint_schema_is_new(part->schema, table);
}

/* ---- dropping and renaming ---- */

static void check_drop(struct lint_part *part, const struct outline *outline)
{
    if (outline->object == OBJECT_SCHEMA || outline->object == OBJECT_DATABASE)
        lint_report(part, RULE(DROP_SCHEMA), 0, "schema %s", outline->name.text);
    if (outline->object != OBJECT_TABLE || outline->temporary)
        return;
    for (size_t i = 0; i < outline->name_count; i++)
        if (!is_new(part, &outline->names[i]) && !lint_is_replaced(part, &outline->names[i]))
            lint_report(part, RULE(DROP_TABLE), 0, "table %s", outline->names[i].text);
}

static void check_rename(struct lint_part *part, const struct sql_name *name, size_t token)
{
    if (!is_new(part, name) && !lint_is_taken_again(part, name))
        lint_report(part, RULE(RENAME_TABLE), token, "table %s", name->text);
}

/* The constraint comes back under the same name, or it was only there to prove NOT NULL. */
static bool comes_back(const struct lint_part *part, const struct outline_action *dropped)
{
    const struct outline *now = lint_now(part);
    const struct lint_table *table = lint_schema_table(part->schema, &now->table);
    for (size_t i = 0; table && i < table->check_count; i++)
        if (sql_name_is(&table->checks[i].name, &dropped->name) && table->checks[i].column.text[0])
            return true;
    for (size_t i = part->at; i < part->count; i++) {
        const struct outline *outline = &part->items[i].outline;
        for (size_t j = 0; j < outline->action_count; j++) {
            const struct outline_action *action = &outline->actions[j];
            bool adds = action->kind >= ACTION_ADD_PRIMARY && action->kind <= ACTION_ADD_INDEX;
            if (adds && sql_name_is(&outline->table, &now->table) && action->name.text[0] &&
                sql_name_is(&action->name, &dropped->name))
                return true;
        }
    }
    return false;
}

static bool allows_null_only(const struct outline_column *column)
{
    unsigned fills = COLUMN_DEFAULT | COLUMN_GENERATED | COLUMN_IDENTITY | COLUMN_AUTO_INCREMENT;
    bool required = column->flags & (COLUMN_NOT_NULL | COLUMN_PRIMARY);
    return !required || (column->flags & fills) || strstr(column->type, "serial");
}

static void check_alter_action(struct lint_part *part, const struct outline *outline,
                               const struct outline_action *action)
{
    const char *table = outline->table.text;
    const char *name = action->name.text;
    switch (action->kind) {
    case ACTION_DROP_COLUMN:
        lint_report(part, RULE(DROP_COLUMN), action->at, "column %s.%s", table, name);
        break;
    case ACTION_RENAME_COLUMN:
        lint_report(part, RULE(RENAME_COLUMN), action->at, "column %s.%s", table, name);
        break;
    case ACTION_MODIFY_COLUMN:
        if (action->new_name.text[0] && !sql_name_is(&action->name, &action->new_name))
            lint_report(part, RULE(RENAME_COLUMN), action->at, "column %s.%s", table, name);
        break;
    case ACTION_RENAME_TABLE:
    case ACTION_SET_SCHEMA:
        check_rename(part, &outline->table, action->at);
        break;
    case ACTION_DROP_PARTITION:
        lint_report(part, RULE(DROP_TABLE), action->at, "partition %s of %s", name, table);
        break;
    case ACTION_DROP_CONSTRAINT:
    case ACTION_DROP_FOREIGN:
        if (!comes_back(part, action))
            lint_report(part, RULE(DROP_CONSTRAINT), action->at, "constraint %s of %s", name,
                        table);
        break;
    case ACTION_ADD_COLUMN:
        if (!allows_null_only(&action->column))
            lint_report(part, RULE(ADD_NOT_NULL_COLUMN), action->at, "column %s.%s", table, name);
        if (action->column.flags & COLUMN_STORED)
            lint_report(part, RULE(GENERATED_STORED_COLUMN), action->at, "column %s.%s", table,
                        name);
        break;
    default:
        break;
    }
}

static void check_alter(struct lint_part *part, const struct outline *outline)
{
    if (outline->object == OBJECT_SCHEMA && cursor_is(&outline->rest, "RENAME"))
        lint_report(part, RULE(RENAME_TABLE), 0, "schema %s", outline->name.text);
    if (outline->object != OBJECT_TABLE || is_new(part, &outline->table))
        return;
    for (size_t i = 0; i < outline->action_count; i++)
        check_alter_action(part, outline, &outline->actions[i]);
}

/* ---- columns ---- */

/* Is one of the words between underscores about money? */
static bool is_money(const char *name)
{
    static const char *const words[] = {"price", "amount", "cost",  "balance", "salary",
                                        "fee",   "tax",    "money", "payment", "revenue"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        size_t size = strlen(words[i]);
        for (const char *at = strstr(name, words[i]); at; at = strstr(at + 1, words[i])) {
            const char *after = at + size + (at[size] == 's');
            if ((at == name || at[-1] == '_') && (*after == '\0' || *after == '_'))
                return true;
        }
    }
    return false;
}

static bool type_begins(const char *type, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(words[i]);
        if (strncmp(type, words[i], size) == 0 && strchr("( ", type[size]))
            return true;
    }
    return false;
}

static bool is_float(const char *type)
{
    static const char *const words[] = {"float", "double", "real", "float4", "float8"};
    return type_begins(type, words, ARRAY_SIZE(words));
}

/* Numbers that the server gives, in 32 bits or less. */
static bool is_short_counter(const struct lint_part *part, const struct outline_column *column)
{
    static const char *const serials[] = {"serial", "serial4", "smallserial", "serial2"};
    static const char *const ints[] = {"int", "integer", "int4", "mediumint", "smallint", "int2"};
    bool counts = column->flags & (COLUMN_AUTO_INCREMENT | COLUMN_IDENTITY);
    if (part->engine == DB_MYSQL)
        return counts && type_begins(column->type, ints, ARRAY_SIZE(ints)) &&
               !strstr(column->type, "unsigned");
    if (type_begins(column->type, serials, ARRAY_SIZE(serials)))
        return true;
    return type_begins(column->type, ints, counts ? ARRAY_SIZE(ints) : 3);
}

static bool is_primary(const struct outline *outline, const struct outline_column *column)
{
    const struct outline_action *key = outline_action(outline, ACTION_ADD_PRIMARY);
    struct sql_name name;
    if (column->flags & COLUMN_PRIMARY)
        return true;
    if (!key)
        return false;
    struct cursor body = key->body;
    return cursor_name(&body, &name) && cursor_ended(&body) && sql_name_is(&name, &column->name);
}

static void check_column(struct lint_part *part, const struct outline *outline,
                         const struct outline_column *column)
{
    const char *table = outline->table.text;
    if (is_float(column->type) && is_money(column->name.text))
        lint_report(part, RULE(FLOAT_FOR_MONEY), column->at, "column %s.%s", table,
                    column->name.text);
    bool own = !(column->flags & COLUMN_REFERENCES) && is_primary(outline, column);
    if (own && is_short_counter(part, column))
        lint_report(part, RULE(INT_PRIMARY_KEY), column->at, "column %s.%s", table,
                    column->name.text);
}

static bool gets_primary(const struct lint_part *part, const struct outline *made)
{
    for (size_t i = 0; i < made->column_count; i++)
        if (made->columns[i].flags & COLUMN_PRIMARY)
            return true;
    for (size_t i = part->at; i < part->count; i++) {
        const struct outline *outline = &part->items[i].outline;
        if (sql_name_is(&outline->table, &made->table) &&
            outline_action(outline, ACTION_ADD_PRIMARY))
            return true;
    }
    return false;
}

static void check_create_table(struct lint_part *part, const struct outline *outline)
{
    for (size_t i = 0; i < outline->column_count; i++)
        check_column(part, outline, &outline->columns[i]);
    bool whole = outline->column_count > 0 && !outline->from_query && !outline->temporary;
    if (whole && !gets_primary(part, outline))
        lint_report(part, RULE(TABLE_WITHOUT_PRIMARY_KEY), 0, "table %s", outline->table.text);
}

/* ---- rows ---- */

static void check_data(struct lint_part *part, const struct outline *outline)
{
    const char *table = outline->table.text;
    if (!table[0] || is_new(part, &outline->table))
        return;
    if (outline->kind == OUTLINE_DELETE && !outline->has_where)
        lint_report(part, RULE(DELETE_WITHOUT_WHERE), 0, "table %s", table);
    if (outline->kind == OUTLINE_UPDATE && !outline->has_where)
        lint_report(part, RULE(UPDATE_WITHOUT_WHERE), 0, "table %s", table);
    if (outline->kind == OUTLINE_INSERT && !outline->from_query)
        return;
    if (part->transaction && lint_altered_before(part) != TOKEN_NONE)
        lint_report(part, RULE(DATA_WITH_SCHEMA), 0, "table %s", table);
}

static void check_truncate(struct lint_part *part, const struct outline *outline)
{
    for (size_t i = 0; i < outline->name_count; i++)
        if (!is_new(part, &outline->names[i]))
            lint_report(part, RULE(TRUNCATE_TABLE), 0, "table %s", outline->names[i].text);
}

/* ---- what surrounds ---- */

/* PostgreSQL: 0 is for ever, in any spelling; MySQL: an hour and more is as good as that. */
static bool sets_no_timeout(enum db_engine engine, const struct cursor *start)
{
    struct cursor cursor = *start;
    long value = 0;
    if (!cursor_take(&cursor, "SET"))
        return false;
    if (!cursor_take(&cursor, "LOCAL"))
        cursor_take(&cursor, "SESSION");
    bool postgres = engine == DB_POSTGRES && cursor_take(&cursor, "lock_timeout");
    bool mysql = engine == DB_MYSQL && (cursor_take(&cursor, "lock_wait_timeout") ||
                                        cursor_take(&cursor, "innodb_lock_wait_timeout"));
    if ((!postgres && !mysql) || (!cursor_take(&cursor, "=") && !cursor_take(&cursor, "TO")))
        return false;
    const struct token *token = cursor_token(&cursor);
    for (size_t i = 0; token && i < token->size; i++)
        if (token->text[i] >= '0' && token->text[i] <= '9')
            value = value < 1000000 ? value * 10 + (token->text[i] - '0') : value;
    bool number = token && (token->kind == TOKEN_NUMBER || token->kind == TOKEN_STRING);
    return number && (postgres ? value == 0 : value >= 3600);
}

static bool is_sqlite_pragma(const struct lint_part *part, const struct cursor *cursor)
{
    return part->engine == DB_SQLITE && cursor_is(cursor, "PRAGMA");
}

/* Would a COMMIT of the file's own end the migration's transaction? */
static bool ends_transaction(const struct lint_part *part)
{
    return part->transaction &&
           !execute_wrapped(&part->migration->parts[part->direction], part->engine) &&
           !(part->engine == DB_MYSQL && run_stepwise(DB_MYSQL, part->migration, part->direction));
}

static void check_words(struct lint_part *part)
{
    const struct lint_statement *statement = &part->items[part->at];
    const struct cursor cursor = cursor_over(&statement->outline.tokens);
    bool peer = part->migration->detects_outside;
    if (cursor_is(&cursor, "LOCK") && !cursor_is(&cursor, "LOCK INSTANCE"))
        lint_report(part, RULE(LOCK_TABLE), 0, "LOCK");
    if ((statement->traits & TRAIT_TRANSACTION) && ends_transaction(part))
        lint_report(part, RULE(OWN_TRANSACTION), 0, "%.*s",
                    (int)strcspn(statement->text, " \t\r\n;"), statement->text);
    if ((statement->traits & TRAIT_OUTSIDE) && part->transaction && !peer &&
        !is_sqlite_pragma(part, &cursor))
        lint_report(part, RULE(NEEDS_NOTRANSACTION), 0, "%.*s",
                    (int)strcspn(statement->text, "\r\n(;"), statement->text);
    if (sets_no_timeout(part->engine, &cursor))
        lint_report(part, RULE(LOCK_TIMEOUT_OFF), 0, "SET");
}

void lint_every_statement(struct lint_part *part)
{
    const struct outline *outline = lint_now(part);
    check_words(part);
    switch (outline->kind) {
    case OUTLINE_CREATE:
        if (outline->object == OBJECT_TABLE)
            check_create_table(part, outline);
        break;
    case OUTLINE_ALTER:
        check_alter(part, outline);
        for (size_t i = 0; i < outline->action_count; i++)
            if (outline->actions[i].kind == ACTION_ADD_COLUMN)
                check_column(part, outline, &outline->actions[i].column);
        break;
    case OUTLINE_DROP:
        check_drop(part, outline);
        break;
    case OUTLINE_RENAME:
        for (size_t i = 0; i + 1 < outline->name_count; i += 2)
            check_rename(part, &outline->names[i], 0);
        break;
    case OUTLINE_TRUNCATE:
        check_truncate(part, outline);
        break;
    case OUTLINE_INSERT:
    case OUTLINE_UPDATE:
    case OUTLINE_DELETE:
        check_data(part, outline);
        break;
    case OUTLINE_OTHER:
        break;
    }
}
