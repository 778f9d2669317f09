/*
 * Does the other way of a migration bring back what a statement changes? Found from the words
 * alone: each statement is read as a list of acts, and each act looks for its reverse.
 */
#include "migrate/effects_core.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum verb { ACT_MAKE, ACT_DROP, ACT_CHANGE, ACT_RENAME };

/* CREATE INDEX i ON t: {ACT_MAKE, "index", "i", NULL}; ALTER TABLE t ADD c: {ACT_MAKE, "column",
 * "t", "c"}; RENAME: `part` becomes `to`. */
struct act {
    enum verb verb;
    const char *kind;
    char *object;
    char *part;
    char *to;
};

struct acts {
    struct act *items;
    size_t count;
    size_t capacity;
};

static void acts_clear(struct acts *acts)
{
    for (size_t i = 0; i < acts->count; i++) {
        free(acts->items[i].object);
        free(acts->items[i].part);
        free(acts->items[i].to);
    }
    free(acts->items);
}

/* Takes the names over. */
static void add(struct acts *acts, enum verb verb, const char *kind, char *object, char *part)
{
    ARRAY_GROW(acts->items, acts->count, acts->capacity);
    acts->items[acts->count++] =
        (struct act){.verb = verb, .kind = kind, .object = object, .part = part};
}

static void add_rename(struct acts *acts, const char *kind, char *object, char *from, char *to)
{
    add(acts, ACT_RENAME, kind, object, from);
    acts->items[acts->count - 1].to = to;
}

/* ---- ALTER TABLE ---- */

static const char *const constraint_words[] = {"PRIMARY KEY", "FOREIGN KEY", "UNIQUE", "CHECK",
                                               "EXCLUDE",     "INDEX",       "KEY",    "FULLTEXT",
                                               "SPATIAL",     NULL};

/* MySQL's constraints and indexes may have their name behind their kind. */
static void add_constraint(struct acts *acts, const char *table, struct cursor *item)
{
    while (cursor_take(item, "UNIQUE") || cursor_take(item, "FULLTEXT") ||
           cursor_take(item, "SPATIAL") || cursor_take(item, "INDEX") || cursor_take(item, "KEY") ||
           cursor_take(item, "FOREIGN") || cursor_take(item, "IF NOT EXISTS"))
        continue;
    bool primary = cursor_is(item, "PRIMARY");
    char *name = primary ? mem_string("PRIMARY") : cursor_written_name(item);
    add(acts, ACT_MAKE, "constraint", mem_string(table), name);
}

static void alter_add(struct acts *acts, const char *table, struct cursor *item)
{
    if (cursor_take(item, "CONSTRAINT")) {
        add(acts, ACT_MAKE, "constraint", mem_string(table), cursor_written_name(item));
        return;
    }
    for (size_t i = 0; constraint_words[i]; i++)
        if (cursor_is(item, constraint_words[i])) {
            add_constraint(acts, table, item);
            return;
        }
    cursor_take(item, "COLUMN");
    cursor_take(item, "IF NOT EXISTS");
    if (cursor_is(item, "(")) {
        struct cursor columns = cursor_group(item);
        struct cursor column;
        while (cursor_item(&columns, &column))
            alter_add(acts, table, &column);
        return;
    }
    add(acts, ACT_MAKE, "column", mem_string(table), cursor_written_name(item));
}

static void alter_drop(struct acts *acts, const char *table, struct cursor *item)
{
    const char *kind = "column";
    if (cursor_is(item, "PRIMARY KEY")) {
        add(acts, ACT_DROP, "constraint", mem_string(table), mem_string("PRIMARY"));
        return;
    }
    if (cursor_take(item, "CONSTRAINT") || cursor_take(item, "FOREIGN KEY") ||
        cursor_take(item, "INDEX") || cursor_take(item, "KEY") || cursor_take(item, "CHECK"))
        kind = "constraint";
    cursor_take(item, "COLUMN");
    cursor_take(item, "IF EXISTS");
    add(acts, ACT_DROP, kind, mem_string(table), cursor_written_name(item));
}

static void alter_column(struct acts *acts, const char *table, struct cursor *item)
{
    cursor_take(item, "COLUMN");
    char *column = cursor_written_name(item);
    enum verb verb = ACT_CHANGE;
    const char *kind = "type";
    if (cursor_is(item, "SET NOT NULL") || cursor_is(item, "DROP NOT NULL")) {
        kind = "not null";
        verb = cursor_is(item, "SET") ? ACT_MAKE : ACT_DROP;
    } else if (cursor_is(item, "SET DEFAULT") || cursor_is(item, "DROP DEFAULT")) {
        kind = "default";
    } else if (cursor_is(item, "ADD GENERATED") || cursor_is(item, "DROP IDENTITY")) {
        kind = "identity";
        verb = cursor_is(item, "ADD") ? ACT_MAKE : ACT_DROP;
    } else if (!cursor_is(item, "TYPE") && !cursor_is(item, "SET DATA TYPE")) {
        kind = "setting of the column";
    }
    add(acts, verb, kind, mem_string(table), column);
}

/* MySQL: MODIFY column ..., CHANGE old new ... */
static void alter_change(struct acts *acts, const char *table, struct cursor *item)
{
    cursor_take(item, "COLUMN");
    cursor_take(item, "IF EXISTS");
    SCOPED(string) char *from = cursor_written_name(item);
    SCOPED(string) char *to = cursor_written_name(item);
    if (from && to && !name_same(DB_MYSQL, from, to))
        add_rename(acts, "column", mem_string(table), STEAL(from), STEAL(to));
    else
        add(acts, ACT_CHANGE, "type", mem_string(table), STEAL(from));
}

static void alter_rename(struct acts *acts, const char *table, struct cursor *item)
{
    if (cursor_take(item, "TO") || cursor_take(item, "AS")) {
        add_rename(acts, "table", mem_string(""), mem_string(table), cursor_written_name(item));
        return;
    }
    const char *kind =
        cursor_take(item, "CONSTRAINT") || cursor_take(item, "INDEX") || cursor_take(item, "KEY")
            ? "constraint"
            : "column";
    cursor_take(item, "COLUMN");
    char *from = cursor_written_name(item);
    cursor_take(item, "TO");
    add_rename(acts, kind, mem_string(table), from, cursor_written_name(item));
}

static const struct switch_row {
    const char *words;
    enum verb verb;
    const char *kind;
} switches[] = {
    {"ENABLE ROW LEVEL", ACT_MAKE, "row level security"},
    {"DISABLE ROW LEVEL", ACT_DROP, "row level security"},
    {"NO FORCE", ACT_DROP, "forced row level security"},
    {"FORCE", ACT_MAKE, "forced row level security"},
    {"ENABLE", ACT_MAKE, "enabled"},
    {"DISABLE", ACT_DROP, "enabled"},
    {"ATTACH", ACT_MAKE, "partition"},
    {"DETACH", ACT_DROP, "partition"},
    {"NO INHERIT", ACT_DROP, "inheritance"},
    {"INHERIT", ACT_MAKE, "inheritance"},
    {"OWNER", ACT_CHANGE, "owner"},
    {"SET SCHEMA", ACT_CHANGE, "schema"},
    {"SET TABLESPACE", ACT_CHANGE, "tablespace"},
    {"SET LOGGED", ACT_MAKE, "logged"},
    {"SET UNLOGGED", ACT_DROP, "logged"},
};

/* False when there is nothing to undo in it. */
static void alter_action(struct acts *acts, const char *table, struct cursor *item)
{
    if (cursor_take(item, "VALIDATE") || cursor_is(item, "ALGORITHM") || cursor_is(item, "LOCK"))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(switches); i++)
        if (cursor_is(item, switches[i].words)) {
            add(acts, switches[i].verb, switches[i].kind, mem_string(table), NULL);
            return;
        }
    if (cursor_take(item, "ADD"))
        alter_add(acts, table, item);
    else if (cursor_take(item, "DROP"))
        alter_drop(acts, table, item);
    else if (cursor_take(item, "ALTER"))
        alter_column(acts, table, item);
    else if (cursor_take(item, "MODIFY") || cursor_take(item, "CHANGE"))
        alter_change(acts, table, item);
    else if (cursor_take(item, "RENAME"))
        alter_rename(acts, table, item);
    else
        add(acts, ACT_CHANGE, "setting", mem_string(table), NULL);
}

static void alter_acts(struct acts *acts, struct cursor *at)
{
    struct cursor item;
    cursor_take(at, "IF EXISTS");
    cursor_take(at, "ONLY");
    SCOPED(string) char *table = cursor_written_name(at);
    while (table && cursor_item(at, &item))
        alter_action(acts, table, &item);
}

/* ---- other statements ---- */

/* What is made and dropped by name. */
static const char *const kinds[] = {
    "TABLE",    "INDEX",    "VIEW",      "MATERIALIZED VIEW",  "SEQUENCE",  "TYPE",
    "DOMAIN",   "FUNCTION", "PROCEDURE", "AGGREGATE",          "TRIGGER",   "RULE",
    "POLICY",   "SCHEMA",   "EXTENSION", "STATISTICS",         "EVENT",     "FOREIGN TABLE",
    "ROLE",     "USER",     "DATABASE",  "PUBLICATION",        "COLLATION", "SUBSCRIPTION",
    "OPERATOR", "CAST",     "SERVER",    "CONSTRAINT TRIGGER", NULL};

static const char *take_kind(struct cursor *at)
{
    for (size_t i = 0; kinds[i]; i++)
        if (cursor_take(at, kinds[i]))
            return strcmp(kinds[i], "CONSTRAINT TRIGGER") == 0 ? "TRIGGER" : kinds[i];
    return NULL;
}

static void create_acts(struct acts *acts, struct cursor *at)
{
    static const char *const skipped[] = {
        "OR REPLACE", "UNIQUE",   "GLOBAL",  "LOCAL",   "TEMPORARY", "TEMP", "UNLOGGED",
        "RECURSIVE",  "FULLTEXT", "SPATIAL", "VIRTUAL", "DEFAULT",   NULL};
    for (size_t i = 0; skipped[i]; i++)
        cursor_take(at, skipped[i]);
    if (cursor_is(at, "DEFINER") || cursor_is(at, "ALGORITHM") || cursor_is(at, "SQL SECURITY"))
        while (!cursor_ended(at) && !cursor_is(at, "VIEW") && !cursor_is(at, "TRIGGER") &&
               !cursor_is(at, "FUNCTION") && !cursor_is(at, "PROCEDURE") && !cursor_is(at, "EVENT"))
            at->at++;
    const char *kind = take_kind(at);
    if (!kind)
        return;
    cursor_take(at, "CONCURRENTLY");
    cursor_take(at, "IF NOT EXISTS");
    if (strcmp(kind, "INDEX") == 0) {
        char *name = cursor_is(at, "ON") ? NULL : cursor_written_name(at);
        cursor_take(at, "ON");
        cursor_take(at, "ONLY");
        add(acts, ACT_MAKE, kind, name, cursor_written_name(at));
        return;
    }
    char *name = cursor_written_name(at);
    struct cursor rest = *at;
    bool of_table = strcmp(kind, "TRIGGER") == 0 || strcmp(kind, "POLICY") == 0;
    if (of_table)
        cursor_pass(&rest, "ON");
    add(acts, ACT_MAKE, kind, name, of_table ? cursor_written_name(&rest) : NULL);
}

static void drop_acts(struct acts *acts, struct cursor *at)
{
    const char *kind = take_kind(at);
    struct cursor item;
    cursor_take(at, "CONCURRENTLY");
    cursor_take(at, "IF EXISTS");
    while (kind && cursor_item(at, &item)) {
        char *name = cursor_written_name(&item);
        char *table = cursor_take(&item, "ON") ? cursor_written_name(&item) : NULL;
        add(acts, ACT_DROP, kind, name, table);
    }
}

static void row_acts(struct acts *acts, struct cursor *at)
{
    enum verb verb = cursor_take(at, "INSERT") || cursor_take(at, "COPY") ||
                             cursor_take(at, "REPLACE") || cursor_take(at, "MERGE")
                         ? ACT_MAKE
                     : cursor_take(at, "DELETE FROM") || cursor_take(at, "TRUNCATE") ? ACT_DROP
                                                                                     : ACT_CHANGE;
    static const char *const skipped[] = {"UPDATE", "OR",    "IGNORE", "REPLACE",
                                          "INTO",   "TABLE", "ONLY",   NULL};
    for (size_t i = 0; skipped[i]; i++)
        cursor_take(at, skipped[i]);
    add(acts, verb, "rows", cursor_written_name(at), NULL);
}

static void grant_acts(struct acts *acts, struct cursor *at, enum verb verb)
{
    char *object = NULL;
    if (cursor_pass(at, "ON")) {
        cursor_take(at, "TABLE");
        object = cursor_written_name(at);
    }
    add(acts, verb, "privilege", object, NULL);
}

/* Old MySQL: RENAME TABLE a TO b, c TO d. */
static void rename_acts(struct acts *acts, struct cursor *at)
{
    struct cursor item;
    while (cursor_item(at, &item)) {
        char *from = cursor_written_name(&item);
        cursor_take(&item, "TO");
        add_rename(acts, "table", mem_string(""), from, cursor_written_name(&item));
    }
}

static void read_acts(struct acts *acts, const struct tokens *tokens)
{
    struct cursor at = cursor_over(tokens);
    if (cursor_take(&at, "ALTER TABLE") || cursor_take(&at, "ALTER VIEW") ||
        cursor_take(&at, "ALTER INDEX") || cursor_take(&at, "ALTER MATERIALIZED VIEW"))
        alter_acts(acts, &at);
    else if (cursor_take(&at, "CREATE"))
        create_acts(acts, &at);
    else if (cursor_take(&at, "DROP"))
        drop_acts(acts, &at);
    else if (cursor_take(&at, "RENAME TABLE"))
        rename_acts(acts, &at);
    else if (cursor_take(&at, "GRANT"))
        grant_acts(acts, &at, ACT_MAKE);
    else if (cursor_take(&at, "REVOKE"))
        grant_acts(acts, &at, ACT_DROP);
    else if (cursor_take(&at, "COMMENT ON")) {
        at.at++;
        add(acts, ACT_CHANGE, "comment", cursor_written_name(&at), NULL);
    } else if (cursor_is(&at, "INSERT") || cursor_is(&at, "UPDATE") || cursor_is(&at, "DELETE") ||
               cursor_is(&at, "TRUNCATE") || cursor_is(&at, "REPLACE") || cursor_is(&at, "MERGE") ||
               cursor_is(&at, "COPY")) {
        row_acts(acts, &at);
    } else if (cursor_take(&at, "ALTER")) {
        const char *kind = take_kind(&at);
        add(acts, ACT_CHANGE, kind ? kind : "setting", cursor_written_name(&at), NULL);
    }
}

/* ---- the reverse ---- */

static bool same(enum db_engine engine, const char *a, const char *b)
{
    return a && b ? name_same(engine, a, b) : a == b;
}

static bool reverses(enum db_engine engine, const struct act *act, const struct act *other)
{
    bool kind = strcasecmp(act->kind, other->kind) == 0;
    if (act->verb == ACT_RENAME)
        return other->verb == ACT_RENAME && kind && same(engine, act->object, other->object) &&
               same(engine, act->to, other->part) && same(engine, act->part, other->to);
    bool index = strcasecmp(act->kind, "INDEX") == 0;
    /* MySQL: an index is dropped from its table. */
    if (index && act->verb == ACT_MAKE && other->verb == ACT_DROP &&
        strcmp(other->kind, "constraint") == 0)
        return same(engine, act->object, other->part) && same(engine, act->part, other->object);
    if (!kind)
        return false;
    bool opposite = act->verb == ACT_CHANGE
                        ? other->verb == ACT_CHANGE
                        : other->verb == (act->verb == ACT_MAKE ? ACT_DROP : ACT_MAKE);
    if (!opposite)
        return false;
    if (index && !act->object) /* the server gives it a name that begins with its table's */
        return other->object && act->part && strcasestr(other->object, act->part) != NULL;
    if (index)
        return same(engine, act->object, other->object);
    bool part = !act->part || !other->part || same(engine, act->part, other->part);
    return same(engine, act->object, other->object) && part;
}

/* Goes what it is about as a whole? Then so does it. `object` is the table. */
static bool goes_with_table(enum db_engine engine, const struct act *act, const struct act *other)
{
    if (other->verb != ACT_DROP || strcasecmp(other->kind, "TABLE") != 0)
        return false;
    bool by_part = strcasecmp(act->kind, "INDEX") == 0 || strcasecmp(act->kind, "TRIGGER") == 0 ||
                   strcasecmp(act->kind, "POLICY") == 0;
    const char *table = by_part ? act->part : act->object;
    return table && other->object && name_same(engine, table, other->object);
}

static void read_statement(enum db_engine engine, const struct migration_statement *statement,
                           struct acts *acts)
{
    SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
    tokens_read(&tokens, engine, statement->text, statement->size);
    read_acts(acts, &tokens);
}

/* Does this way of the migration make the table itself? */
static bool makes_table(enum db_engine engine, const struct migration_part *part, const char *table)
{
    for (size_t i = 0; i < part->count; i++) {
        struct acts acts __attribute__((cleanup(acts_clear))) = {0};
        read_statement(engine, &part->items[i], &acts);
        for (size_t k = 0; k < acts.count; k++)
            if (acts.items[k].verb == ACT_MAKE && strcasecmp(acts.items[k].kind, "TABLE") == 0 &&
                acts.items[k].object && name_same(engine, acts.items[k].object, table))
                return true;
    }
    return false;
}

/* The line of the statement that reverses the act; 0 when there is none. */
static size_t find_reverse(const struct effect_work *work, const struct act *act,
                           const struct migration_part *other)
{
    enum db_engine engine = work->effects->engine;
    for (size_t i = 0; i < other->count; i++) {
        struct acts acts __attribute__((cleanup(acts_clear))) = {0};
        read_statement(engine, &other->items[i], &acts);
        for (size_t k = 0; k < acts.count; k++)
            if (reverses(engine, act, &acts.items[k]) ||
                (goes_with_table(engine, act, &acts.items[k]) &&
                 makes_table(engine, work->part, acts.items[k].object)))
                return other->items[i].line;
    }
    return 0;
}

void effects_undone(struct effect_work *work, const struct migration_part *other)
{
    struct acts acts __attribute__((cleanup(acts_clear))) = {0};
    struct effect *effect = work->effect;
    read_acts(&acts, work->tokens);
    effect->undone = acts.count ? UNDONE_YES : UNDONE_NOTHING;
    for (size_t i = 0; i < acts.count && effect->undone == UNDONE_YES; i++) {
        effect->undone_line = find_reverse(work, &acts.items[i], other);
        if (!effect->undone_line)
            effect->undone = UNDONE_NO;
    }
}
