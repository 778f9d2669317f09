#include "catalog/backup_work.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/ulid.h"
#include "catalog/backup_find.h"
#include "catalog/backup_list.h"
#include "catalog/backups.h"
#include "catalog/catalog.h"
#include "catalog/query.h"
#include "catalog/row.h"
#include "catalog/state.h"
#include "catalog/worker.h"

#include <stdlib.h>
#include <string.h>

/* ---- rows of dead workers ---- */

struct dead {
    struct catalog *catalog;
    struct backup_row *rows;
    size_t count, capacity;
};

static int collect_dead(void *context, const struct backup_row *row, struct error *err)
{
    struct dead *dead = context;
    (void)err;
    SCOPED(string)
    char *epitaph =
        worker_epitaph(dead->catalog->os, row->worker_id ? row->worker_id : "", row->heartbeat_ns);
    if (!epitaph)
        return 0;
    struct backup_row failed = *row;
    failed.status = "failed";
    failed.error_message = epitaph;
    ARRAY_GROW(dead->rows, dead->count, dead->capacity);
    backup_row_copy(&failed, &dead->rows[dead->count++]);
    return 0;
}

/* 1 when it was still the dead worker's, 0 when another process was quicker. */
static int bury(struct catalog *catalog, const struct backup_row *row, struct error *err)
{
    int64_t changes = 0;
    SCOPED(query) struct query query;
    query_init(&query, catalog,
               "UPDATE backups SET status = 'failed', error_message = ?, finished_at = ? "
               "WHERE id = ? AND status IN ('pending', 'running')");
    query_text(&query, row->error_message);
    query_time(&query, catalog_now(catalog));
    query_text(&query, row->id);
    if (row->worker_id) {
        query_add(&query, " AND worker_id = ?");
        query_text(&query, row->worker_id);
    }
    if (query_run(&query, &changes, err) < 0)
        return -1;
    return changes ? 1 : 0;
}

static int bury_all(struct catalog *catalog, const struct dead *dead, backup_visit_fn *visit,
                    void *context, struct error *err)
{
    for (size_t i = 0; i < dead->count; i++) {
        int buried = bury(catalog, &dead->rows[i], err);
        if (buried < 0)
            return -1;
        if (buried && visit && visit(context, &dead->rows[i], err) < 0)
            return -1;
    }
    return 0;
}

int backups_settle_dead(struct catalog *catalog, backup_visit_fn *visit, void *context,
                        struct error *err)
{
    struct dead dead = {.catalog = catalog};
    SCOPED(query) struct query query;
    row_select(&backup_columns, backup_columns.count, catalog, &query);
    query_add(&query,
              " WHERE status = 'running' OR (status = 'pending' AND worker_id IS NOT NULL)");
    int result = backups_read(catalog, &query, collect_dead, &dead, err);
    if (result == 0)
        result = bury_all(catalog, &dead, visit, context, err);
    for (size_t i = 0; i < dead.count; i++)
        backup_row_clear(&dead.rows[i]);
    free(dead.rows);
    return result;
}

/* ---- the queue ---- */

struct claim {
    const char *worker_id;
    char id[27];
    int found;
};

static int take_claimed(void *context, const struct db_value *columns, size_t count,
                        struct error *err)
{
    struct claim *claim = context;
    (void)count;
    if (columns[0].type != DB_TEXT || !ulid_valid(columns[0].text))
        return error_set(err, ERROR_CORRUPT, "catalogue: an id is damaged");
    memcpy(claim->id, columns[0].text, sizeof claim->id);
    return 1;
}

static int claim_body(struct catalog *catalog, void *context, struct error *err)
{
    struct claim *claim = context;
    SCOPED(query) struct query query;
    query_init(&query, catalog,
               "SELECT id FROM backups WHERE status = 'pending' AND worker_id IS NULL "
               "AND (scheduled_at IS NULL OR scheduled_at <= ?) "
               "ORDER BY priority DESC, created_at, number LIMIT 1");
    query_time(&query, catalog_now(catalog));
    query_add(&query, catalog->dialect->claim);
    claim->found = query_rows(&query, take_claimed, claim, err);
    if (claim->found <= 0)
        return claim->found;
    return backups_start(catalog, claim->id, claim->worker_id, err);
}

int backups_claim(struct catalog *catalog, const char *worker_id, struct backup_row *ret_row,
                  struct error *err)
{
    struct claim claim = {.worker_id = worker_id};
    if (catalog_transaction(catalog, claim_body, &claim, err) < 0)
        return error_prefix(err, "catalogue: claim a backup");
    return claim.found ? backups_get(catalog, claim.id, ret_row, err) : 0;
}
