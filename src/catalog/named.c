#include "catalog/named.h"

#include "base/error.h"
#include "base/ulid.h"
#include "catalog/catalog.h"
#include "catalog/query.h"
#include "catalog/row.h"
#include "catalog/state.h"

#include <stdlib.h>
#include <string.h>

/* ---- one row ---- */

static int take_id(void *context, const struct db_value *columns, size_t count, struct error *err)
{
    (void)count;
    if (columns[0].type != DB_TEXT || !ulid_valid(columns[0].text))
        return error_set(err, ERROR_CORRUPT, "catalogue: an id is damaged");
    memcpy(context, columns[0].text, 27);
    return 1;
}

int named_find(struct catalog *catalog, const char *table, const char *name, char ret_id[static 27],
               struct error *err)
{
    SCOPED(query) struct query query;
    query_init(&query, catalog, "SELECT id FROM ");
    query_add(&query, table);
    query_add(&query, " WHERE name = ?");
    query_text(&query, name);
    return query_rows(&query, take_id, ret_id, err);
}

struct reading {
    const struct columns *columns;
    void *row;
    void **memory;
};

static int take_row(void *context, const struct db_value *values, size_t count, struct error *err)
{
    struct reading *reading = context;
    if (row_read(reading->columns, values, count, reading->row, err) < 0)
        return -1;
    row_own(reading->columns, reading->row, reading->memory);
    return 1;
}

int named_get(struct catalog *catalog, const struct columns *columns, const char *name, void *row,
              void **ret_memory, struct error *err)
{
    SCOPED(query) struct query query;
    struct reading reading = {columns, row, ret_memory};
    row_select(columns, columns->count, catalog, &query);
    query_add(&query, " WHERE name = ?");
    query_text(&query, name);
    return query_rows(&query, take_row, &reading, err);
}

/* ---- upsert ---- */

struct upsert {
    const struct columns *columns;
    void *row;
    void *scratch;
};

/* What every struct of such a table begins with. */
struct named {
    char id[27];
    const char *name;
};

static int insert_named(struct catalog *catalog, struct upsert *upsert, struct error *err)
{
    struct named *row = upsert->row;
    struct ulid id;
    if (!row->id[0]) {
        if (ulid_make(catalog->os, &id, err) < 0)
            return -1;
        memcpy(row->id, id.text, sizeof row->id);
    }
    return row_insert(catalog, upsert->columns, row, err);
}

static int update_named(struct catalog *catalog, struct upsert *upsert, struct error *err)
{
    const struct columns *columns = upsert->columns;
    const char *separator = " SET ";
    SCOPED(query) struct query query;
    query_init(&query, catalog, "UPDATE ");
    query_add(&query, columns->table);
    for (size_t i = 0; i < columns->count; i++) {
        if (columns->items[i].flags & COLUMN_ONCE)
            continue;
        query_add(&query, separator);
        query_add(&query, columns->items[i].name);
        query_add(&query, " = ?");
        row_parameter(&columns->items[i], upsert->row, &query);
        separator = ", ";
    }
    query_add(&query, " WHERE id = ?");
    query_text(&query, ((struct named *)upsert->row)->id);
    return query_run(&query, NULL, err);
}

/* 1: the row is there as it should be; 0: not there; 2: there and different. */
static int compare(struct catalog *catalog, struct upsert *upsert, struct error *err)
{
    struct named *row = upsert->row;
    void *memory = NULL;
    int found = named_get(catalog, upsert->columns, row->name, upsert->scratch, &memory, err);
    if (found <= 0)
        return found;
    memcpy(row->id, ((struct named *)upsert->scratch)->id, sizeof row->id);
    int answer = row_equal(upsert->columns, row, upsert->scratch) ? 1 : 2;
    free(memory);
    return answer;
}

static int upsert_body(struct catalog *catalog, void *context, struct error *err)
{
    int answer = compare(catalog, context, err);
    if (answer < 0 || answer == 1)
        return answer < 0 ? -1 : 0;
    return answer == 0 ? insert_named(catalog, context, err) : update_named(catalog, context, err);
}

int named_upsert(struct catalog *catalog, const struct columns *columns, void *row, void *scratch,
                 struct error *err)
{
    struct upsert upsert = {columns, row, scratch};
    /* Looked at first without a transaction: every start of kedge comes by here. */
    int answer = compare(catalog, &upsert, err);
    if (answer < 0 || answer == 1)
        return answer < 0 ? -1 : 0;
    struct error first = ERROR_INIT;
    if (catalog_transaction(catalog, upsert_body, &upsert, &first) == 0)
        return 0;
    /* On a server another one may have made the row meanwhile; then it is there to be compared. */
    if (first.code == ERROR_EXISTS)
        return catalog_transaction(catalog, upsert_body, &upsert, err);
    if (err)
        *err = first;
    return -1;
}

int named_remove(struct catalog *catalog, const char *table, const char *name, struct error *err)
{
    int64_t changes = 0;
    SCOPED(query) struct query query;
    query_init(&query, catalog, "DELETE FROM ");
    query_add(&query, table);
    query_add(&query, " WHERE name = ?");
    query_text(&query, name);
    if (query_run(&query, &changes, err) < 0)
        return -1;
    return changes ? 1 : 0;
}

/* ---- names of ids ---- */

struct names {
    struct name {
        char id[27];
        char *text;
    } * items;
    size_t count, capacity;
};

static int add_name(void *context, const struct db_value *columns, size_t count, struct error *err)
{
    struct names *names = context;
    ARRAY_GROW(names->items, names->count, names->capacity);
    struct name *name = &names->items[names->count];
    if (take_id(name->id, columns, count, err) < 0)
        return -1;
    name->text = mem_string(columns[1].text);
    names->count++;
    return 0;
}

int names_load(struct catalog *catalog, const char *table, struct names **ret_names,
               struct error *err)
{
    SCOPED(names) struct names *names = MEM_NEW(struct names);
    SCOPED(query) struct query query;
    query_init(&query, catalog, "SELECT id, name FROM ");
    query_add(&query, table);
    query_add(&query, " ORDER BY id");
    if (query_rows(&query, add_name, names, err) < 0)
        return -1;
    *ret_names = STEAL(names);
    return 0;
}

void names_free(struct names *names)
{
    if (!names)
        return;
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i].text);
    free(names->items);
    free(names);
}

static int compare_id(const void *id, const void *item)
{
    return strcmp(id, ((const struct name *)item)->id);
}

const char *names_get(const struct names *names, const char *id)
{
    if (!names->count)
        return NULL;
    const struct name *found =
        bsearch(id, names->items, names->count, sizeof *names->items, compare_id);
    return found ? found->text : NULL;
}
