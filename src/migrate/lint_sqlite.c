#include "migrate/lint_sqlite.h"

#include "base/mem.h"

#include <string.h>

enum {
    REBUILD_WITH_FOREIGN_KEYS_ON,
    REBUILD_RENAMES_OLD,
    REBUILD_LOSES_INDEX,
    ADD_COLUMN_REFUSED,
    PRAGMA_IN_TRANSACTION,
    FOREIGN_KEYS_LEFT_OFF,
    WRITABLE_SCHEMA,
    DOUBLE_QUOTED_STRING,
};

const struct lint_rule lint_sqlite_rules[] = {
    [REBUILD_WITH_FOREIGN_KEYS_ON] = {"rebuild-with-foreign-keys-on", LINT_ERROR, LINT_SQLITE,
                                      false,
                                      "dropping it deletes its rows first, and with them what "
                                      "refers to them ON DELETE CASCADE",
                                      "PRAGMA foreign_keys = OFF as the first statement and ON as "
                                      "the last; kedge obeys both and checks before the commit"},
    [REBUILD_RENAMES_OLD] = {"rebuild-renames-old", LINT_ERROR, LINT_SQLITE, false,
                             "foreign keys, views and triggers of other tables follow the old "
                             "table to its new name",
                             "create the new table under a new name, copy, drop the old one, "
                             "rename the new one"},
    [REBUILD_LOSES_INDEX] = {"rebuild-loses-index", LINT_WARNING, LINT_SQLITE, false,
                             "it goes away with the old table and is not made again",
                             "CREATE INDEX again after the rename"},
    [ADD_COLUMN_REFUSED] = {"add-column-refused", LINT_ERROR, LINT_SQLITE, false,
                            "SQLite adds no column that is PRIMARY KEY, UNIQUE or STORED, or whose "
                            "default is an expression",
                            "add a plain column and a unique index, or build the table anew"},
    [PRAGMA_IN_TRANSACTION] = {"pragma-in-transaction", LINT_ERROR, LINT_SQLITE, true,
                               "within a transaction it does nothing or fails; kedge refuses the "
                               "file",
                               "put it into a migration of its own below \"-- +migrate Up "
                               "notransaction\""},
    [FOREIGN_KEYS_LEFT_OFF] = {"foreign-keys-left-off", LINT_WARNING, LINT_SQLITE, false,
                               "the migrations after this one run without foreign keys too",
                               "PRAGMA foreign_keys = ON as the last statement"},
    [WRITABLE_SCHEMA] = {"writable-schema", LINT_ERROR, LINT_SQLITE, true,
                         "a mistake in the schema table leaves a file that cannot be opened",
                         "build the table anew"},
    [DOUBLE_QUOTED_STRING] = {"double-quoted-string", LINT_WARNING, LINT_SQLITE, false,
                              "double quotes are for names: this is a text only as long as no such "
                              "name exists, and newer builds refuse it",
                              "single quotes"},
};

const size_t lint_sqlite_count = ARRAY_SIZE(lint_sqlite_rules);

#define RULE(name) (&lint_sqlite_rules[name])

static bool is_new(const struct lint_part *part, const struct sql_name *table)
{
    return lint_schema_is_new(part->schema, table);
}

/* ---- pragmas ---- */

/* PRAGMA [schema.]name: true when it is this one. The cursor then stands at = or (. */
static bool take_pragma(struct cursor *cursor, const char *name)
{
    struct cursor here = *cursor;
    if (!cursor_take(&here, "PRAGMA"))
        return false;
    cursor_take(&here, "main .");
    if (!cursor_take(&here, name))
        return false;
    *cursor = here;
    return true;
}

/* PRAGMA foreign_keys = value: 1 when it switches them on, 0 off, -1 when it is not that. */
static int switches_foreign_keys(const struct outline *outline)
{
    struct cursor cursor = cursor_over(&outline->tokens);
    if (!take_pragma(&cursor, "foreign_keys") ||
        (!cursor_take(&cursor, "=") && !cursor_take(&cursor, "(")))
        return -1;
    const struct token *value = cursor_token(&cursor);
    bool off = token_is(value, "OFF") || token_is(value, "FALSE") || token_is(value, "NO") ||
               (value && value->text[0] == '0');
    return !off;
}

static bool foreign_keys_are_off(const struct lint_part *part)
{
    int on = 1;
    for (size_t i = 0; i < part->at; i++) {
        int now = switches_foreign_keys(&part->items[i].outline);
        on = now < 0 ? on : now;
    }
    return !on;
}

static void check_pragma(struct lint_part *part, const struct outline *outline)
{
    static const char *const outside[] = {"journal_mode", "synchronous", "auto_vacuum",
                                          "wal_checkpoint"};
    struct cursor cursor = cursor_over(&outline->tokens);
    for (size_t i = 0; i < ARRAY_SIZE(outside) && part->transaction; i++) {
        struct cursor here = cursor;
        if (take_pragma(&here, outside[i]) && (!cursor_ended(&here) || i == 3))
            lint_report(part, RULE(PRAGMA_IN_TRANSACTION), 0, "PRAGMA %s", outside[i]);
    }
    if (take_pragma(&cursor, "writable_schema"))
        lint_report(part, RULE(WRITABLE_SCHEMA), 0, "PRAGMA writable_schema");
    if (switches_foreign_keys(outline) != 0)
        return;
    for (size_t i = part->at + 1; i < part->count; i++)
        if (switches_foreign_keys(&part->items[i].outline) == 1)
            return;
    lint_report(part, RULE(FOREIGN_KEYS_LEFT_OFF), 0, "PRAGMA foreign_keys");
}

/* ---- building a table anew ---- */

static bool is_made_again(const struct lint_part *part, const struct sql_name *index)
{
    for (size_t i = part->at; i < part->count; i++) {
        const struct outline *outline = &part->items[i].outline;
        if (outline->kind == OUTLINE_CREATE && outline->object == OBJECT_INDEX &&
            sql_name_is(&outline->name, index))
            return true;
    }
    return false;
}

static void check_drop(struct lint_part *part, const struct outline *outline)
{
    const struct sql_name *table = &outline->name;
    if (outline->object != OBJECT_TABLE || is_new(part, table) || !lint_is_replaced(part, table))
        return;
    if (!foreign_keys_are_off(part))
        lint_report(part, RULE(REBUILD_WITH_FOREIGN_KEYS_ON), 0, "table %s", table->text);
    for (size_t i = 0; i < part->schema->index_count; i++) {
        const struct lint_index *index = &part->schema->indexes[i];
        if (sql_name_is(&index->table, table) && index->name.text[0] &&
            !is_made_again(part, &index->name))
            lint_report(part, RULE(REBUILD_LOSES_INDEX), 0, "index %s", index->name.text);
    }
}

static void check_rename(struct lint_part *part, const struct outline *outline)
{
    for (size_t i = part->at; i < part->count; i++) {
        const struct outline *later = &part->items[i].outline;
        if (later->kind == OUTLINE_CREATE && later->object == OBJECT_TABLE &&
            sql_name_is(&later->name, &outline->table)) {
            lint_report(part, RULE(REBUILD_RENAMES_OLD), 0, "table %s", outline->table.text);
            return;
        }
    }
}

/* ---- columns ---- */

static bool is_refused(const struct outline_column *column)
{
    const struct cursor *fallback = &column->fallback;
    bool moment = cursor_is(fallback, "CURRENT_TIMESTAMP") || cursor_is(fallback, "CURRENT_DATE") ||
                  cursor_is(fallback, "CURRENT_TIME");
    return (column->flags & (COLUMN_PRIMARY | COLUMN_UNIQUE | COLUMN_STORED)) ||
           ((column->flags & COLUMN_DEFAULT) && (moment || cursor_is(fallback, "(")));
}

static void check_default(struct lint_part *part, const struct outline *outline,
                          const struct outline_column *column)
{
    const struct token *token = cursor_token(&column->fallback);
    if (token && token->kind == TOKEN_NAME && token->text[0] == '"')
        lint_report(part, RULE(DOUBLE_QUOTED_STRING), column->fallback.at, "column %s.%s",
                    outline->table.text, column->name.text);
}

static void check_alter(struct lint_part *part, const struct outline *outline)
{
    for (size_t i = 0; i < outline->action_count; i++) {
        const struct outline_action *action = &outline->actions[i];
        if (action->kind == ACTION_RENAME_TABLE && !is_new(part, &outline->table))
            check_rename(part, outline);
        if (action->kind != ACTION_ADD_COLUMN)
            continue;
        check_default(part, outline, &action->column);
        if (is_refused(&action->column))
            lint_report(part, RULE(ADD_COLUMN_REFUSED), action->at, "column %s.%s",
                        outline->table.text, action->name.text);
    }
}

void lint_sqlite_statement(struct lint_part *part)
{
    const struct outline *outline = lint_now(part);
    check_pragma(part, outline);
    for (size_t i = 0; i < outline->column_count; i++)
        check_default(part, outline, &outline->columns[i]);
    if (outline->kind == OUTLINE_DROP)
        check_drop(part, outline);
    else if (outline->kind == OUTLINE_ALTER)
        check_alter(part, outline);
}
