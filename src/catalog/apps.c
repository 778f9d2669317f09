#include "catalog/apps.h"

#include "base/error.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "catalog/named.h"
#include "catalog/row.h"

#include <stdint.h>
#include <string.h>

struct app_row {
    char id[27];
    const char *name;
    int64_t created_ns;
};

static const struct column items[] = {
    {"id", COLUMN_ID, offsetof(struct app_row, id), COLUMN_ONCE},
    {"name", COLUMN_TEXT, offsetof(struct app_row, name), COLUMN_ONCE},
    {"created_at", COLUMN_TIME, offsetof(struct app_row, created_ns), COLUMN_ONCE},
};

static const struct columns columns = {"apps", items, ARRAY_SIZE(items)};

int apps_upsert(struct catalog *catalog, const char *name, char ret_id[static 27],
                struct error *err)
{
    struct app_row row = {.name = name, .created_ns = catalog_now(catalog)};
    struct app_row scratch = {0};
    if (named_upsert(catalog, &columns, &row, &scratch, err) < 0)
        return error_prefix(err, "app %s", name);
    memcpy(ret_id, row.id, sizeof row.id);
    return 0;
}

int apps_find(struct catalog *catalog, const char *name, char ret_id[static 27], struct error *err)
{
    return named_find(catalog, "apps", name, ret_id, err);
}

int apps_remove(struct catalog *catalog, const char *name, struct error *err)
{
    return named_remove(catalog, "apps", name, err);
}
