#include "migrate/lint_down.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { EMPTY_MIGRATION, MISSING_DOWN, DOWN_INCOMPLETE, DOWN_DROPS_MORE };

const struct lint_rule lint_down_rules[] = {
    [EMPTY_MIGRATION] = {"empty-migration", LINT_WARNING, LINT_EVERY, false,
                         "there is no statement below Up", "write one, or remove the file"},
    [MISSING_DOWN] = {"missing-down", LINT_WARNING, LINT_EVERY, false,
                      "the migration cannot be undone",
                      "write a Down section; where there is no way back, silence the rule with the "
                      "reason"},
    [DOWN_INCOMPLETE] = {"down-incomplete", LINT_WARNING, LINT_EVERY, true,
                         "Up makes it and Down leaves it, so the next Up fails", "drop it in Down"},
    [DOWN_DROPS_MORE] = {"down-drops-more", LINT_WARNING, LINT_EVERY, true,
                         "Down drops it, but Up did not make it: data from before is lost",
                         "undo only what Up does"},
};

const size_t lint_down_count = ARRAY_SIZE(lint_down_rules);

#define RULE(name) (&lint_down_rules[name])

/* Something that a way makes or drops; with a column's name it is that column of the table. */
struct thing {
    enum outline_object object;
    struct sql_name name;
    struct sql_name table;
    struct sql_name column;
    bool drops; /* or renames away */
    size_t statement;
};

struct things {
    struct thing *items;
    size_t count;
    size_t capacity;
    bool unknown; /* a statement may do anything: DO, CALL, SELECT */
};

static void things_clear(struct things *things)
{
    free(things->items);
}

static void add(struct things *things, const struct thing *thing)
{
    ARRAY_GROW(things->items, things->count, things->capacity);
    things->items[things->count++] = *thing;
}

static void add_action(struct things *things, const struct outline *outline,
                       const struct outline_action *action, size_t statement)
{
    struct thing thing = {.object = OBJECT_TABLE,
                          .table = outline->table,
                          .name = outline->table,
                          .statement = statement};
    switch (action->kind) {
    case ACTION_ADD_COLUMN:
    case ACTION_DROP_COLUMN:
        thing.column = action->name;
        thing.drops = action->kind == ACTION_DROP_COLUMN;
        add(things, &thing);
        break;
    case ACTION_RENAME_COLUMN:
    case ACTION_MODIFY_COLUMN:
        if (!action->new_name.text[0])
            break;
        thing.column = action->name;
        thing.drops = true;
        add(things, &thing);
        thing.column = action->new_name;
        thing.drops = false;
        add(things, &thing);
        break;
    case ACTION_ADD_INDEX:
    case ACTION_DROP_INDEX:
        thing.object = OBJECT_INDEX;
        thing.name = action->name;
        thing.drops = action->kind == ACTION_DROP_INDEX;
        add(things, &thing);
        break;
    case ACTION_RENAME_TABLE:
        thing.drops = true;
        add(things, &thing);
        thing.name = thing.table = action->new_name;
        thing.drops = false;
        add(things, &thing);
        break;
    default:
        break;
    }
}

static void add_names(struct things *things, const struct outline *outline, size_t statement)
{
    for (size_t i = 0; i < outline->name_count; i++) {
        bool drops = outline->kind == OUTLINE_DROP || i % 2 == 0;
        const struct thing thing = {.object = outline->object,
                                    .name = outline->names[i],
                                    .table = outline->names[i],
                                    .drops = drops,
                                    .statement = statement};
        add(things, &thing);
    }
}

/* What may do anything, unseen. */
static bool may_do_anything(const struct outline *outline)
{
    static const char *const verbs[] = {"DO", "CALL", "EXECUTE", "SELECT", "PREPARE", "BEGIN"};
    const struct cursor all = cursor_over(&outline->tokens);
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (cursor_is(&all, verbs[i]))
            return true;
    return false;
}

static void collect(struct things *things, const struct lint_part *part)
{
    for (size_t i = 0; i < part->count; i++) {
        const struct outline *outline = &part->items[i].outline;
        things->unknown |= may_do_anything(outline);
        if (outline->kind == OUTLINE_DROP || outline->kind == OUTLINE_RENAME)
            add_names(things, outline, i);
        for (size_t j = 0; outline->kind == OUTLINE_ALTER && j < outline->action_count; j++)
            add_action(things, outline, &outline->actions[j], i);
        if (outline->kind != OUTLINE_CREATE || outline->temporary || !outline->name.text[0])
            continue;
        const struct thing thing = {.object = outline->object,
                                    .name = outline->name,
                                    .table = outline->table,
                                    .statement = i};
        add(things, &thing);
    }
}

static bool same(const struct thing *a, const struct thing *b)
{
    return a->object == b->object && sql_name_is(&a->name, &b->name) &&
           sql_name_is(&a->column, &b->column);
}

static bool has(const struct things *things, const struct thing *thing, bool drops)
{
    for (size_t i = 0; i < things->count; i++)
        if (things->items[i].drops == drops && same(&things->items[i], thing))
            return true;
    return false;
}

/* Does a drop of `dropped` take `thing` with it? */
static bool takes_along(const struct thing *dropped, const struct thing *thing)
{
    bool same_table = sql_name_is(&dropped->table, &thing->table) && dropped->table.text[0];
    if (dropped->object == OBJECT_SCHEMA || dropped->object == OBJECT_DATABASE) {
        size_t size = strlen(dropped->name.text);
        return strncmp(thing->name.text, dropped->name.text, size) == 0 &&
               thing->name.text[size] == '.';
    }
    if (dropped->object != OBJECT_TABLE || !same_table)
        return false;
    /* The table itself; or a column, and with it perhaps the index. */
    return !dropped->column.text[0] || thing->object == OBJECT_INDEX;
}

static bool is_undone(const struct things *down, const struct thing *thing)
{
    if (has(down, thing, true))
        return true;
    for (size_t i = 0; i < down->count; i++)
        if (down->items[i].drops && takes_along(&down->items[i], thing))
            return true;
    return false;
}

/* Made by Up, and was not there before: Up neither drops it nor puts it in another's place. */
static bool is_looked_for(const struct things *up, const struct thing *thing)
{
    bool known = thing->object != OBJECT_OTHER && thing->object != OBJECT_ROUTINE &&
                 thing->object != OBJECT_TRIGGER && thing->object != OBJECT_VIEW;
    return known && !thing->drops && thing->name.text[0] && !has(up, thing, true);
}

static const char *kind_of(const struct thing *thing)
{
    static const char *const names[] = {
        [OBJECT_OTHER] = "object",    [OBJECT_TABLE] = "table",
        [OBJECT_INDEX] = "index",     [OBJECT_VIEW] = "view",
        [OBJECT_SCHEMA] = "schema",   [OBJECT_MATERIALIZED_VIEW] = "view",
        [OBJECT_TYPE] = "type",       [OBJECT_DATABASE] = "database",
        [OBJECT_DOMAIN] = "domain",   [OBJECT_SEQUENCE] = "sequence",
        [OBJECT_ROUTINE] = "routine", [OBJECT_TRIGGER] = "trigger",
    };
    return thing->column.text[0] ? "column" : names[thing->object];
}

static void report(struct lint_part *part, const struct lint_rule *rule, const struct thing *thing)
{
    part->at = thing->statement;
    lint_report(part, rule, 0, "%s %s%s%s", kind_of(thing), thing->name.text,
                thing->column.text[0] ? "." : "", thing->column.text);
}

/* An index goes with a table or column that Up made and Down drops. */
static void compare(struct lint_part *up, struct lint_part *down, const struct things *made,
                    const struct things *undone)
{
    for (size_t i = 0; i < made->count && !undone->unknown; i++)
        if (is_looked_for(made, &made->items[i]) && !is_undone(undone, &made->items[i]))
            report(up, RULE(DOWN_INCOMPLETE), &made->items[i]);
    for (size_t i = 0; i < undone->count && !made->unknown; i++) {
        const struct thing *thing = &undone->items[i];
        bool loses = thing->drops && thing->object == OBJECT_TABLE;
        if (loses && !has(made, thing, false) && !has(undone, thing, false))
            report(down, RULE(DOWN_DROPS_MORE), thing);
    }
}

void lint_down_check(struct lint_part *up, struct lint_part *down, bool wants_down)
{
    struct things made = {0};
    struct things undone = {0};
    if (!up->count)
        lint_report_whole(up, RULE(EMPTY_MIGRATION), "migration");
    else if (!down->count && wants_down)
        lint_report_whole(up, RULE(MISSING_DOWN), "no Down");
    if (!up->count || !down->count)
        return;
    collect(&made, up);
    collect(&undone, down);
    compare(up, down, &made, &undone);
    things_clear(&made);
    things_clear(&undone);
}
