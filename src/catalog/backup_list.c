#include "catalog/backup_list.h"

#include "base/error.h"
#include "base/mem.h"
#include "catalog/backups.h"
#include "catalog/catalog.h"
#include "catalog/named.h"
#include "catalog/query.h"
#include "catalog/row.h"

#include <string.h>

/* ---- reading rows ---- */

struct reading {
    struct names *apps, *destinations;
    backup_visit_fn *visit;
    void *context;
};

static int visit_row(void *context, const struct db_value *values, size_t count, struct error *err)
{
    struct reading *reading = context;
    struct backup_row row = BACKUP_ROW_INIT;
    if (row_read(&backup_columns, values, count, &row, err) < 0)
        return -1;
    row.app = names_get(reading->apps, row.app_id);
    row.destination = names_get(reading->destinations, row.destination_id);
    return reading->visit(reading->context, &row, err);
}

/* Names come from two small tables instead of two joins a row. */
int backups_read(struct catalog *catalog, struct query *query, backup_visit_fn *visit,
                 void *context, struct error *err)
{
    SCOPED(names) struct names *apps = NULL;
    SCOPED(names) struct names *destinations = NULL;
    if (names_load(catalog, "apps", &apps, err) < 0 ||
        names_load(catalog, "backup_destinations", &destinations, err) < 0)
        return -1;
    struct reading reading = {apps, destinations, visit, context};
    return query_rows(query, visit_row, &reading, err);
}

static char *join_names(const struct backup_row *row)
{
    size_t app = row->app ? strlen(row->app) + 1 : 0;
    size_t destination = row->destination ? strlen(row->destination) + 1 : 0;
    char *memory = mem_alloc(app + destination + 1, 1);
    if (app)
        memcpy(memory, row->app, app);
    if (destination)
        memcpy(memory + app, row->destination, destination);
    return memory;
}

void backup_row_copy(const struct backup_row *row, struct backup_row *ret_copy)
{
    struct backup_row copy = *row;
    char *names = join_names(row);
    row_own(&backup_columns, &copy, &copy.memory[0]);
    copy.memory[1] = names;
    if (row->app)
        copy.app = names;
    if (row->destination)
        copy.destination = names + (row->app ? strlen(row->app) + 1 : 0);
    *ret_copy = copy;
}

/* ---- lists ---- */

static void add_limit(struct query *query, const struct backup_filter *filter)
{
    if (filter->limit <= 0 && filter->offset <= 0)
        return;
    query_add(query, " LIMIT ? OFFSET ?");
    query_integer(query, filter->limit > 0 ? filter->limit : INT64_MAX);
    query_integer(query, filter->offset > 0 ? filter->offset : 0);
}

int backups_list(struct catalog *catalog, const struct backup_filter *filter,
                 backup_visit_fn *visit, void *context, struct error *err)
{
    SCOPED(query) struct query query;
    row_select(&backup_columns, filter->everything ? backup_columns.count : backup_list_columns,
               catalog, &query);
    query_add(&query, " WHERE 1 = 1");
    query_add_equal(&query, " AND status = ?", filter->status);
    query_add_equal(&query, " AND target = ?", filter->target);
    query_add_equal(&query, " AND type = ?", filter->type);
    query_add_equal(&query, " AND app_id = (SELECT id FROM apps WHERE name = ?)", filter->app);
    query_add_equal(
        &query, " AND backup_destination_id = (SELECT id FROM backup_destinations WHERE name = ?)",
        filter->destination);
    if (filter->since_ns) {
        query_add(&query, " AND created_at >= ?");
        query_time(&query, filter->since_ns);
    }
    query_add(&query, " ORDER BY created_at DESC, number DESC");
    add_limit(&query, filter);
    return backups_read(catalog, &query, visit, context, err);
}

/* Join the rows to the newest ones of their target and type, and leave those that a rule may
 * remove: a good one gives way to a newer good one only, an incomplete one to any good one or to a
 * newer incomplete one. */
static void add_removable(struct query *query, const char *target)
{
    query_add(query, " JOIN (SELECT target AS newest_target, type AS newest_type, "
                     "max(CASE WHEN incomplete = 0 THEN created_at END) AS newest_good, "
                     "max(created_at) AS newest_any FROM backups WHERE status = 'success'");
    query_add_equal(query, " AND target = ?", target);
    query_add(query, " GROUP BY target, type) newest "
                     "ON newest_target = target AND newest_type = type "
                     "WHERE status = 'success' AND ((incomplete = 0 AND created_at < newest_good) "
                     "OR (incomplete = 1 AND (newest_good IS NOT NULL "
                     "OR created_at < newest_any)))");
}

int backups_list_expired(struct catalog *catalog, const char *target, int64_t now_ns,
                         backup_visit_fn *visit, void *context, struct error *err)
{
    SCOPED(query) struct query query;
    row_select(&backup_columns, backup_list_columns, catalog, &query);
    add_removable(&query, target);
    query_add(&query, " AND expires_at < ?");
    query_time(&query, now_ns);
    query_add(&query, " ORDER BY created_at, number");
    return backups_read(catalog, &query, visit, context, err);
}

int backups_is_kept(struct catalog *catalog, const struct backup_row *row, struct error *err)
{
    int64_t removable = 0;
    if (strcmp(row->status, "success") != 0)
        return 0;
    SCOPED(query) struct query query;
    query_init(&query, catalog, "SELECT count(*) FROM backups");
    add_removable(&query, row->target);
    query_add(&query, " AND id = ?");
    query_text(&query, row->id);
    if (query_read_integer(&query, &removable, err) < 0)
        return -1;
    return removable ? 0 : 1;
}
