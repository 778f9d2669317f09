#include "migrate/schema.h"

#include "base/error.h"
#include "db/db.h"
#include "migrate/cursor.h"
#include "migrate/schema_queries.h"

#include <stdlib.h>
#include <string.h>

struct collecting {
    struct schema *schema;
    const char *without;
    enum db_engine engine;
};

static void add(struct schema *schema, char *name, char *definition)
{
    ARRAY_GROW(schema->items, schema->count, schema->capacity);
    schema->items[schema->count++] = (struct schema_object){name, definition};
}

/* Is the name, "index public.schema_migrations_pkey", that of the table or of what hangs on it? */
static bool is_part_of(const char *name, const char *table)
{
    size_t size = strlen(table);
    for (const char *at = strstr(name, table); at; at = strstr(at + 1, table)) {
        bool begins = at == name || at[-1] == ' ' || at[-1] == '.';
        if (begins && (at[size] == '\0' || strchr("._ (", at[size])))
            return true;
    }
    return false;
}

/* SQL of SQLite as it was written: blanks and the case of words are no matter. */
static char *normal_sql(const char *sql)
{
    struct buf buf = BUF_INIT;
    SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
    tokens_read(&tokens, DB_SQLITE, sql, strlen(sql));
    for (size_t i = 0; i < tokens.count; i++) {
        const struct token *token = &tokens.items[i];
        if (i > 0)
            buf_append_char(&buf, ' ');
        for (size_t k = 0; k < token->size; k++) {
            char c = token->text[k];
            buf_append_char(&buf, token->kind == TOKEN_WORD ? text_lower(c) : c);
        }
    }
    return buf_steal(&buf);
}

static int on_object(void *context, const struct db_value *columns, size_t count, struct error *err)
{
    (void)count, (void)err;
    const struct collecting *collecting = context;
    if (columns[0].type == DB_NULL || is_part_of(columns[0].text, collecting->without))
        return 0;
    const char *definition = columns[1].type == DB_NULL ? "" : columns[1].text;
    add(collecting->schema, mem_string(columns[0].text),
        collecting->engine == DB_SQLITE ? normal_sql(definition) : mem_string(definition));
    return 0;
}

/* ---- what SQLite keeps in the text of a table only ---- */

static void add_clause(struct collecting *collecting, const char *table, struct cursor clause)
{
    SCOPED(string) char *text = cursor_written(&clause);
    SCOPED(string) char *normal = normal_sql(text);
    if (!is_part_of(table, collecting->without))
        add(collecting->schema, mem_format("clause of %s: %s", table, normal), mem_string(""));
}

/* CHECK (...), AS (...), COLLATE name, AUTOINCREMENT. */
static int on_table(void *context, const struct db_value *columns, size_t count, struct error *err)
{
    (void)count, (void)err;
    SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
    tokens_read(&tokens, DB_SQLITE, columns[1].text, columns[1].size);
    for (struct cursor at = cursor_over(&tokens); !cursor_ended(&at); at.at++) {
        struct cursor clause = at;
        if (cursor_take(&clause, "CHECK") || cursor_take(&clause, "AS"))
            cursor_group(&clause);
        else if (cursor_take(&clause, "COLLATE"))
            mem_free_string(cursor_written_name(&clause));
        else if (!cursor_take(&clause, "AUTOINCREMENT"))
            continue;
        clause.end = clause.at;
        clause.at = at.at;
        add_clause(context, columns[0].text, clause);
    }
    return 0;
}

static int compare_objects(const void *a, const void *b)
{
    const struct schema_object *left = a;
    const struct schema_object *right = b;
    int order = strcmp(left->name, right->name);
    return order ? order : strcmp(left->definition, right->definition);
}

int schema_read(struct db *db, const char *without, struct schema *schema, struct error *err)
{
    enum db_engine engine = db->ops->engine;
    struct collecting collecting = {schema, without, engine};
    const char *const *queries = engine == DB_POSTGRES ? schema_queries_postgres
                                 : engine == DB_MYSQL  ? schema_queries_mysql
                                                       : schema_queries_sqlite;
    for (; *queries; queries++)
        if (db_query(db, *queries, NULL, 0, on_object, &collecting, err) < 0)
            return error_prefix(err, "read the schema");
    if (engine == DB_SQLITE &&
        db_query(db, "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql IS NOT NULL",
                 NULL, 0, on_table, &collecting, err) < 0)
        return error_prefix(err, "read the schema");
    if (schema->count > 1)
        qsort(schema->items, schema->count, sizeof *schema->items, compare_objects);
    return 0;
}

void schema_clear(struct schema *schema)
{
    for (size_t i = 0; i < schema->count; i++) {
        free(schema->items[i].name);
        free(schema->items[i].definition);
    }
    free(schema->items);
    *schema = SCHEMA_INIT;
}

/* ---- comparing ---- */

static void say(struct text_list *lines, char sign, const struct schema_object *object)
{
    text_list_give(lines, mem_format("%c %s%s%s", sign, object->name,
                                     *object->definition ? ": " : "", object->definition));
}

/* Which of the two comes first; what has ended comes last. */
static int compare_next(const struct schema *before, size_t i, const struct schema *after, size_t k)
{
    if (i >= before->count)
        return 1;
    if (k >= after->count)
        return -1;
    return strcmp(before->items[i].name, after->items[k].name);
}

size_t schema_compare(const struct schema *before, const struct schema *after,
                      struct text_list *lines)
{
    size_t differences = 0;
    size_t i = 0;
    size_t k = 0;
    while (i < before->count || k < after->count) {
        int order = compare_next(before, i, after, k);
        bool same =
            order == 0 && strcmp(before->items[i].definition, after->items[k].definition) == 0;
        if (!same && order <= 0)
            say(lines, '-', &before->items[i]);
        if (!same && order >= 0)
            say(lines, '+', &after->items[k]);
        differences += !same;
        i += order <= 0;
        k += order >= 0;
    }
    return differences;
}
