#include "migrate/outline_column.h"

#include "base/mem.h"

#include <string.h>

/* ---- columns ---- */

/* What ends a column's type. */
static bool ends_type(const struct cursor *cursor)
{
    static const char *const words[] = {
        "CONSTRAINT",    "NOT",           "NULL",           "DEFAULT",   "PRIMARY",
        "UNIQUE",        "REFERENCES",    "CHECK",          "GENERATED", "AS",
        "COLLATE",       "COMMENT",       "AUTO_INCREMENT", "ON",        "FIRST",
        "AUTOINCREMENT", "CHARACTER SET", "CHARSET",        "AFTER",     "KEY",
        "INVISIBLE",     "VISIBLE",       "USING",          "STORAGE",   "COMPRESSION",
        "VIRTUAL",       "STORED",        "PERSISTENT",
    };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (cursor_is(cursor, words[i]))
            return true;
    return false;
}

static void read_type(struct cursor *item, struct outline_column *column)
{
    struct cursor type = *item;
    while (!cursor_ended(item) && !ends_type(item))
        cursor_skip(item);
    type.end = item->at;
    cursor_text(&type, column->type, sizeof column->type);
}

/* An expression ends where the next constraint begins; NOT and AS may stand within it. */
static void read_default(struct cursor *item, struct outline_column *column)
{
    column->flags |= COLUMN_DEFAULT;
    column->fallback = *item;
    cursor_skip(item);
    while (!cursor_ended(item) && !ends_type(item))
        cursor_skip(item);
    column->fallback.end = item->at;
    if (cursor_is(&column->fallback, "NULL"))
        column->flags &= ~(unsigned)COLUMN_DEFAULT;
}

/* GENERATED {ALWAYS | BY DEFAULT} AS {IDENTITY | (expression) [STORED]}, or AS (...) alone. */
static void read_generated(struct cursor *item, struct outline_column *column)
{
    if (!cursor_take(item, "ALWAYS"))
        cursor_take(item, "BY DEFAULT");
    cursor_take(item, "ON NULL");
    cursor_take(item, "AS");
    if (cursor_take(item, "IDENTITY")) {
        column->flags |= COLUMN_IDENTITY;
        cursor_group(item);
        return;
    }
    column->flags |= COLUMN_GENERATED;
    cursor_group(item);
    if (cursor_take(item, "STORED") || cursor_take(item, "PERSISTENT"))
        column->flags |= COLUMN_STORED;
}

static void read_references(struct cursor *item, struct outline_column *column)
{
    struct sql_name table;
    column->flags |= COLUMN_REFERENCES;
    cursor_name(item, &table);
    cursor_group(item);
    while (cursor_take(item, "ON DELETE") || cursor_take(item, "ON UPDATE")) {
        if (!cursor_take(item, "SET NULL") && !cursor_take(item, "SET DEFAULT"))
            cursor_skip(item);
        if (cursor_is(item, "ACTION"))
            cursor_skip(item);
    }
}

static void read_constraint(struct cursor *item, struct outline_column *column)
{
    static const struct {
        const char *words;
        unsigned flag;
    } plain[] = {
        {"NOT NULL", COLUMN_NOT_NULL},
        {"NULL", COLUMN_NULL},
        {"PRIMARY KEY", COLUMN_PRIMARY},
        {"UNIQUE", COLUMN_UNIQUE},
        {"AUTO_INCREMENT", COLUMN_AUTO_INCREMENT},
        {"AUTOINCREMENT", COLUMN_AUTO_INCREMENT},
        {"CHECK", COLUMN_CHECK},
        {"COLLATE", COLUMN_COLLATE},
        {"COMMENT", COLUMN_COMMENT},
        {"ON UPDATE", COLUMN_ON_UPDATE},
        {"CHARACTER SET", COLUMN_CHARSET},
        {"CHARSET", COLUMN_CHARSET},
        {"FIRST", COLUMN_PLACED},
        {"AFTER", COLUMN_PLACED},
        {"STORED", COLUMN_STORED},
        {"PERSISTENT", COLUMN_STORED},
    };
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        if (cursor_take(item, plain[i].words)) {
            column->flags |= plain[i].flag;
            return;
        }
    if (cursor_take(item, "DEFAULT"))
        read_default(item, column);
    else if (cursor_take(item, "GENERATED") || cursor_is(item, "AS ("))
        read_generated(item, column);
    else if (cursor_take(item, "REFERENCES"))
        read_references(item, column);
    else
        cursor_skip(item);
}

void outline_column_rest(struct cursor *item, struct outline_column *column)
{
    read_type(item, column);
    while (!cursor_ended(item))
        read_constraint(item, column);
}

bool outline_column_read(struct cursor *item, struct outline_column *ret_column)
{
    struct outline_column column = {.at = item->at, .fallback = *item};
    column.fallback.end = item->at;
    if (!cursor_name(item, &column.name))
        return false;
    outline_column_rest(item, &column);
    *ret_column = column;
    return true;
}

/* ---- constraints ---- */

static void read_not_valid(struct outline_action *action)
{
    action->not_valid = cursor_has(&action->clause, "NOT VALID");
    action->using_index = cursor_has(&action->clause, "USING INDEX");
}

/* [name] (columns): the first parentheses are the body. */
static void read_body(struct cursor *item, struct outline_action *action)
{
    struct sql_name name;
    if (!cursor_is(item, "(") && !cursor_is(item, "USING") && cursor_name(item, &name) &&
        !action->name.text[0])
        action->name = name;
    cursor_seek(item, "(");
    action->body = cursor_group(item);
    item->at = item->end;
}

bool outline_constraint_read(struct cursor *item, struct outline_action *action)
{
    static const struct {
        const char *words;
        enum action_kind kind;
    } kinds[] = {
        {"PRIMARY KEY", ACTION_ADD_PRIMARY},
        {"FOREIGN KEY", ACTION_ADD_FOREIGN},
        {"UNIQUE INDEX", ACTION_ADD_UNIQUE},
        {"UNIQUE KEY", ACTION_ADD_UNIQUE},
        {"UNIQUE", ACTION_ADD_UNIQUE},
        {"CHECK", ACTION_ADD_CHECK},
        {"EXCLUDE", ACTION_ADD_EXCLUDE},
        {"NOT NULL", ACTION_ADD_NOT_NULL},
        {"FULLTEXT INDEX", ACTION_SPECIAL_INDEX},
        {"FULLTEXT KEY", ACTION_SPECIAL_INDEX},
        {"SPATIAL INDEX", ACTION_SPECIAL_INDEX},
        {"SPATIAL KEY", ACTION_SPECIAL_INDEX},
        {"FULLTEXT", ACTION_SPECIAL_INDEX},
        {"SPATIAL", ACTION_SPECIAL_INDEX},
        {"INDEX", ACTION_ADD_INDEX},
        {"KEY", ACTION_ADD_INDEX},
    };
    struct cursor start = *item;
    action->clause = *item;
    action->at = item->at;
    if (cursor_take(item, "CONSTRAINT") && !cursor_is(item, "CHECK (") &&
        !cursor_is(item, "FOREIGN KEY") && !cursor_is(item, "PRIMARY KEY"))
        cursor_name(item, &action->name);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!cursor_take(item, kinds[i].words))
            continue;
        action->kind = kinds[i].kind;
        read_not_valid(action);
        read_body(item, action);
        return true;
    }
    *item = start;
    return false;
}
