#include "catalog/check.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "catalog/dialect.h"
#include "catalog/outside.h"
#include "catalog/query.h"
#include "catalog/schema.h"
#include "catalog/state.h"

#include <string.h>

static int list_columns(struct catalog *catalog, const char *table, struct text_list *list,
                        struct error *err)
{
    SCOPED(query) struct query query;
    query_init(&query, catalog, catalog->dialect->columns);
    query_text(&query, table);
    return query_read_list(&query, list, err);
}

/* ---- our tables ---- */

/* The columns of one table are read when the first of them is asked for. */
struct check {
    struct catalog *catalog;
    char table[64];
    struct text_list present;
    struct text_list *problems; /* NULL: stop at the first */
    size_t tables;
};

/* The first column of a table: read what there is. 1 when there is such a table. */
static int enter_table(struct check *check, const char *table, struct error *err)
{
    strncpy(check->table, table, sizeof check->table - 1);
    text_list_clear(&check->present);
    check->tables++;
    if (list_columns(check->catalog, table, &check->present, err) < 0)
        return -1;
    if (!check->present.count && check->problems)
        text_list_give(check->problems, mem_format("table %s is missing", table));
    return 0;
}

static int check_column(void *context, const char *table, const char *column, struct error *err)
{
    struct check *check = context;
    if (strcmp(check->table, table) != 0 && enter_table(check, table, err) < 0)
        return -1;
    if (text_list_has(&check->present, column))
        return 0;
    if (!check->problems)
        return error_set(err, ERROR_FAILED, "Required column %s is missing from %s table", column,
                         table);
    if (check->present.count)
        text_list_give(check->problems,
                       mem_format("Required column %s is missing from %s table", column, table));
    return 0;
}

int catalog_check_columns(struct catalog *catalog, struct error *err)
{
    struct check check = {.catalog = catalog};
    int result = schema_each_column(catalog, check_column, &check, err);
    text_list_clear(&check.present);
    return result;
}

/* ---- everything ---- */

static int check_views(struct check *check, struct error *err)
{
    for (size_t i = 0; catalog_views[i]; i++) {
        SCOPED(text_list) struct text_list present = TEXT_LIST_INIT;
        check->tables++;
        if (list_columns(check->catalog, catalog_views[i], &present, err) < 0)
            return -1;
        if (!present.count)
            text_list_give(check->problems, mem_format("view %s is missing", catalog_views[i]));
    }
    return 0;
}

static int check_integrity(struct check *check, struct error *err)
{
    const char *integrity = check->catalog->dialect->integrity;
    if (!integrity)
        return 0;
    SCOPED(query) struct query query;
    query_init(&query, check->catalog, integrity);
    return query_read_list(&query, check->problems, err);
}

int catalog_check(struct catalog *catalog, struct text_list *problems, size_t *ret_tables,
                  struct error *err)
{
    struct check check = {.catalog = catalog, .problems = problems};
    int result = schema_each_column(catalog, check_column, &check, err);
    text_list_clear(&check.present);
    if (result == 0)
        result = check_views(&check, err);
    if (result == 0)
        result = check_integrity(&check, err);
    if (result == 0)
        *ret_tables = check.tables;
    return result;
}

int catalog_describe(struct catalog *catalog, struct text_list *remarks, struct error *err)
{
    for (size_t i = 0; catalog_views[i]; i++) {
        int kind = catalog_outside(catalog, catalog_views[i], err);
        if (kind < 0)
            return -1;
        text_list_give(remarks,
                       mem_format("the name %s is %s", catalog_views[i],
                                  kind == OUTSIDE_VIEW    ? "our view"
                                  : kind == OUTSIDE_TABLE ? "a table from before, left alone"
                                                          : "free"));
    }
    return 0;
}
