#include "catalog/schedules.h"

#include "base/error.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "catalog/named.h"
#include "catalog/query.h"
#include "catalog/row.h"

#include <stdlib.h>
#include <string.h>

#define FIELD(name) offsetof(struct schedule_row, name)
static const struct column items[] = {
    {"id", COLUMN_ID, FIELD(id), COLUMN_ONCE},
    {"name", COLUMN_TEXT, FIELD(name), COLUMN_ONCE},
    {"app_id", COLUMN_ID, FIELD(app_id), 0},
    {"target", COLUMN_TEXT, FIELD(target), 0},
    {"type", COLUMN_TEXT, FIELD(type), 0},
    {"cron_expression", COLUMN_TEXT, FIELD(cron_expression), 0},
    {"timezone", COLUMN_TEXT, FIELD(timezone), 0},
    {"retention_days", COLUMN_INTEGER, FIELD(retention_days), 0},
    {"retention_policy", COLUMN_JSON, FIELD(retention_policy), 0},
    {"compression", COLUMN_TEXT, FIELD(compression), 0},
    {"encryption", COLUMN_TEXT, FIELD(encryption), 0},
    {"include_files", COLUMN_BOOL, FIELD(include_files), 0},
    {"include_tables", COLUMN_JSON, FIELD(include_tables), 0},
    {"exclude_tables", COLUMN_JSON, FIELD(exclude_tables), 0},
    {"storage_path", COLUMN_TEXT, FIELD(storage_path), 0},
    {"remote_storage", COLUMN_JSON, FIELD(remote_storage), 0},
    {"notification_email", COLUMN_TEXT, FIELD(notification_email), 0},
    {"is_active", COLUMN_BOOL, FIELD(is_active), 0},
    {"last_run_at", COLUMN_TIME, FIELD(last_run_ns), COLUMN_ONCE},
    {"next_run_at", COLUMN_TIME, FIELD(next_run_ns), COLUMN_ONCE},
    {"success_count", COLUMN_INTEGER, FIELD(success_count), COLUMN_ONCE},
    {"failure_count", COLUMN_INTEGER, FIELD(failure_count), COLUMN_ONCE},
    {"created_at", COLUMN_TIME, FIELD(created_ns), COLUMN_ONCE},
    {"updated_at", COLUMN_TIME, FIELD(updated_ns), COLUMN_STAMP},
};
#undef FIELD

static const struct columns columns = {"schedules", items, ARRAY_SIZE(items)};

void schedule_row_clear(struct schedule_row *row)
{
    free(row->memory);
    *row = (struct schedule_row)SCHEDULE_ROW_INIT;
}

int schedules_upsert(struct catalog *catalog, struct schedule_row *row, struct error *err)
{
    struct schedule_row wanted = *row;
    struct schedule_row scratch = {0};
    wanted.created_ns = wanted.updated_ns = catalog_now(catalog);
    if (named_upsert(catalog, &columns, &wanted, &scratch, err) < 0)
        return error_prefix(err, "schedule %s", row->name);
    memcpy(row->id, wanted.id, sizeof row->id);
    return 0;
}

int schedules_get(struct catalog *catalog, const char *name, struct schedule_row *ret_row,
                  struct error *err)
{
    struct schedule_row row = SCHEDULE_ROW_INIT;
    int found = named_get(catalog, &columns, name, &row, &row.memory, err);
    if (found == 1)
        *ret_row = row;
    return found;
}

int schedules_remove(struct catalog *catalog, const char *name, struct error *err)
{
    return named_remove(catalog, columns.table, name, err);
}

struct reading {
    schedule_visit_fn *visit;
    void *context;
};

static int visit_row(void *context, const struct db_value *values, size_t count, struct error *err)
{
    struct reading *reading = context;
    struct schedule_row row = SCHEDULE_ROW_INIT;
    if (row_read(&columns, values, count, &row, err) < 0)
        return -1;
    return reading->visit(reading->context, &row, err);
}

int schedules_list(struct catalog *catalog, schedule_visit_fn *visit, void *context,
                   struct error *err)
{
    struct reading reading = {visit, context};
    SCOPED(query) struct query query;
    row_select(&columns, columns.count, catalog, &query);
    query_add(&query, " ORDER BY name");
    return query_rows(&query, visit_row, &reading, err);
}

int schedules_set_next(struct catalog *catalog, const char *id, int64_t next_run_ns,
                       struct error *err)
{
    SCOPED(query) struct query query;
    query_init(&query, catalog, "UPDATE schedules SET next_run_at = ? WHERE id = ?");
    query_time(&query, next_run_ns);
    query_text(&query, id);
    return query_run(&query, NULL, err);
}

int schedules_take(struct catalog *catalog, const char *id, int64_t due_ns, int64_t next_run_ns,
                   struct error *err)
{
    int64_t changes = 0;
    SCOPED(query) struct query query;
    query_init(&query, catalog, "UPDATE schedules SET next_run_at = ?, last_run_at = ?");
    query_time(&query, next_run_ns);
    query_time(&query, catalog_now(catalog));
    query_add(&query, " WHERE id = ? AND next_run_at = ? AND is_active = 1");
    query_text(&query, id);
    query_time(&query, due_ns);
    if (query_run(&query, &changes, err) < 0)
        return -1;
    return changes ? 1 : 0;
}

int schedules_count(struct catalog *catalog, const char *id, bool success, struct error *err)
{
    SCOPED(query) struct query query;
    query_init(&query, catalog, "UPDATE schedules SET ");
    query_add(&query,
              success ? "success_count = success_count + 1" : "failure_count = failure_count + 1");
    query_add(&query, " WHERE id = ?");
    query_text(&query, id);
    return query_run(&query, NULL, err);
}
