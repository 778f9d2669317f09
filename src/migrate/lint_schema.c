#include "migrate/lint_schema.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- looking ---- */

struct lint_table *lint_schema_table(const struct lint_schema *schema, const struct sql_name *name)
{
    for (size_t i = 0; i < schema->table_count; i++)
        if (sql_name_is(&schema->tables[i].name, name))
            return &schema->tables[i];
    return NULL;
}

const struct lint_index *lint_schema_index(const struct lint_schema *schema,
                                           const struct sql_name *name)
{
    for (size_t i = 0; i < schema->index_count; i++)
        if (sql_name_is(&schema->indexes[i].name, name))
            return &schema->indexes[i];
    return NULL;
}

struct lint_column *lint_table_column(const struct lint_table *table, const struct sql_name *name)
{
    for (size_t i = 0; table && i < table->column_count; i++)
        if (sql_name_is(&table->columns[i].name, name))
            return &table->columns[i];
    return NULL;
}

bool lint_schema_is_new(const struct lint_schema *schema, const struct sql_name *table)
{
    const struct lint_table *found = lint_schema_table(schema, table);
    return found && found->born == schema->now;
}

bool lint_table_proves_not_null(const struct lint_table *table, const struct sql_name *column)
{
    for (size_t i = 0; table && i < table->check_count; i++)
        if (table->checks[i].validated && sql_name_is(&table->checks[i].column, column))
            return true;
    return false;
}

/* CHECK (column IS NOT NULL): the column. */
static bool read_check_column(const struct outline_action *action, struct sql_name *ret_column)
{
    struct cursor body = action->body;
    while (cursor_is(&body, "("))
        body = cursor_group(&body);
    return cursor_name(&body, ret_column) && cursor_take(&body, "IS NOT NULL") &&
           cursor_ended(&body);
}

/* ---- following ---- */

void lint_schema_next(struct lint_schema *schema)
{
    schema->now++;
}

static void table_clear(struct lint_table *table)
{
    free(table->columns);
    free(table->checks);
}

static void add_index(struct lint_schema *schema, const struct sql_name *name,
                      const struct sql_name *table)
{
    ARRAY_GROW(schema->indexes, schema->index_count, schema->index_capacity);
    schema->indexes[schema->index_count++] =
        (struct lint_index){.name = *name, .table = *table, .born = schema->now};
}

static void drop_index(struct lint_schema *schema, const struct sql_name *name)
{
    for (size_t i = schema->index_count; i > 0; i--)
        if (sql_name_is(&schema->indexes[i - 1].name, name))
            schema->indexes[i - 1] = schema->indexes[--schema->index_count];
}

static void drop_table(struct lint_schema *schema, const struct sql_name *name)
{
    for (size_t i = schema->table_count; i > 0; i--)
        if (sql_name_is(&schema->tables[i - 1].name, name)) {
            table_clear(&schema->tables[i - 1]);
            schema->tables[i - 1] = schema->tables[--schema->table_count];
        }
    for (size_t i = schema->index_count; i > 0; i--)
        if (sql_name_is(&schema->indexes[i - 1].table, name))
            schema->indexes[i - 1] = schema->indexes[--schema->index_count];
}

static void rename_table(struct lint_schema *schema, const struct sql_name *from,
                         const struct sql_name *to)
{
    struct lint_table *table = lint_schema_table(schema, from);
    if (table)
        table->name = *to;
    for (size_t i = 0; i < schema->index_count; i++)
        if (sql_name_is(&schema->indexes[i].table, from))
            schema->indexes[i].table = *to;
}

static void set_column(struct lint_table *table, const struct outline_column *column)
{
    struct lint_column *held = lint_table_column(table, &column->name);
    if (!held) {
        ARRAY_GROW(table->columns, table->column_count, table->column_capacity);
        held = &table->columns[table->column_count++];
    }
    *held = (struct lint_column){.name = column->name, .flags = column->flags};
    memcpy(held->type, column->type, sizeof held->type);
}

static void drop_column(struct lint_table *table, const struct sql_name *name)
{
    for (size_t i = table->column_count; i > 0; i--)
        if (sql_name_is(&table->columns[i - 1].name, name))
            table->columns[i - 1] = table->columns[--table->column_count];
}

static void add_check(struct lint_table *table, const struct outline_action *action)
{
    struct lint_check check = {.name = action->name, .validated = !action->not_valid};
    if (action->kind == ACTION_ADD_NOT_NULL) {
        struct cursor clause = action->clause;
        if (cursor_pass(&clause, "NOT NULL"))
            cursor_name(&clause, &check.column);
    } else {
        read_check_column(action, &check.column);
    }
    ARRAY_GROW(table->checks, table->check_count, table->check_capacity);
    table->checks[table->check_count++] = check;
}

static void drop_check(struct lint_table *table, const struct sql_name *name)
{
    for (size_t i = table->check_count; i > 0; i--)
        if (sql_name_is(&table->checks[i - 1].name, name))
            table->checks[i - 1] = table->checks[--table->check_count];
}

static void validate(struct lint_table *table, const struct sql_name *name)
{
    for (size_t i = 0; i < table->check_count; i++)
        if (sql_name_is(&table->checks[i].name, name))
            table->checks[i].validated = true;
}

static void set_flag(struct lint_table *table, const struct sql_name *name, unsigned flag, bool on)
{
    struct lint_column *column = lint_table_column(table, name);
    if (column)
        column->flags = on ? column->flags | flag : column->flags & ~flag;
}

static void rename_column(struct lint_table *table, const struct sql_name *from,
                          const struct sql_name *to)
{
    struct lint_column *column = lint_table_column(table, from);
    if (column)
        column->name = *to;
}

static void set_type(struct lint_table *table, const struct outline_action *action)
{
    struct lint_column *column = lint_table_column(table, &action->name);
    if (column)
        memcpy(column->type, action->column.type, sizeof column->type);
}

static void modify_column(struct lint_table *table, const struct outline_action *action)
{
    if (action->new_name.text[0])
        drop_column(table, &action->name);
    set_column(table, &action->column);
}

static void apply_action(struct lint_schema *schema, struct lint_table *table,
                         const struct outline_action *action)
{
    switch (action->kind) {
    case ACTION_ADD_COLUMN:
        set_column(table, &action->column);
        break;
    case ACTION_DROP_COLUMN:
        drop_column(table, &action->name);
        break;
    case ACTION_MODIFY_COLUMN:
        modify_column(table, action);
        break;
    case ACTION_RENAME_COLUMN:
        rename_column(table, &action->name, &action->new_name);
        break;
    case ACTION_COLUMN_TYPE:
        set_type(table, action);
        break;
    case ACTION_SET_NOT_NULL:
    case ACTION_DROP_NOT_NULL:
        set_flag(table, &action->name, COLUMN_NOT_NULL, action->kind == ACTION_SET_NOT_NULL);
        break;
    case ACTION_ADD_CHECK:
    case ACTION_ADD_NOT_NULL:
        add_check(table, action);
        break;
    case ACTION_DROP_CONSTRAINT:
        drop_check(table, &action->name);
        break;
    case ACTION_VALIDATE:
        validate(table, &action->name);
        break;
    case ACTION_ADD_INDEX:
    case ACTION_ADD_UNIQUE:
        add_index(schema, &action->name, &table->name);
        break;
    case ACTION_DROP_INDEX:
        drop_index(schema, &action->name);
        break;
    default:
        break;
    }
}

static void apply_create(struct lint_schema *schema, const struct outline *outline)
{
    if (outline->object == OBJECT_INDEX)
        add_index(schema, &outline->name, &outline->table);
    bool table = outline->object == OBJECT_TABLE || outline->object == OBJECT_MATERIALIZED_VIEW;
    if (!table || lint_schema_table(schema, &outline->name))
        return;
    ARRAY_GROW(schema->tables, schema->table_count, schema->table_capacity);
    struct lint_table *made = &schema->tables[schema->table_count++];
    *made = (struct lint_table){.name = outline->name, .born = schema->now};
    for (size_t i = 0; i < outline->column_count; i++)
        set_column(made, &outline->columns[i]);
    for (size_t i = 0; i < outline->action_count; i++)
        apply_action(schema, made, &outline->actions[i]);
}

static void apply_alter(struct lint_schema *schema, const struct outline *outline)
{
    struct sql_name name = outline->table;
    for (size_t i = 0; i < outline->action_count; i++) {
        const struct outline_action *action = &outline->actions[i];
        struct lint_table *table = lint_schema_table(schema, &name);
        if (action->kind == ACTION_RENAME_TABLE) {
            rename_table(schema, &name, &action->new_name);
            name = action->new_name;
        } else if (table) {
            apply_action(schema, table, action);
        }
    }
}

static void apply_drop(struct lint_schema *schema, const struct outline *outline)
{
    for (size_t i = 0; i < outline->name_count; i++) {
        if (outline->object == OBJECT_TABLE || outline->object == OBJECT_MATERIALIZED_VIEW)
            drop_table(schema, &outline->names[i]);
        else if (outline->object == OBJECT_INDEX)
            drop_index(schema, &outline->names[i]);
    }
}

void lint_schema_apply(struct lint_schema *schema, const struct outline *outline)
{
    if (outline->kind == OUTLINE_CREATE)
        apply_create(schema, outline);
    else if (outline->kind == OUTLINE_DROP)
        apply_drop(schema, outline);
    else if (outline->kind == OUTLINE_ALTER && outline->object == OBJECT_TABLE)
        apply_alter(schema, outline);
    for (size_t i = 0; outline->kind == OUTLINE_RENAME && i + 1 < outline->name_count; i += 2)
        rename_table(schema, &outline->names[i], &outline->names[i + 1]);
}

void lint_schema_clear(struct lint_schema *schema)
{
    for (size_t i = 0; i < schema->table_count; i++)
        table_clear(&schema->tables[i]);
    free(schema->tables);
    free(schema->indexes);
    *schema = LINT_SCHEMA_INIT;
}
