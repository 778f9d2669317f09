#include "catalog/stats.h"

#include "base/error.h"
#include "base/mem.h"
#include "catalog/query.h"
#include "catalog/row.h"

#include <stddef.h>

/* ---- all ---- */

#define FIELD(name) offsetof(struct backup_stats, name)
static const struct column stats_items[] = {
    {"sum(CASE WHEN status = 'pending' THEN 1 ELSE 0 END)", COLUMN_INTEGER, FIELD(pending), 0},
    {"sum(CASE WHEN status = 'running' THEN 1 ELSE 0 END)", COLUMN_INTEGER, FIELD(running), 0},
    {"sum(CASE WHEN status = 'success' THEN 1 ELSE 0 END)", COLUMN_INTEGER, FIELD(success), 0},
    {"sum(CASE WHEN status = 'failed' THEN 1 ELSE 0 END)", COLUMN_INTEGER, FIELD(failed), 0},
    {"sum(CASE WHEN status = 'deleting' THEN 1 ELSE 0 END)", COLUMN_INTEGER, FIELD(deleting), 0},
    {"sum(CASE WHEN status = 'success' THEN incomplete ELSE 0 END)", COLUMN_INTEGER,
     FIELD(incomplete), 0},
    {"sum(CASE WHEN status = 'success' THEN size_bytes ELSE 0 END)", COLUMN_INTEGER,
     FIELD(size_bytes), 0},
    {"sum(CASE WHEN status = 'success' THEN source_bytes ELSE 0 END)", COLUMN_INTEGER,
     FIELD(source_bytes), 0},
};
#undef FIELD

static const struct columns stats_columns = {"backups", stats_items, ARRAY_SIZE(stats_items)};

static int take_stats(void *context, const struct db_value *values, size_t count, struct error *err)
{
    return row_read(&stats_columns, values, count, context, err);
}

int backups_stats(struct catalog *catalog, struct backup_stats *ret_stats, struct error *err)
{
    struct backup_stats stats = {0};
    SCOPED(query) struct query query;
    row_select(&stats_columns, stats_columns.count, catalog, &query);
    if (query_rows(&query, take_stats, &stats, err) < 0)
        return -1;
    /* Sums over nothing are NULL, which reads as -1. */
    for (size_t i = 0; i < stats_columns.count; i++) {
        int64_t *sum = (int64_t *)(void *)((char *)&stats + stats_items[i].offset);
        *sum = *sum < 0 ? 0 : *sum;
    }
    int64_t ended = stats.success + stats.failed;
    stats.success_rate = ended ? (double)stats.success / (double)ended : 0;
    *ret_stats = stats;
    return 0;
}

/* ---- per target ---- */

#define GOOD "status = 'success' AND incomplete = 0"
#define FIELD(name) offsetof(struct target_stats, name)
static const struct column target_items[] = {
    {"target", COLUMN_TEXT, FIELD(target), 0},
    {"sum(CASE WHEN status = 'success' THEN 1 ELSE 0 END)", COLUMN_INTEGER, FIELD(success), 0},
    {"sum(CASE WHEN status = 'failed' THEN 1 ELSE 0 END)", COLUMN_INTEGER, FIELD(failed), 0},
    {"sum(CASE WHEN status = 'success' THEN coalesce(size_bytes, 0) ELSE 0 END)", COLUMN_INTEGER,
     FIELD(size_bytes), 0},
    {"max(CASE WHEN " GOOD " THEN created_at END)", COLUMN_TIME, FIELD(newest_success_ns), 0},
    {"max(CASE WHEN " GOOD " AND verified_level >= 1 THEN created_at END)", COLUMN_TIME,
     FIELD(newest_verified_ns), 0},
    {"max(CASE WHEN " GOOD " THEN verified_level END)", COLUMN_INTEGER, FIELD(verified_level), 0},
};
#undef FIELD

static const struct columns target_columns = {"backups", target_items, ARRAY_SIZE(target_items)};

struct target_reading {
    target_stats_fn *visit;
    void *context;
};

static int visit_target(void *context, const struct db_value *values, size_t count,
                        struct error *err)
{
    struct target_reading *reading = context;
    struct target_stats stats = {0};
    if (row_read(&target_columns, values, count, &stats, err) < 0)
        return -1;
    return reading->visit(reading->context, &stats, err);
}

int backups_target_stats(struct catalog *catalog, target_stats_fn *visit, void *context,
                         struct error *err)
{
    struct target_reading reading = {visit, context};
    SCOPED(query) struct query query;
    row_select(&target_columns, target_columns.count, catalog, &query);
    query_add(&query, " GROUP BY target ORDER BY target");
    return query_rows(&query, visit_target, &reading, err);
}

/* ---- per destination ---- */

#define FIELD(name) offsetof(struct destination_stats, name)
static const struct column destination_items[] = {
    {"d.name", COLUMN_TEXT, FIELD(destination), 0},
    {"count(*)", COLUMN_INTEGER, FIELD(files), 0},
    {"sum(coalesce(f.compressed_size_bytes, 0))", COLUMN_INTEGER, FIELD(size_bytes), 0},
};
#undef FIELD

static const struct columns destination_columns = {
    "backup_files f JOIN backup_destinations d ON d.id = f.backup_destination_id",
    destination_items, ARRAY_SIZE(destination_items)};

struct destination_reading {
    destination_stats_fn *visit;
    void *context;
};

static int visit_destination(void *context, const struct db_value *values, size_t count,
                             struct error *err)
{
    struct destination_reading *reading = context;
    struct destination_stats stats = {0};
    if (row_read(&destination_columns, values, count, &stats, err) < 0)
        return -1;
    return reading->visit(reading->context, &stats, err);
}

int backups_destination_stats(struct catalog *catalog, destination_stats_fn *visit, void *context,
                              struct error *err)
{
    struct destination_reading reading = {visit, context};
    SCOPED(query) struct query query;
    row_select(&destination_columns, destination_columns.count, catalog, &query);
    query_add(&query, " GROUP BY d.name ORDER BY d.name");
    return query_rows(&query, visit_destination, &reading, err);
}
