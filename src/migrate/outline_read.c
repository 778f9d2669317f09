#include "migrate/outline_read.h"

#include "base/mem.h"
#include "migrate/outline_alter.h"
#include "migrate/outline_column.h"

static const struct {
    const char *words;
    enum outline_object object;
} objects[] = {
    {"TABLE", OBJECT_TABLE},       {"INDEX", OBJECT_INDEX},
    {"VIEW", OBJECT_VIEW},         {"MATERIALIZED VIEW", OBJECT_MATERIALIZED_VIEW},
    {"SCHEMA", OBJECT_SCHEMA},     {"DATABASE", OBJECT_DATABASE},
    {"TYPE", OBJECT_TYPE},         {"DOMAIN", OBJECT_DOMAIN},
    {"SEQUENCE", OBJECT_SEQUENCE}, {"TRIGGER", OBJECT_TRIGGER},
    {"FUNCTION", OBJECT_ROUTINE},  {"PROCEDURE", OBJECT_ROUTINE},
};

static bool take_object(struct cursor *cursor, enum outline_object *ret_object)
{
    for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
        if (cursor_take(cursor, objects[i].words)) {
            *ret_object = objects[i].object;
            return true;
        }
    return false;
}

static bool take_if_exists(struct cursor *cursor)
{
    return cursor_take(cursor, "IF NOT EXISTS") || cursor_take(cursor, "IF EXISTS");
}

static void add_name(struct outline *outline, const struct sql_name *name)
{
    ARRAY_GROW(outline->names, outline->name_count, outline->name_capacity);
    outline->names[outline->name_count++] = *name;
}

/* a, b CASCADE */
static void read_names(struct outline *outline, struct cursor *cursor)
{
    struct sql_name name;
    while (cursor_name(cursor, &name)) {
        add_name(outline, &name);
        cursor_group(cursor); /* a routine's arguments */
        if (!cursor_take(cursor, ","))
            break;
        cursor_take(cursor, "ONLY");
    }
    if (outline->name_count)
        outline->name = outline->names[0];
    outline->cascade = cursor_has(cursor, "CASCADE");
}

/* ---- CREATE ---- */

static void read_table_item(struct outline *outline, struct cursor *item)
{
    struct outline_action action = {.kind = ACTION_OTHER};
    if (outline_constraint_read(item, &action)) {
        ARRAY_GROW(outline->actions, outline->action_count, outline->action_capacity);
        outline->actions[outline->action_count++] = action;
        return;
    }
    outline->from_query |= cursor_is(item, "LIKE");
    struct outline_column column;
    if (cursor_is(item, "LIKE") || !outline_column_read(item, &column))
        return;
    ARRAY_GROW(outline->columns, outline->column_count, outline->column_capacity);
    outline->columns[outline->column_count++] = column;
}

static void read_create_table(struct outline *outline, struct cursor *cursor)
{
    outline->table = outline->name;
    outline->from_query =
        cursor_is(cursor, "AS") || cursor_is(cursor, "LIKE") || cursor_is(cursor, "PARTITION OF");
    if (!outline->from_query) {
        struct cursor items = cursor_group(cursor);
        struct cursor item;
        while (cursor_item(&items, &item))
            read_table_item(outline, &item);
    }
    outline->from_query |=
        cursor_has(cursor, "AS") || cursor_has(cursor, "SELECT") || cursor_has(cursor, "INHERITS");
}

/* [CONCURRENTLY] [IF NOT EXISTS] [name] ON [ONLY] table, with CREATE [UNIQUE] INDEX before it. */
static void read_create_index(struct outline *outline, struct cursor *cursor)
{
    outline->concurrently = cursor_take(cursor, "CONCURRENTLY");
    outline->if_exists = take_if_exists(cursor);
    if (!cursor_is(cursor, "ON"))
        cursor_name(cursor, &outline->name);
    if (!cursor_pass(cursor, "ON"))
        return;
    cursor_take(cursor, "ONLY");
    cursor_name(cursor, &outline->table);
}

static void read_create_trigger(struct outline *outline, struct cursor *cursor)
{
    if (cursor_pass(cursor, "ON"))
        cursor_name(cursor, &outline->table);
}

static void read_create(struct outline *outline, struct cursor *cursor)
{
    outline->kind = OUTLINE_CREATE;
    while (!cursor_ended(cursor) && !take_object(cursor, &outline->object)) {
        outline->temporary |= cursor_is(cursor, "TEMP") || cursor_is(cursor, "TEMPORARY");
        outline->unique |= cursor_is(cursor, "UNIQUE");
        cursor_skip(cursor);
    }
    if (outline->object == OBJECT_INDEX) {
        read_create_index(outline, cursor);
        return;
    }
    outline->if_exists = take_if_exists(cursor);
    cursor_name(cursor, &outline->name);
    if (outline->object == OBJECT_TABLE)
        read_create_table(outline, cursor);
    else if (outline->object == OBJECT_TRIGGER)
        read_create_trigger(outline, cursor);
}

/* ---- the others ---- */

static void read_drop(struct outline *outline, struct cursor *cursor)
{
    outline->kind = OUTLINE_DROP;
    outline->temporary = cursor_take(cursor, "TEMPORARY");
    if (!take_object(cursor, &outline->object))
        return;
    outline->concurrently = cursor_take(cursor, "CONCURRENTLY");
    outline->if_exists = take_if_exists(cursor);
    read_names(outline, cursor);
    if (cursor_take(cursor, "ON"))
        cursor_name(cursor, &outline->table);
    if (outline->object == OBJECT_TABLE)
        outline->table = outline->name;
}

static void read_alter(struct outline *outline, struct cursor *cursor)
{
    outline->kind = OUTLINE_ALTER;
    while (cursor_take(cursor, "ONLINE") || cursor_take(cursor, "IGNORE"))
        continue;
    if (!take_object(cursor, &outline->object))
        return;
    outline->if_exists = take_if_exists(cursor);
    cursor_take(cursor, "ONLY");
    cursor_name(cursor, &outline->name);
    cursor_take(cursor, "*");
    if (outline->object != OBJECT_TABLE)
        return;
    outline->table = outline->name;
    outline_alter_read(outline, cursor);
}

/* RENAME TABLE a TO b, c TO d */
static void read_rename(struct outline *outline, struct cursor *cursor)
{
    struct sql_name name;
    outline->kind = OUTLINE_RENAME;
    outline->object = OBJECT_TABLE;
    take_if_exists(cursor);
    while (cursor_name(cursor, &name)) {
        add_name(outline, &name);
        if (!cursor_take(cursor, "TO"))
            cursor_take(cursor, ",");
    }
    outline->table = outline->name_count ? outline->names[0] : outline->table;
}

static void read_truncate(struct outline *outline, struct cursor *cursor)
{
    outline->kind = OUTLINE_TRUNCATE;
    cursor_take(cursor, "TABLE");
    cursor_take(cursor, "ONLY");
    read_names(outline, cursor);
    outline->table = outline->name;
}

static void read_insert(struct outline *outline, struct cursor *cursor)
{
    outline->kind = OUTLINE_INSERT;
    if (!cursor_pass(cursor, "INTO"))
        return;
    cursor_name(cursor, &outline->table);
    cursor_group(cursor);
    outline->from_query = cursor_has(cursor, "SELECT") || cursor_is(cursor, "(") ||
                          cursor_is(cursor, "WITH") || cursor_is(cursor, "TABLE");
}

static void read_update(struct outline *outline, struct cursor *cursor)
{
    static const char *const before[] = {"LOW_PRIORITY", "IGNORE", "ONLY"};
    outline->kind = OUTLINE_UPDATE;
    for (size_t i = 0; i < ARRAY_SIZE(before); i++)
        cursor_take(cursor, before[i]);
    if (cursor_take(cursor, "OR"))
        cursor_skip(cursor);
    cursor_name(cursor, &outline->table);
    outline->has_where = cursor_has(cursor, "WHERE") || cursor_has(cursor, "LIMIT");
}

static void read_delete(struct outline *outline, struct cursor *cursor)
{
    outline->kind = OUTLINE_DELETE;
    outline->has_where =
        cursor_has(cursor, "WHERE") || cursor_has(cursor, "LIMIT") || cursor_has(cursor, "USING");
    if (!cursor_pass(cursor, "FROM"))
        return;
    cursor_take(cursor, "ONLY");
    cursor_name(cursor, &outline->table);
}

/* WITH a AS (...), b AS (...): the statement itself comes after the last parentheses. */
static void skip_with(struct cursor *cursor)
{
    static const char *const verbs[] = {"INSERT", "UPDATE", "DELETE", "SELECT"};
    if (!cursor_take(cursor, "WITH"))
        return;
    for (; !cursor_ended(cursor); cursor_skip(cursor))
        for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
            if (cursor_is(cursor, verbs[i]))
                return;
}

void outline_read(struct outline *outline, enum db_engine engine, const char *text, size_t size)
{
    static const struct {
        const char *words;
        void (*read)(struct outline *outline, struct cursor *cursor);
    } verbs[] = {
        {"CREATE", read_create},       {"ALTER", read_alter},       {"DROP", read_drop},
        {"RENAME TABLE", read_rename}, {"TRUNCATE", read_truncate}, {"INSERT", read_insert},
        {"REPLACE", read_insert},      {"UPDATE", read_update},     {"DELETE", read_delete},
    };
    *outline = (struct outline){.kind = OUTLINE_OTHER};
    tokens_read(&outline->tokens, engine, text, size);
    struct cursor cursor = cursor_over(&outline->tokens);
    skip_with(&cursor);
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (cursor_take(&cursor, verbs[i].words)) {
            verbs[i].read(outline, &cursor);
            break;
        }
    outline->rest = cursor;
}
