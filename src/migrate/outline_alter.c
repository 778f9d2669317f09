#include "migrate/outline_alter.h"

#include "base/mem.h"
#include "migrate/outline_column.h"

static struct outline_action *add_action(struct outline *outline, const struct cursor *clause,
                                         enum action_kind kind)
{
    ARRAY_GROW(outline->actions, outline->action_count, outline->action_capacity);
    struct outline_action *action = &outline->actions[outline->action_count++];
    *action =
        (struct outline_action){.kind = kind, .clause = *clause, .body = *clause, .at = clause->at};
    action->body.at = action->body.end;
    action->column.fallback = action->body;
    return action;
}

/* ---- ADD ---- */

static void add_column(struct outline *outline, const struct cursor *clause, struct cursor *item)
{
    struct outline_action *action = add_action(outline, clause, ACTION_ADD_COLUMN);
    cursor_take(item, "IF NOT EXISTS");
    if (!outline_column_read(item, &action->column)) {
        action->kind = ACTION_OTHER;
        return;
    }
    action->name = action->column.name;
}

static void read_add(struct outline *outline, const struct cursor *clause, struct cursor *item)
{
    struct outline_action constraint = {.kind = ACTION_OTHER};
    bool column = cursor_take(item, "COLUMN");
    if (!column && cursor_is(item, "PARTITION"))
        return;
    if (!column && outline_constraint_read(item, &constraint)) {
        struct outline_action *action = add_action(outline, clause, constraint.kind);
        constraint.clause = action->clause;
        constraint.at = action->at;
        constraint.column.fallback = action->column.fallback;
        *action = constraint;
        return;
    }
    if (!cursor_is(item, "(")) {
        add_column(outline, clause, item);
        return;
    }
    struct cursor items = cursor_group(item);
    struct cursor one;
    while (cursor_item(&items, &one))
        add_column(outline, clause, &one);
}

/* ---- DROP ---- */

static void read_drop(struct outline *outline, const struct cursor *clause, struct cursor *item)
{
    static const struct {
        const char *words;
        enum action_kind kind;
    } kinds[] = {
        {"CONSTRAINT", ACTION_DROP_CONSTRAINT}, {"CHECK", ACTION_DROP_CONSTRAINT},
        {"PRIMARY KEY", ACTION_DROP_PRIMARY},   {"FOREIGN KEY", ACTION_DROP_FOREIGN},
        {"INDEX", ACTION_DROP_INDEX},           {"KEY", ACTION_DROP_INDEX},
        {"PARTITION", ACTION_DROP_PARTITION},   {"COLUMN", ACTION_DROP_COLUMN},
    };
    enum action_kind kind = ACTION_DROP_COLUMN;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (cursor_take(item, kinds[i].words)) {
            kind = kinds[i].kind;
            break;
        }
    struct outline_action *action = add_action(outline, clause, kind);
    cursor_take(item, "IF EXISTS");
    cursor_name(item, &action->name);
}

/* ---- ALTER COLUMN ---- */

static void read_type(struct outline_action *action, struct cursor *item)
{
    action->kind = ACTION_COLUMN_TYPE;
    outline_column_rest(item, &action->column);
    action->body = action->clause;
    action->using_expression = cursor_pass(&action->body, "USING");
    if (!action->using_expression)
        action->body.at = action->body.end;
}

static void read_alter(struct outline *outline, const struct cursor *clause, struct cursor *item)
{
    struct outline_action *action = add_action(outline, clause, ACTION_OTHER);
    bool column = cursor_take(item, "COLUMN");
    bool other =
        cursor_is(item, "CONSTRAINT") || cursor_is(item, "INDEX") || cursor_is(item, "CHECK");
    if ((!column && other) || !cursor_name(item, &action->name))
        return;
    if (cursor_take(item, "TYPE") || cursor_take(item, "SET DATA TYPE"))
        read_type(action, item);
    else if (cursor_is(item, "SET NOT NULL"))
        action->kind = ACTION_SET_NOT_NULL;
    else if (cursor_is(item, "DROP NOT NULL"))
        action->kind = ACTION_DROP_NOT_NULL;
    else if (cursor_is(item, "SET DEFAULT"))
        action->kind = ACTION_SET_DEFAULT;
}

/* ---- RENAME, MODIFY and CHANGE ---- */

static void read_rename(struct outline *outline, const struct cursor *clause, struct cursor *item)
{
    struct outline_action *action = add_action(outline, clause, ACTION_RENAME_TABLE);
    if (cursor_take(item, "TO") || cursor_take(item, "AS")) {
        cursor_name(item, &action->new_name);
        return;
    }
    action->kind = ACTION_RENAME_COLUMN;
    if (cursor_is(item, "CONSTRAINT") || cursor_is(item, "INDEX") || cursor_is(item, "KEY"))
        action->kind = ACTION_OTHER;
    cursor_take(item, "COLUMN");
    cursor_name(item, &action->name);
    if (cursor_take(item, "TO")) {
        cursor_name(item, &action->new_name);
    } else if (action->kind == ACTION_RENAME_COLUMN) {
        action->kind = ACTION_RENAME_TABLE; /* MySQL: RENAME b */
        action->new_name = action->name;
    }
}

static void read_modify(struct outline *outline, const struct cursor *clause, struct cursor *item)
{
    struct outline_action *action = add_action(outline, clause, ACTION_MODIFY_COLUMN);
    cursor_take(item, "COLUMN");
    cursor_take(item, "IF EXISTS");
    outline_column_read(item, &action->column);
    action->name = action->column.name;
}

static void read_change(struct outline *outline, const struct cursor *clause, struct cursor *item)
{
    struct outline_action *action = add_action(outline, clause, ACTION_MODIFY_COLUMN);
    cursor_take(item, "COLUMN");
    cursor_take(item, "IF EXISTS");
    cursor_name(item, &action->name);
    outline_column_read(item, &action->column);
    action->new_name = action->column.name;
}

/* ---- the rest ---- */

static void read_set(struct outline *outline, const struct cursor *clause, struct cursor *item)
{
    static const char *const rewriting[] = {"LOGGED", "UNLOGGED", "TABLESPACE", "ACCESS METHOD"};
    struct outline_action *action = add_action(outline, clause, ACTION_OTHER);
    if (cursor_take(item, "SCHEMA")) {
        action->kind = ACTION_SET_SCHEMA;
        cursor_name(item, &action->new_name);
    }
    for (size_t i = 0; i < ARRAY_SIZE(rewriting); i++)
        if (cursor_is(item, rewriting[i]))
            action->kind = ACTION_REWRITE;
}

static void read_named(struct outline *outline, const struct cursor *clause, struct cursor *item,
                       enum action_kind kind)
{
    struct outline_action *action = add_action(outline, clause, kind);
    cursor_take(item, "=");
    if (kind == ACTION_ATTACH || kind == ACTION_DETACH)
        cursor_name(item, &action->new_name);
    else
        cursor_name(item, &action->name);
}

static void read_clause(struct outline *outline, struct cursor item)
{
    static const struct {
        const char *words;
        void (*read)(struct outline *outline, const struct cursor *clause, struct cursor *item);
    } verbs[] = {
        {"ADD", read_add},       {"DROP", read_drop},     {"ALTER", read_alter},
        {"RENAME", read_rename}, {"MODIFY", read_modify}, {"CHANGE", read_change},
        {"SET", read_set},
    };
    static const struct {
        const char *words;
        enum action_kind kind;
    } named[] = {
        {"VALIDATE CONSTRAINT", ACTION_VALIDATE},
        {"ATTACH PARTITION", ACTION_ATTACH},
        {"DETACH PARTITION", ACTION_DETACH},
        {"TRUNCATE PARTITION", ACTION_DROP_PARTITION},
        {"DISABLE TRIGGER", ACTION_DISABLE_TRIGGER},
        {"ALGORITHM", ACTION_ALGORITHM},
        {"LOCK", ACTION_LOCK},
        {"ENGINE", ACTION_ENGINE},
        {"CONVERT TO CHARACTER SET", ACTION_CONVERT_CHARSET},
        {"CONVERT TO CHARSET", ACTION_CONVERT_CHARSET},
        {"FORCE", ACTION_FORCE},
    };
    const struct cursor clause = item;
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (cursor_take(&item, verbs[i].words)) {
            verbs[i].read(outline, &clause, &item);
            return;
        }
    for (size_t i = 0; i < ARRAY_SIZE(named); i++)
        if (cursor_take(&item, named[i].words)) {
            read_named(outline, &clause, &item, named[i].kind);
            return;
        }
    if (!cursor_ended(&clause))
        add_action(outline, &clause, ACTION_OTHER);
}

void outline_alter_read(struct outline *outline, struct cursor *cursor)
{
    struct cursor item;
    while (cursor_item(cursor, &item))
        read_clause(outline, item);
}
