#include "catalog/row.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/ulid.h"
#include "catalog/query.h"

#include <jansson.h>
#include <string.h>

void row_select(const struct columns *columns, size_t count, struct catalog *catalog,
                struct query *query)
{
    query_init(query, catalog, "SELECT ");
    for (size_t i = 0; i < count; i++) {
        query_add(query, i ? ", " : "");
        query_add(query, columns->items[i].name);
    }
    query_add(query, " FROM ");
    query_add(query, columns->table);
}

/* ---- reading ---- */

static void *field_of(const struct column *column, void *row)
{
    return (char *)row + column->offset;
}

static int read_integer(const struct db_value *value, int64_t *ret_integer)
{
    if (value->type == DB_INTEGER) {
        *ret_integer = value->integer;
        return 0;
    }
    if (value->type != DB_TEXT)
        return -1;
    return text_parse_int(value->text, INT64_MIN, INT64_MAX, ret_integer, NULL);
}

static int read_null(const struct column *column, void *field)
{
    switch (column->kind) {
    case COLUMN_ID:
        ((char *)field)[0] = '\0';
        break;
    case COLUMN_TEXT:
    case COLUMN_JSON:
        *(const char **)field = NULL;
        break;
    case COLUMN_INTEGER:
        *(int64_t *)field = -1;
        break;
    case COLUMN_TIME:
        *(int64_t *)field = 0;
        break;
    case COLUMN_BOOL:
        *(bool *)field = false;
        break;
    }
    return 0;
}

static int read_field(const struct column *column, const struct db_value *value, void *field)
{
    int64_t integer = 0;
    if (value->type == DB_NULL)
        return read_null(column, field);
    switch (column->kind) {
    case COLUMN_ID:
        /* Its length only: a long list reads three a row, and we wrote them. */
        if (value->type != DB_TEXT || value->size != sizeof(struct ulid) - 1)
            return -1;
        memcpy(field, value->text, sizeof(struct ulid));
        return 0;
    case COLUMN_TEXT:
    case COLUMN_JSON:
        if (value->type != DB_TEXT)
            return -1;
        *(const char **)field = value->text;
        return 0;
    case COLUMN_INTEGER:
        return read_integer(value, field);
    case COLUMN_TIME:
        if (value->type != DB_TEXT)
            return -1;
        return dialect_parse_time(value->text, value->size, field);
    case COLUMN_BOOL:
        if (read_integer(value, &integer) < 0)
            return -1;
        *(bool *)field = integer != 0;
        return 0;
    }
    return -1;
}

int row_read(const struct columns *columns, const struct db_value *values, size_t count, void *row,
             struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct column *column = &columns->items[i];
        if (read_field(column, &values[i], field_of(column, row)) < 0)
            return error_set(err, ERROR_CORRUPT, "catalogue: a value of %s.%s is damaged",
                             columns->table, column->name);
    }
    return 0;
}

static bool is_text(const struct column *column)
{
    return column->kind == COLUMN_TEXT || column->kind == COLUMN_JSON;
}

void row_own(const struct columns *columns, void *row, void **ret_memory)
{
    size_t size = 1;
    for (size_t i = 0; i < columns->count; i++) {
        const char *const *text = field_of(&columns->items[i], row);
        if (is_text(&columns->items[i]) && *text)
            size += strlen(*text) + 1;
    }
    char *memory = mem_alloc(size, 1);
    *ret_memory = memory;
    for (size_t i = 0; i < columns->count; i++) {
        const char **text = field_of(&columns->items[i], row);
        if (!is_text(&columns->items[i]) || !*text)
            continue;
        size_t length = strlen(*text) + 1;
        memcpy(memory, *text, length);
        *text = memory;
        memory += length;
    }
}

/* ---- comparing ---- */

/* Some engines write JSON anew. */
static bool json_texts_equal(const char *a, const char *b)
{
    if (text_equal(a, b))
        return true;
    if (!a || !b)
        return false;
    json_t *left = json_loads(a, JSON_DECODE_ANY, NULL);
    json_t *right = json_loads(b, JSON_DECODE_ANY, NULL);
    bool equal = left && right && json_equal(left, right);
    json_decref(left);
    json_decref(right);
    return equal;
}

static bool field_equal(const struct column *column, const void *a, const void *b)
{
    switch (column->kind) {
    case COLUMN_ID:
        return strcmp(a, b) == 0;
    case COLUMN_TEXT:
        return text_equal(*(const char *const *)a, *(const char *const *)b);
    case COLUMN_JSON:
        return json_texts_equal(*(const char *const *)a, *(const char *const *)b);
    case COLUMN_INTEGER:
    case COLUMN_TIME:
        return *(const int64_t *)a == *(const int64_t *)b;
    case COLUMN_BOOL:
        return *(const bool *)a == *(const bool *)b;
    }
    return false;
}

bool row_equal(const struct columns *columns, const void *a, const void *b)
{
    for (size_t i = 0; i < columns->count; i++) {
        const struct column *column = &columns->items[i];
        if (column->flags & (COLUMN_ONCE | COLUMN_STAMP))
            continue;
        if (!field_equal(column, (const char *)a + column->offset,
                         (const char *)b + column->offset))
            return false;
    }
    return true;
}

/* ---- writing ---- */

void row_parameter(const struct column *column, const void *row, struct query *query)
{
    const void *field = (const char *)row + column->offset;
    const char *id = field;
    switch (column->kind) {
    case COLUMN_ID:
        query_text(query, id[0] ? id : NULL);
        break;
    case COLUMN_TEXT:
    case COLUMN_JSON:
        query_text(query, *(const char *const *)field);
        break;
    case COLUMN_INTEGER:
        query_count(query, *(const int64_t *)field);
        break;
    case COLUMN_TIME:
        query_time(query, *(const int64_t *)field);
        break;
    case COLUMN_BOOL:
        query_integer(query, *(const bool *)field);
        break;
    }
}

int row_insert(struct catalog *catalog, const struct columns *columns, const void *row,
               struct error *err)
{
    SCOPED(query) struct query query;
    query_init(&query, catalog, "INSERT INTO ");
    query_add(&query, columns->table);
    for (size_t i = 0; i < columns->count; i++) {
        query_add(&query, i ? ", " : " (");
        query_add(&query, columns->items[i].name);
    }
    query_add(&query, ") VALUES (");
    for (size_t i = 0; i < columns->count; i++) {
        query_add(&query, i ? ", ?" : "?");
        row_parameter(&columns->items[i], row, &query);
    }
    query_add(&query, ")");
    return query_run(&query, NULL, err);
}
