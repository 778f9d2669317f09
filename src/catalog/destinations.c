#include "catalog/destinations.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "catalog/named.h"
#include "catalog/query.h"
#include "catalog/row.h"

#include <stdlib.h>
#include <string.h>

#define FIELD(name) offsetof(struct destination_row, name)
static const struct column items[] = {
    {"id", COLUMN_ID, FIELD(id), COLUMN_ONCE},
    {"name", COLUMN_TEXT, FIELD(name), COLUMN_ONCE},
    {"kind", COLUMN_TEXT, FIELD(kind), 0},
    {"url", COLUMN_TEXT, FIELD(url), 0},
    {"region", COLUMN_TEXT, FIELD(region), 0},
    {"bucket", COLUMN_TEXT, FIELD(bucket), 0},
    {"options", COLUMN_JSON, FIELD(options), 0},
    {"is_default", COLUMN_BOOL, FIELD(is_default), 0},
    {"is_active", COLUMN_BOOL, FIELD(is_active), 0},
    {"created_at", COLUMN_TIME, FIELD(created_ns), COLUMN_ONCE},
    {"updated_at", COLUMN_TIME, FIELD(updated_ns), COLUMN_STAMP},
};
#undef FIELD

static const struct columns columns = {"backup_destinations", items, ARRAY_SIZE(items)};

void destination_row_clear(struct destination_row *row)
{
    free(row->memory);
    *row = (struct destination_row){0};
}

static const char *kind_of(const char *url)
{
    if (text_starts(url, "s3://"))
        return "s3";
    if (text_starts(url, "sftp://"))
        return "sftp";
    return "local";
}

/* The URL without the password that may stand before the @. */
static char *without_password(const char *url)
{
    const char *authority = strstr(url, "://");
    if (!authority)
        return mem_string(url);
    authority += 3;
    const char *at = memrchr(authority, '@', strcspn(authority, "/"));
    const char *colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
    if (!colon)
        return mem_string(url);
    return mem_format("%.*s%s", (int)(colon - url), url, at);
}

static int upsert_and_take_default(struct catalog *catalog, void *context, struct error *err)
{
    struct destination_row *row = context;
    struct destination_row scratch = {0};
    if (named_upsert(catalog, &columns, row, &scratch, err) < 0)
        return -1;
    if (!row->is_default)
        return 0;
    SCOPED(query) struct query query;
    query_init(&query, catalog,
               "UPDATE backup_destinations SET is_default = 0 WHERE is_default = 1 AND id <> ?");
    query_text(&query, row->id);
    return query_run(&query, NULL, err);
}

/* 1 when another row is marked as the default too. */
static int default_is_elsewhere(struct catalog *catalog, const char *name, struct error *err)
{
    int64_t others = 0;
    SCOPED(query) struct query query;
    query_init(&query, catalog,
               "SELECT count(*) FROM backup_destinations WHERE is_default = 1 AND name <> ?");
    query_text(&query, name);
    if (query_read_integer(&query, &others, err) < 0)
        return -1;
    return others ? 1 : 0;
}

int destinations_upsert(struct catalog *catalog, struct destination_row *row, struct error *err)
{
    SCOPED(string) char *url = without_password(row->url);
    struct destination_row wanted = *row;
    struct destination_row scratch = {0};
    wanted.url = url;
    wanted.kind = row->kind ? row->kind : kind_of(row->url);
    wanted.created_ns = wanted.updated_ns = catalog_now(catalog);
    int take = row->is_default ? default_is_elsewhere(catalog, row->name, err) : 0;
    int result = take;
    if (take == 0)
        result = named_upsert(catalog, &columns, &wanted, &scratch, err);
    else if (take == 1)
        result = catalog_transaction(catalog, upsert_and_take_default, &wanted, err);
    if (result < 0)
        return error_prefix(err, "destination %s", row->name);
    memcpy(row->id, wanted.id, sizeof row->id);
    return 0;
}

int destinations_get(struct catalog *catalog, const char *name, struct destination_row *ret_row,
                     struct error *err)
{
    struct destination_row row = {0};
    int found = named_get(catalog, &columns, name, &row, &row.memory, err);
    if (found == 1)
        *ret_row = row;
    return found;
}

struct listing {
    destination_visit_fn *visit;
    void *context;
};

static int visit_row(void *context, const struct db_value *values, size_t count, struct error *err)
{
    struct listing *listing = context;
    struct destination_row row = {0};
    if (row_read(&columns, values, count, &row, err) < 0)
        return -1;
    return listing->visit(listing->context, &row, err);
}

int destinations_list(struct catalog *catalog, destination_visit_fn *visit, void *context,
                      struct error *err)
{
    struct listing listing = {visit, context};
    SCOPED(query) struct query query;
    row_select(&columns, columns.count, catalog, &query);
    query_add(&query, " ORDER BY name");
    return query_rows(&query, visit_row, &listing, err);
}
