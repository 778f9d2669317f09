#include "migrate/lint_mysql.h"

#include "base/mem.h"
#include "migrate/classify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    SEVERAL_DDL,
    COLUMN_TYPE_COPY,
    ENUM_REORDER,
    MODIFY_LOSES_ATTRIBUTES,
    CHARSET_CONVERSION,
    DROP_PRIMARY_KEY,
    ADD_FOREIGN_KEY,
    ALGORITHM_COPY,
    MISSING_ALGORITHM,
    TABLE_REBUILD,
    SPECIAL_INDEX,
    COLUMN_ORDER,
    WEAK_ENGINE,
    UTF8MB3,
    FOREIGN_KEY_CHECKS_OFF,
};

#define MY LINT_MYSQL

const struct lint_rule lint_mysql_rules[] = {
    [SEVERAL_DDL] = {"several-ddl", LINT_WARNING, MY, false,
                     "each of these commits by itself: when a later one fails, the earlier ones "
                     "stay",
                     "one change of a table in each migration"},
    [COLUMN_TYPE_COPY] = {"column-type-copy", LINT_ERROR, MY, false,
                          "another type copies the whole table while nobody can write to it",
                          "gh-ost or pt-online-schema-change; or ALGORITHM=INPLACE, which fails "
                          "rather than copy"},
    [ENUM_REORDER] = {"enum-reorder", LINT_ERROR, MY, false,
                      "values that move or go away copy the table, and rows that hold a value "
                      "that is gone lose it",
                      "keep the old values in their order and add new ones at the end"},
    [MODIFY_LOSES_ATTRIBUTES] = {"modify-loses-attributes", LINT_WARNING, MY, false,
                                 "MODIFY and CHANGE say all of the column: what is not repeated is "
                                 "gone",
                                 "repeat NOT NULL, DEFAULT, COMMENT and the rest from SHOW CREATE "
                                 "TABLE"},
    [CHARSET_CONVERSION] = {"charset-conversion", LINT_ERROR, MY, false,
                            "the whole table is copied while nobody can write to it, and long "
                            "texts may become another type",
                            "gh-ost or pt-online-schema-change; or change one column at a time"},
    [DROP_PRIMARY_KEY] = {"drop-primary-key", LINT_ERROR, MY, false,
                          "the whole table is copied while nobody can write to it",
                          "drop it and add its successor in one ALTER TABLE with "
                          "ALGORITHM=INPLACE"},
    [ADD_FOREIGN_KEY] = {"add-foreign-key", LINT_ERROR, MY, false,
                         "the table is copied while nobody can write to it, and the other one is "
                         "locked too",
                         "with the table's rows known to be right: SET foreign_key_checks = 0 and "
                         "ALGORITHM=INPLACE"},
    [ALGORITHM_COPY] = {"algorithm-copy", LINT_ERROR, MY, false,
                        "it asks for a copy or a lock that keeps writers out",
                        "ALGORITHM=INPLACE, LOCK=NONE; where the server refuses, gh-ost or "
                        "pt-online-schema-change"},
    [MISSING_ALGORITHM] = {"missing-algorithm", LINT_WARNING, MY, false,
                           "where the server cannot do it in place it silently copies the table "
                           "and keeps writers out",
                           "add ALGORITHM=INSTANT, or ALGORITHM=INPLACE, LOCK=NONE: it then fails "
                           "at once instead"},
    [TABLE_REBUILD] = {"table-rebuild", LINT_WARNING, MY, false,
                       "the whole table is written anew and needs its size twice",
                       "do it outside of a migration, while little is going on"},
    [SPECIAL_INDEX] = {"fulltext-index", LINT_WARNING, MY, false,
                       "nobody can write to the table until the index is built",
                       "do it while nobody writes, or with gh-ost"},
    [COLUMN_ORDER] = {"column-order", LINT_WARNING, MY, false,
                      "putting a column FIRST or AFTER another writes the table anew on many "
                      "servers",
                      "leave the place out: the order of columns is for SELECT to choose"},
    [WEAK_ENGINE] = {"weak-engine", LINT_ERROR, MY, false,
                     "this engine has no transactions, and what it holds does not survive a crash "
                     "whole",
                     "ENGINE=InnoDB"},
    [UTF8MB3] = {"utf8mb3", LINT_WARNING, MY, false,
                 "utf8 has at most three bytes a character here: emoji and many names do not fit",
                 "utf8mb4"},
    [FOREIGN_KEY_CHECKS_OFF] = {"foreign-key-checks-off", LINT_WARNING, MY, false,
                                "rows that come in meanwhile are never checked, and nothing here "
                                "switches it on again",
                                "SET foreign_key_checks = 1 as soon as it is possible"},
};

const size_t lint_mysql_count = ARRAY_SIZE(lint_mysql_rules);

#define RULE(name) (&lint_mysql_rules[name])

static bool is_new(const struct lint_part *part, const struct sql_name *table)
{
    return lint_schema_is_new(part->schema, table);
}

/* ---- statements that commit ---- */

/* Does it change what was there before? */
static bool changes_old(const struct lint_part *part, size_t index)
{
    const struct lint_statement *statement = &part->items[index];
    const struct outline *outline = &statement->outline;
    if (!(statement->traits & TRAIT_COMMITS))
        return false;
    bool creates = outline->kind == OUTLINE_CREATE && outline->object != OBJECT_INDEX;
    if (creates)
        return false;
    for (size_t i = 0; i < index; i++) {
        const struct outline *before = &part->items[i].outline;
        if (before->kind == OUTLINE_CREATE && before->object == OBJECT_TABLE &&
            sql_name_is(&before->name, &outline->table))
            return false;
    }
    return true;
}

/* New tables and their indexes may be many; told once, at the second statement that counts. */
static void check_several(struct lint_part *part)
{
    size_t commits = 0;
    size_t changes = 0;
    for (size_t i = 0; i <= part->at; i++) {
        commits += (part->items[i].traits & TRAIT_COMMITS) != 0;
        changes += changes_old(part, i);
    }
    bool here = part->items[part->at].traits & TRAIT_COMMITS;
    bool first = changes == (changes_old(part, part->at) ? 1 : 0) || commits == 2;
    if (here && commits >= 2 && changes && first)
        lint_report(part, RULE(SEVERAL_DDL), 0, "statement %zu", part->at + 1);
}

/* ---- how a table is altered ---- */

/* The word after ALGORITHM or LOCK, of ALTER TABLE or of CREATE INDEX; "" when it is not said. */
static void find_option(const struct outline *outline, const char *option, char ret_text[32])
{
    struct cursor cursor = cursor_over(&outline->tokens);
    ret_text[0] = '\0';
    for (; !cursor_ended(&cursor); cursor_skip(&cursor)) {
        struct cursor here = cursor;
        if (!cursor_take(&here, option))
            continue;
        cursor_take(&here, "=");
        here.end = here.at < here.end ? here.at + 1 : here.end;
        cursor_text(&here, ret_text, 32);
        return;
    }
}

/* Was the server told to refuse rather than copy? */
static bool refuses_copy(const struct outline *outline)
{
    char algorithm[32];
    find_option(outline, "ALGORITHM", algorithm);
    return strcmp(algorithm, "inplace") == 0 || strcmp(algorithm, "instant") == 0 ||
           strcmp(algorithm, "nocopy") == 0;
}

static bool is_quiet_about_lock(const struct outline *outline)
{
    char algorithm[32];
    char lock[32];
    find_option(outline, "ALGORITHM", algorithm);
    find_option(outline, "LOCK", lock);
    return (!algorithm[0] || strcmp(algorithm, "default") == 0) &&
           (!lock[0] || strcmp(lock, "default") == 0);
}

static void check_algorithm(struct lint_part *part, const struct outline *outline)
{
    char algorithm[32];
    char lock[32];
    find_option(outline, "ALGORITHM", algorithm);
    find_option(outline, "LOCK", lock);
    if (strcmp(algorithm, "copy") == 0 || strcmp(lock, "shared") == 0 ||
        strcmp(lock, "exclusive") == 0)
        lint_report(part, RULE(ALGORITHM_COPY), 0, "table %s", outline->table.text);
}

/* ---- types ---- */

/* The length of the integer type's name that the type begins with; 0 when it is none. */
static size_t integer_size(const char *type)
{
    static const char *const names[] = {"tinyint", "smallint", "mediumint",
                                        "int",     "integer",  "bigint"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        size_t size = strlen(names[i]);
        if (strncmp(type, names[i], size) == 0 && strchr("( ", type[size]))
            return size;
    }
    return 0;
}

/* "int(11)" is "int", and "integer" too: a width is only for show. */
static void usual_type(const char *type, char ret_type[256])
{
    size_t size = integer_size(type);
    const char *rest = type + size;
    if (size && *rest == '(')
        rest = *strchrnul(rest, ')') ? strchrnul(rest, ')') + 1 : "";
    while (size && *rest == ' ')
        rest++;
    int name = (int)(strncmp(type, "integer", size) == 0 ? strlen("int") : size);
    snprintf(ret_type, 256, "%.*s%s%.200s", size ? name : 0, type, size && *rest ? " " : "", rest);
}

/* One byte for the length up to 255 bytes, two beyond: 63 characters of utf8mb4. */
static bool varchar_widens(const char *before, const char *after)
{
    static const char prefix[] = "varchar(";
    size_t size = strlen(prefix);
    if (strncmp(before, prefix, size) != 0 || strncmp(after, prefix, size) != 0)
        return false;
    char *before_rest = NULL;
    char *after_rest = NULL;
    long from = strtol(before + size, &before_rest, 10);
    long to = strtol(after + size, &after_rest, 10);
    return to >= from && (from > 63) == (to > 63) && strcmp(before_rest, after_rest) == 0;
}

static bool is_list(const char *type)
{
    return strncmp(type, "enum(", 5) == 0 || strncmp(type, "set(", 4) == 0;
}

/* The old values come first, in their order. */
static bool list_grows(const char *before, const char *after)
{
    size_t size = strlen(before);
    bool whole = size < 200 && size && before[size - 1] == ')';
    return whole && strncmp(before, after, size - 1) == 0 && strchr(",)", after[size - 1]) &&
           after[size - 1];
}

static void check_modified_type(struct lint_part *part, const struct outline *outline,
                                const struct outline_action *action, const struct lint_column *old)
{
    char before[256] = "";
    char after[256];
    usual_type(action->column.type, after);
    if (old)
        usual_type(old->type, before);
    if (old && (strcmp(before, after) == 0 || varchar_widens(before, after)))
        return;
    bool lists = old && is_list(before) && is_list(after);
    if (lists && list_grows(before, after))
        return;
    if (lists)
        lint_report(part, RULE(ENUM_REORDER), action->at, "column %s.%s", outline->table.text,
                    action->name.text);
    else if (!refuses_copy(outline))
        lint_report(part, RULE(COLUMN_TYPE_COPY), action->at, "column %s.%s to %s",
                    outline->table.text, action->name.text, action->column.type);
}

/* Without knowing the column: saying neither NULL nor a default is how they get lost. */
static void check_lost(struct lint_part *part, const struct outline *outline,
                       const struct outline_action *action, const struct lint_column *old)
{
    static const struct {
        unsigned flag;
        const char *text;
    } attributes[] = {
        {COLUMN_NOT_NULL, "NOT NULL"},     {COLUMN_DEFAULT, "DEFAULT"},
        {COLUMN_COMMENT, "COMMENT"},       {COLUMN_ON_UPDATE, "ON UPDATE"},
        {COLUMN_COLLATE, "COLLATE"},       {COLUMN_AUTO_INCREMENT, "AUTO_INCREMENT"},
        {COLUMN_CHARSET, "CHARACTER SET"},
    };
    unsigned flags = action->column.flags;
    unsigned said = COLUMN_NOT_NULL | COLUMN_NULL | COLUMN_DEFAULT;
    if (!old && !(flags & said))
        lint_report(part, RULE(MODIFY_LOSES_ATTRIBUTES), action->at,
                    "column %s.%s says neither NULL nor NOT NULL", outline->table.text,
                    action->name.text);
    for (size_t i = 0; old && i < ARRAY_SIZE(attributes); i++) {
        unsigned flag = attributes[i].flag;
        bool meant = flag == COLUMN_NOT_NULL && (flags & COLUMN_NULL);
        if ((old->flags & flag) && !(flags & flag) && !meant)
            lint_report(part, RULE(MODIFY_LOSES_ATTRIBUTES), action->at, "%s of column %s.%s",
                        attributes[i].text, outline->table.text, action->name.text);
    }
}

static void check_modify(struct lint_part *part, const struct outline *outline,
                         const struct outline_action *action)
{
    const struct lint_table *table = lint_schema_table(part->schema, &outline->table);
    const struct lint_column *old = lint_table_column(table, &action->name);
    check_modified_type(part, outline, action, old);
    check_lost(part, outline, action, old);
}

/* ---- clauses ---- */

static bool is_weak_engine(const char *engine)
{
    static const char *const names[] = {"myisam",  "aria",  "memory", "csv",
                                        "archive", "merge", "isam"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(engine, names[i]) == 0)
            return true;
    return false;
}

static void check_engine(struct lint_part *part, const struct outline *outline)
{
    char engine[32];
    const struct cursor all = cursor_over(&outline->tokens);
    find_option(outline, "ENGINE", engine);
    if (!cursor_has(&all, "ENGINE") || outline->temporary)
        return;
    if (is_weak_engine(engine))
        lint_report(part, RULE(WEAK_ENGINE), cursor_find(&all, "ENGINE"), "table %s ENGINE=%s",
                    outline->table.text, engine);
    else if (outline->kind == OUTLINE_ALTER && !is_new(part, &outline->table))
        lint_report(part, RULE(TABLE_REBUILD), cursor_find(&all, "ENGINE"), "table %s",
                    outline->table.text);
}

/* CHARSET utf8, CHARACTER SET = utf8mb3, COLLATE utf8_general_ci: anywhere in the statement. */
static void check_charset(struct lint_part *part, const struct outline *outline)
{
    for (size_t i = 1; i < outline->tokens.count; i++) {
        const struct token *token = &outline->tokens.items[i];
        const struct token *before = token - 1;
        if (token_is(before, "=") && i > 1)
            before--;
        bool named = token_is(before, "CHARSET") || token_is(before, "COLLATE") ||
                     (token_is(before, "SET") && before > outline->tokens.items &&
                      (token_is(before - 1, "CHARACTER") || token_is(before - 1, "CHAR")));
        bool quoted = token->kind == TOKEN_STRING || token->kind == TOKEN_NAME;
        const char *text = token->text + quoted;
        size_t size = token->size - (quoted && token->size > 1 ? 2 : 0);
        bool old = (size == 4 && strncasecmp(text, "utf8", 4) == 0) ||
                   (size > 4 && strncasecmp(text, "utf8_", 5) == 0) ||
                   (size > 6 && strncasecmp(text, "utf8mb3", 7) == 0);
        if (named && old) {
            lint_report(part, RULE(UTF8MB3), i, "%.*s", (int)size, text);
            return;
        }
    }
}

/* SET foreign_key_checks = value: what it sets; NULL when it is none. */
static const struct token *sets_checks(const struct outline *outline)
{
    struct cursor cursor = cursor_over(&outline->tokens);
    if (!cursor_take(&cursor, "SET") || !cursor_pass(&cursor, "foreign_key_checks"))
        return NULL;
    return cursor_take(&cursor, "=") ? cursor_token(&cursor) : NULL;
}

static bool is_off(const struct token *token)
{
    return token && (token->text[0] == '0' || token_is(token, "OFF"));
}

static bool checks_are_off(const struct lint_part *part)
{
    bool off = false;
    for (size_t i = 0; i < part->at; i++) {
        const struct token *value = sets_checks(&part->items[i].outline);
        off = value ? is_off(value) : off;
    }
    return off;
}

static void check_action(struct lint_part *part, const struct outline *outline,
                         const struct outline_action *action)
{
    const char *table = outline->table.text;
    bool safe = refuses_copy(outline);
    if (action->column.flags & COLUMN_PLACED)
        lint_report(part, RULE(COLUMN_ORDER), action->at, "column %s.%s", table,
                    action->column.name.text);
    switch (action->kind) {
    case ACTION_MODIFY_COLUMN:
        check_modify(part, outline, action);
        break;
    case ACTION_CONVERT_CHARSET:
        lint_report(part, RULE(CHARSET_CONVERSION), action->at, "table %s", table);
        break;
    case ACTION_DROP_PRIMARY:
        if (!safe || !outline_action(outline, ACTION_ADD_PRIMARY))
            lint_report(part, RULE(DROP_PRIMARY_KEY), action->at, "table %s", table);
        break;
    case ACTION_ADD_FOREIGN:
        if (!safe || !checks_are_off(part))
            lint_report(part, RULE(ADD_FOREIGN_KEY), action->at, "constraint %s of %s",
                        action->name.text[0] ? action->name.text : "without a name", table);
        break;
    case ACTION_FORCE:
        lint_report(part, RULE(TABLE_REBUILD), action->at, "table %s", table);
        break;
    case ACTION_SPECIAL_INDEX:
        lint_report(part, RULE(SPECIAL_INDEX), action->at, "table %s", table);
        break;
    default:
        break;
    }
}

/* ALTER without a word about how: told only where nothing worse was. */
static void check_alter(struct lint_part *part, const struct outline *outline)
{
    size_t before = part->findings->count;
    if (outline->object != OBJECT_TABLE || is_new(part, &outline->table))
        return;
    for (size_t i = 0; i < outline->action_count; i++)
        check_action(part, outline, &outline->actions[i]);
    check_algorithm(part, outline);
    bool renames = outline->action_count == 1 && outline->actions[0].kind == ACTION_RENAME_TABLE;
    if (part->findings->count == before && !renames && is_quiet_about_lock(outline))
        lint_report(part, RULE(MISSING_ALGORITHM), 0, "table %s", outline->table.text);
}

static void check_create_index(struct lint_part *part, const struct outline *outline)
{
    const struct cursor all = cursor_over(&outline->tokens);
    if (is_new(part, &outline->table))
        return;
    check_algorithm(part, outline);
    if (cursor_is(&all, "CREATE FULLTEXT") || cursor_is(&all, "CREATE SPATIAL"))
        lint_report(part, RULE(SPECIAL_INDEX), 0, "table %s", outline->table.text);
    else if (is_quiet_about_lock(outline))
        lint_report(part, RULE(MISSING_ALGORITHM), 0, "table %s", outline->table.text);
}

/* ---- words ---- */

static void check_words(struct lint_part *part, const struct outline *outline)
{
    const struct cursor all = cursor_over(&outline->tokens);
    if (cursor_is(&all, "OPTIMIZE"))
        lint_report(part, RULE(TABLE_REBUILD), 0, "OPTIMIZE TABLE");
    if (!is_off(sets_checks(outline)))
        return;
    for (size_t i = part->at + 1; i < part->count; i++) {
        const struct token *later = sets_checks(&part->items[i].outline);
        if (later && !is_off(later))
            return;
    }
    lint_report(part, RULE(FOREIGN_KEY_CHECKS_OFF), 0, "foreign_key_checks");
}

void lint_mysql_statement(struct lint_part *part)
{
    const struct outline *outline = lint_now(part);
    check_words(part, outline);
    check_several(part);
    bool table = outline->object == OBJECT_TABLE &&
                 (outline->kind == OUTLINE_CREATE || outline->kind == OUTLINE_ALTER);
    if (table) {
        check_engine(part, outline);
        check_charset(part, outline);
    }
    if (outline->kind == OUTLINE_ALTER)
        check_alter(part, outline);
    else if (outline->kind == OUTLINE_CREATE && outline->object == OBJECT_INDEX)
        check_create_index(part, outline);
}
