#include "migrate/lint_postgres.h"

#include "base/mem.h"
#include "migrate/lint_pgdefault.h"
#include "migrate/lint_pgtype.h"

#include <string.h>

enum {
    INDEX_WITHOUT_CONCURRENTLY,
    DROP_INDEX_WITHOUT_CONCURRENTLY,
    REINDEX_WITHOUT_CONCURRENTLY,
    REFRESH_WITHOUT_CONCURRENTLY,
    DETACH_WITHOUT_CONCURRENTLY,
    CONCURRENTLY_IF_NOT_EXISTS,
    FOREIGN_KEY_WITHOUT_NOT_VALID,
    CHECK_WITHOUT_NOT_VALID,
    VALIDATE_IN_SAME_TRANSACTION,
    UNIQUE_WITHOUT_INDEX,
    EXCLUSION_CONSTRAINT,
    SET_NOT_NULL,
    DROP_NOT_NULL,
    VOLATILE_DEFAULT,
    COLUMN_TYPE_REWRITE,
    COLUMN_TYPE_UNKNOWN,
    TABLE_REWRITE,
    VACUUM_FULL,
    DISABLE_TRIGGER,
    CREATE_TRIGGER,
    ATTACH_WITHOUT_CHECK,
    DOMAIN_CONSTRAINT,
    DROP_CASCADE,
    ENUM_VALUE_USED,
    ENUM_ADD_VALUE,
    TIMESTAMP_WITHOUT_TIME_ZONE,
    CHAR_COLUMN,
    JSON_COLUMN,
};

#define PG LINT_POSTGRES

const struct lint_rule lint_postgres_rules[] = {
    [INDEX_WITHOUT_CONCURRENTLY] = {"index-without-concurrently", LINT_ERROR, PG, false,
                                    "nobody can write to the table until the index is built",
                                    "CREATE INDEX CONCURRENTLY below \"-- +migrate Up "
                                    "notransaction\""},
    [DROP_INDEX_WITHOUT_CONCURRENTLY] = {"drop-index-without-concurrently", LINT_WARNING, PG, false,
                                         "readers and writers of its table wait for this, and it "
                                         "for them",
                                         "DROP INDEX CONCURRENTLY below \"-- +migrate Up "
                                         "notransaction\""},
    [REINDEX_WITHOUT_CONCURRENTLY] = {"reindex-without-concurrently", LINT_ERROR, PG, false,
                                      "nobody can write, or read by the index, until it is done",
                                      "REINDEX ... CONCURRENTLY below \"-- +migrate Up "
                                      "notransaction\""},
    [REFRESH_WITHOUT_CONCURRENTLY] = {"refresh-without-concurrently", LINT_WARNING, PG, false,
                                      "nobody can read the view until it is filled",
                                      "give it a unique index and REFRESH MATERIALIZED VIEW "
                                      "CONCURRENTLY"},
    [DETACH_WITHOUT_CONCURRENTLY] = {"detach-without-concurrently", LINT_WARNING, PG, false,
                                     "readers and writers of the whole table wait for this",
                                     "DETACH PARTITION ... CONCURRENTLY below \"-- +migrate Up "
                                     "notransaction\""},
    [CONCURRENTLY_IF_NOT_EXISTS] = {"concurrently-if-not-exists", LINT_WARNING, PG, false,
                                    "an index that a failed build left behind INVALID counts as "
                                    "existing",
                                    "DROP INDEX CONCURRENTLY IF EXISTS first, then create it "
                                    "without IF NOT EXISTS"},
    [FOREIGN_KEY_WITHOUT_NOT_VALID] = {"foreign-key-without-not-valid", LINT_ERROR, PG, false,
                                       "nobody can write to either table until all rows are "
                                       "checked",
                                       "ADD CONSTRAINT ... NOT VALID here, VALIDATE CONSTRAINT in "
                                       "the next migration"},
    [CHECK_WITHOUT_NOT_VALID] = {"check-without-not-valid", LINT_ERROR, PG, false,
                                 "nobody can read or write the table until all rows are checked",
                                 "ADD CONSTRAINT ... NOT VALID here, VALIDATE CONSTRAINT in the "
                                 "next migration"},
    [VALIDATE_IN_SAME_TRANSACTION] = {"validate-in-same-transaction", LINT_ERROR, PG, false,
                                      "the lock of the ALTER TABLE above is held while all rows "
                                      "are checked",
                                      "VALIDATE CONSTRAINT in the next migration"},
    [UNIQUE_WITHOUT_INDEX] = {"unique-without-index", LINT_ERROR, PG, false,
                              "nobody can read or write the table until its index is built",
                              "CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... USING "
                              "INDEX in the next migration"},
    [EXCLUSION_CONSTRAINT] = {"exclusion-constraint", LINT_WARNING, PG, false,
                              "nobody can read or write the table until its index is built, and "
                              "there is no way around it",
                              "do it while nobody works, or on a new table that is filled beside "
                              "the old one"},
    [SET_NOT_NULL] = {"set-not-null", LINT_ERROR, PG, false,
                      "nobody can read or write the table until all rows are checked",
                      "ADD CONSTRAINT ... CHECK (column IS NOT NULL) NOT VALID, VALIDATE "
                      "CONSTRAINT in the next migration, then SET NOT NULL"},
    [DROP_NOT_NULL] = {"drop-not-null", LINT_WARNING, PG, false,
                       "code that reads it meets NULL from now on",
                       "deploy code that knows of NULL first; then silence the rule with that "
                       "reason"},
    [VOLATILE_DEFAULT] = {"volatile-default", LINT_ERROR, PG, false,
                          "the default differs from row to row, so the whole table is written "
                          "anew under a lock",
                          "ADD COLUMN without it, ALTER COLUMN ... SET DEFAULT, and fill the old "
                          "rows in pieces"},
    [COLUMN_TYPE_REWRITE] = {"column-type-rewrite", LINT_ERROR, PG, false,
                             "the whole table and its indexes are written anew under a lock",
                             "add a new column, fill it in pieces, and let it take the old one's "
                             "place"},
    [COLUMN_TYPE_UNKNOWN] = {"column-type-unknown", LINT_WARNING, PG, false,
                             "no migration here says which type it has: unless it only gets "
                             "wider, the whole table is written anew under a lock",
                             "look at the type it has; if it only gets wider, silence the rule "
                             "with that reason"},
    [TABLE_REWRITE] = {"table-rewrite", LINT_ERROR, PG, false,
                       "the whole table is written anew under a lock",
                       "do it while nobody works, or fill a new table beside it"},
    [VACUUM_FULL] = {"vacuum-full", LINT_ERROR, PG, false,
                     "nobody can read or write the table while it is written anew",
                     "plain VACUUM; or pg_repack, outside of the migration"},
    [DISABLE_TRIGGER] = {"disable-trigger", LINT_ERROR, PG, false,
                         "what others write meanwhile goes unchecked, foreign keys included",
                         "leave it on; let the trigger itself pass over what the migration does"},
    [CREATE_TRIGGER] = {"create-trigger", LINT_WARNING, PG, false,
                        "writers of the table wait for this until the migration ends",
                        "put it into a migration of its own, where the lock is short"},
    [ATTACH_WITHOUT_CHECK] = {"attach-without-check", LINT_WARNING, PG, false,
                              "all its rows are read under a lock to see that they belong there",
                              "ADD CONSTRAINT ... CHECK with the partition's bounds NOT VALID, "
                              "VALIDATE it, attach in the next migration"},
    [DOMAIN_CONSTRAINT] = {"domain-constraint", LINT_WARNING, PG, false,
                           "every table that uses the domain is read under a lock",
                           "ALTER DOMAIN ... ADD CONSTRAINT ... NOT VALID, VALIDATE CONSTRAINT "
                           "later"},
    [DROP_CASCADE] = {"drop-cascade", LINT_WARNING, PG, false,
                      "CASCADE drops what depends on it too, named nowhere",
                      "drop what depends on it by name, and this without CASCADE"},
    [ENUM_VALUE_USED] = {"enum-value-used", LINT_ERROR, PG, false,
                         "a value that ALTER TYPE added cannot be used in the same transaction",
                         "add the value in a migration of its own before this one"},
    [ENUM_ADD_VALUE] = {"enum-add-value", LINT_WARNING, PG, false,
                        "the value cannot be taken away again, and PostgreSQL 11 and older refuse "
                        "this in a transaction",
                        "a table of values with a foreign key, or TEXT with a CHECK"},
    [TIMESTAMP_WITHOUT_TIME_ZONE] = {"timestamp-without-time-zone", LINT_WARNING, PG, false,
                                     "it does not say which moment it means", "TIMESTAMPTZ"},
    [CHAR_COLUMN] = {"char-column", LINT_WARNING, PG, false,
                     "it is filled up with blanks, which comparisons then ignore",
                     "TEXT, with a CHECK on its length where that matters"},
    [JSON_COLUMN] = {"json-column", LINT_WARNING, PG, false,
                     "json cannot be compared, so SELECT DISTINCT and UNION over it fail", "JSONB"},
};

const size_t lint_postgres_count = ARRAY_SIZE(lint_postgres_rules);

#define RULE(name) (&lint_postgres_rules[name])

static bool is_new(const struct lint_part *part, const struct sql_name *table)
{
    return lint_schema_is_new(part->schema, table);
}

/* ---- indexes and views ---- */

static void check_create_index(struct lint_part *part, const struct outline *outline)
{
    const struct cursor all = cursor_over(&outline->tokens);
    if (outline->concurrently && outline->if_exists)
        lint_report(part, RULE(CONCURRENTLY_IF_NOT_EXISTS), 0, "index %s", outline->name.text);
    /* On the parent of partitions alone it only writes into the catalogue. */
    if (outline->concurrently || is_new(part, &outline->table) || cursor_has(&all, "ON ONLY"))
        return;
    lint_report(part, RULE(INDEX_WITHOUT_CONCURRENTLY), 0, "index %s on %s",
                outline->name.text[0] ? outline->name.text : "without a name", outline->table.text);
}

static void check_drop(struct lint_part *part, const struct outline *outline)
{
    if (outline->cascade)
        lint_report(part, RULE(DROP_CASCADE), 0, "%s", outline->name.text);
    if (outline->object != OBJECT_INDEX || outline->concurrently)
        return;
    for (size_t i = 0; i < outline->name_count; i++) {
        const struct lint_index *index = lint_schema_index(part->schema, &outline->names[i]);
        if (!index || index->born != part->schema->now)
            lint_report(part, RULE(DROP_INDEX_WITHOUT_CONCURRENTLY), 0, "index %s",
                        outline->names[i].text);
    }
}

static void check_refresh(struct lint_part *part, struct cursor cursor)
{
    struct sql_name name;
    if (cursor_take(&cursor, "CONCURRENTLY") || !cursor_name(&cursor, &name))
        return;
    if (!is_new(part, &name) && !cursor_has(&cursor, "NO DATA"))
        lint_report(part, RULE(REFRESH_WITHOUT_CONCURRENTLY), 0, "view %s", name.text);
}

/* ---- columns ---- */

static void check_type(struct lint_part *part, const struct sql_name *table,
                       const struct sql_name *name, const char *type, size_t token)
{
    bool stamp = strcmp(type, "timestamp") == 0 || strncmp(type, "timestamp(", 10) == 0 ||
                 strncmp(type, "timestamp without", 17) == 0;
    bool character = strcmp(type, "char") == 0 || strncmp(type, "char(", 5) == 0 ||
                     strcmp(type, "character") == 0 || strncmp(type, "character(", 10) == 0;
    if (stamp && !strstr(type, "with time zone"))
        lint_report(part, RULE(TIMESTAMP_WITHOUT_TIME_ZONE), token, "column %s.%s", table->text,
                    name->text);
    if (character)
        lint_report(part, RULE(CHAR_COLUMN), token, "column %s.%s", table->text, name->text);
    if (strcmp(type, "json") == 0)
        lint_report(part, RULE(JSON_COLUMN), token, "column %s.%s", table->text, name->text);
}

static void check_add_column(struct lint_part *part, const struct outline *outline,
                             const struct outline_action *action)
{
    const struct outline_column *column = &action->column;
    const char *table = outline->table.text;
    const char *name = column->name.text;
    bool counts = (column->flags & COLUMN_IDENTITY) || strstr(column->type, "serial");
    if (counts || ((column->flags & COLUMN_DEFAULT) && pgdefault_is_volatile(&column->fallback)))
        lint_report(part, RULE(VOLATILE_DEFAULT), action->at, "column %s.%s", table, name);
    if (column->flags & (COLUMN_UNIQUE | COLUMN_PRIMARY))
        lint_report(part, RULE(UNIQUE_WITHOUT_INDEX), action->at, "column %s.%s", table, name);
    /* Without a default all rows are NULL, and nothing is there to be checked. */
    if ((column->flags & COLUMN_REFERENCES) && (column->flags & COLUMN_DEFAULT))
        lint_report(part, RULE(FOREIGN_KEY_WITHOUT_NOT_VALID), action->at, "column %s.%s", table,
                    name);
    if ((column->flags & COLUMN_CHECK) && (column->flags & COLUMN_DEFAULT))
        lint_report(part, RULE(CHECK_WITHOUT_NOT_VALID), action->at, "column %s.%s", table, name);
}

/* USING column, or USING column::type, says nothing new. */
static bool converts(const struct outline_action *action)
{
    struct cursor body = action->body;
    struct sql_name name;
    if (!action->using_expression)
        return false;
    if (!cursor_name(&body, &name) || !sql_name_is(&name, &action->name))
        return true;
    if (!cursor_take(&body, "::"))
        return !cursor_ended(&body);
    char type[256];
    cursor_text(&body, type, sizeof type);
    return strcmp(type, action->column.type) != 0;
}

static void check_column_type(struct lint_part *part, const struct outline *outline,
                              const struct outline_action *action)
{
    const struct lint_table *table = lint_schema_table(part->schema, &outline->table);
    const struct lint_column *old = lint_table_column(table, &action->name);
    enum pgtype_change change = pgtype_change(old ? old->type : NULL, action->column.type);
    check_type(part, &outline->table, &action->name, action->column.type, action->at);
    if (converts(action))
        change = PGTYPE_REWRITE;
    if (change == PGTYPE_FREE)
        return;
    lint_report(part, RULE(change == PGTYPE_REWRITE ? COLUMN_TYPE_REWRITE : COLUMN_TYPE_UNKNOWN),
                action->at, "column %s.%s to %s", outline->table.text, action->name.text,
                action->column.type);
}

static void check_set_not_null(struct lint_part *part, const struct outline *outline,
                               const struct outline_action *action)
{
    const struct lint_table *table = lint_schema_table(part->schema, &outline->table);
    const struct lint_column *column = lint_table_column(table, &action->name);
    bool already = column && (column->flags & (COLUMN_NOT_NULL | COLUMN_PRIMARY));
    if (!already && !lint_table_proves_not_null(table, &action->name))
        lint_report(part, RULE(SET_NOT_NULL), action->at, "column %s.%s", outline->table.text,
                    action->name.text);
}

/* ---- constraints and partitions ---- */

/* Was it added by this migration, whose lock is still held? */
static bool added_here(const struct lint_part *part, const struct sql_name *constraint)
{
    for (size_t i = 0; i <= part->at; i++) {
        const struct outline *outline = &part->items[i].outline;
        for (size_t j = 0; outline->kind == OUTLINE_ALTER && j < outline->action_count; j++)
            if (outline->actions[j].not_valid && sql_name_is(&outline->actions[j].name, constraint))
                return true;
    }
    return false;
}

static void check_attach(struct lint_part *part, const struct outline_action *action)
{
    const struct lint_table *partition = lint_schema_table(part->schema, &action->new_name);
    if (is_new(part, &action->new_name))
        return;
    for (size_t i = 0; partition && i < partition->check_count; i++)
        if (partition->checks[i].validated)
            return;
    lint_report(part, RULE(ATTACH_WITHOUT_CHECK), action->at, "partition %s",
                action->new_name.text);
}

static void check_constraint(struct lint_part *part, const struct outline *outline,
                             const struct outline_action *action)
{
    const char *table = outline->table.text;
    const char *name = action->name.text[0] ? action->name.text : "without a name";
    switch (action->kind) {
    case ACTION_ADD_FOREIGN:
        if (!action->not_valid)
            lint_report(part, RULE(FOREIGN_KEY_WITHOUT_NOT_VALID), action->at,
                        "constraint %s of %s", name, table);
        break;
    case ACTION_ADD_CHECK:
    case ACTION_ADD_NOT_NULL:
        if (!action->not_valid)
            lint_report(part, RULE(CHECK_WITHOUT_NOT_VALID), action->at, "constraint %s of %s",
                        name, table);
        break;
    case ACTION_ADD_UNIQUE:
    case ACTION_ADD_PRIMARY:
        if (!action->using_index)
            lint_report(part, RULE(UNIQUE_WITHOUT_INDEX), action->at, "constraint %s of %s", name,
                        table);
        break;
    case ACTION_ADD_EXCLUDE:
        lint_report(part, RULE(EXCLUSION_CONSTRAINT), action->at, "constraint %s of %s", name,
                    table);
        break;
    case ACTION_VALIDATE:
        if (part->transaction && added_here(part, &action->name))
            lint_report(part, RULE(VALIDATE_IN_SAME_TRANSACTION), action->at, "constraint %s of %s",
                        name, table);
        break;
    default:
        break;
    }
}

static void check_action(struct lint_part *part, const struct outline *outline,
                         const struct outline_action *action)
{
    const char *table = outline->table.text;
    check_constraint(part, outline, action);
    switch (action->kind) {
    case ACTION_ADD_COLUMN:
        check_add_column(part, outline, action);
        break;
    case ACTION_COLUMN_TYPE:
        check_column_type(part, outline, action);
        break;
    case ACTION_SET_NOT_NULL:
        check_set_not_null(part, outline, action);
        break;
    case ACTION_DROP_NOT_NULL:
        lint_report(part, RULE(DROP_NOT_NULL), action->at, "column %s.%s", table,
                    action->name.text);
        break;
    case ACTION_DISABLE_TRIGGER:
        lint_report(part, RULE(DISABLE_TRIGGER), action->at, "table %s", table);
        break;
    case ACTION_ATTACH:
        check_attach(part, action);
        break;
    case ACTION_DETACH:
        if (!cursor_has(&action->clause, "CONCURRENTLY"))
            lint_report(part, RULE(DETACH_WITHOUT_CONCURRENTLY), action->at, "partition %s of %s",
                        action->new_name.text, table);
        break;
    case ACTION_REWRITE:
        lint_report(part, RULE(TABLE_REWRITE), action->at, "table %s", table);
        break;
    default:
        break;
    }
    bool drops = action->kind == ACTION_DROP_COLUMN || action->kind == ACTION_DROP_CONSTRAINT;
    if (drops && cursor_has(&action->clause, "CASCADE"))
        lint_report(part, RULE(DROP_CASCADE), action->at, "%s of %s", action->name.text, table);
}

/* ---- types ---- */

static bool type_made_here(const struct lint_part *part, const struct sql_name *type)
{
    for (size_t i = 0; i < part->at; i++) {
        const struct outline *outline = &part->items[i].outline;
        if (outline->kind == OUTLINE_CREATE && outline->object == OBJECT_TYPE &&
            sql_name_is(&outline->name, type))
            return true;
    }
    return false;
}

/* The value that ALTER TYPE ... ADD VALUE [IF NOT EXISTS] 'value' adds; NULL when it adds none. */
static const struct token *added_value(const struct outline *outline)
{
    struct cursor rest = outline->rest;
    if (outline->kind != OUTLINE_ALTER || outline->object != OBJECT_TYPE ||
        !cursor_take(&rest, "ADD VALUE"))
        return NULL;
    cursor_take(&rest, "IF NOT EXISTS");
    return cursor_token(&rest);
}

static void check_value_used(struct lint_part *part, const struct outline *outline)
{
    for (size_t i = 0; i < part->at; i++) {
        const struct outline *before = &part->items[i].outline;
        const struct token *value = added_value(before);
        if (!value || type_made_here(part, &before->name))
            continue;
        for (size_t j = 0; j < outline->tokens.count; j++) {
            const struct token *token = &outline->tokens.items[j];
            if (token->kind == TOKEN_STRING && token->size == value->size &&
                memcmp(token->text, value->text, value->size) == 0) {
                lint_report(part, RULE(ENUM_VALUE_USED), j, "%.*s", (int)value->size, value->text);
                break;
            }
        }
    }
}

static void check_alter_domain(struct lint_part *part, const struct outline *outline)
{
    bool adds = (cursor_is(&outline->rest, "ADD") || cursor_is(&outline->rest, "SET NOT NULL")) &&
                !cursor_has(&outline->rest, "NOT VALID");
    if (adds)
        lint_report(part, RULE(DOMAIN_CONSTRAINT), 0, "domain %s", outline->name.text);
}

/* ---- statements ---- */

static bool vacuums_full(struct cursor cursor)
{
    if (cursor_take(&cursor, "FULL"))
        return true;
    struct cursor options = cursor_group(&cursor);
    struct cursor option;
    while (cursor_item(&options, &option))
        if (cursor_take(&option, "FULL"))
            return !cursor_is(&option, "FALSE") && !cursor_is(&option, "OFF");
    return false;
}

static void check_words(struct lint_part *part, const struct outline *outline)
{
    struct cursor cursor = cursor_over(&outline->tokens);
    const struct cursor all = cursor;
    if (cursor_take(&cursor, "VACUUM") && vacuums_full(cursor))
        lint_report(part, RULE(VACUUM_FULL), 0, "VACUUM FULL");
    if (cursor_is(&cursor, "CLUSTER"))
        lint_report(part, RULE(VACUUM_FULL), 0, "CLUSTER");
    bool parenthesis = cursor_take(&cursor, "REINDEX") && cursor_is(&cursor, "(");
    if (cursor_is(&all, "REINDEX") && !cursor_has(&all, "CONCURRENTLY")) {
        struct cursor options = cursor_group(&cursor);
        if (!parenthesis || !cursor_has(&options, "CONCURRENTLY"))
            lint_report(part, RULE(REINDEX_WITHOUT_CONCURRENTLY), 0, "REINDEX");
    }
    if (cursor_take(&cursor, "REFRESH MATERIALIZED VIEW"))
        check_refresh(part, cursor);
    if (cursor_is(&all, "SET") && cursor_has(&all, "session_replication_role") &&
        cursor_has(&all, "replica"))
        lint_report(part, RULE(DISABLE_TRIGGER), 0, "session_replication_role");
}

static void check_create(struct lint_part *part, const struct outline *outline)
{
    if (outline->object == OBJECT_INDEX)
        check_create_index(part, outline);
    if (outline->object == OBJECT_TRIGGER && !is_new(part, &outline->table))
        lint_report(part, RULE(CREATE_TRIGGER), 0, "table %s", outline->table.text);
    for (size_t i = 0; i < outline->column_count; i++)
        check_type(part, &outline->table, &outline->columns[i].name, outline->columns[i].type,
                   outline->columns[i].at);
}

static void check_alter(struct lint_part *part, const struct outline *outline)
{
    if (outline->object == OBJECT_DOMAIN)
        check_alter_domain(part, outline);
    if (added_value(outline) && !type_made_here(part, &outline->name))
        lint_report(part, RULE(ENUM_ADD_VALUE), 0, "type %s", outline->name.text);
    for (size_t i = 0; i < outline->action_count; i++) {
        const struct outline_action *action = &outline->actions[i];
        if (action->kind == ACTION_ADD_COLUMN)
            check_type(part, &outline->table, &action->name, action->column.type, action->at);
        if (!is_new(part, &outline->table))
            check_action(part, outline, action);
    }
}

void lint_postgres_statement(struct lint_part *part)
{
    const struct outline *outline = lint_now(part);
    check_words(part, outline);
    if (part->transaction)
        check_value_used(part, outline);
    if (outline->kind == OUTLINE_CREATE)
        check_create(part, outline);
    else if (outline->kind == OUTLINE_DROP)
        check_drop(part, outline);
    else if (outline->kind == OUTLINE_ALTER)
        check_alter(part, outline);
}
