#include "catalog/restores.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/ulid.h"
#include "catalog/catalog.h"
#include "catalog/query.h"
#include "catalog/row.h"
#include "catalog/state.h"
#include "catalog/worker.h"

#include <stdlib.h>
#include <string.h>

#define FIELD(name) offsetof(struct restore_row, name)
static const struct column items[] = {
    {"id", COLUMN_ID, FIELD(id), 0},
    {"number", COLUMN_INTEGER, FIELD(number), 0},
    {"backup_id", COLUMN_ID, FIELD(backup_id), 0},
    {"backup_name", COLUMN_TEXT, FIELD(backup_name), 0},
    {"restore_type", COLUMN_TEXT, FIELD(restore_type), 0},
    {"status", COLUMN_TEXT, FIELD(status), 0},
    {"started_at", COLUMN_TIME, FIELD(started_ns), 0},
    {"completed_at", COLUMN_TIME, FIELD(completed_ns), 0},
    {"target", COLUMN_TEXT, FIELD(target), 0},
    {"engine", COLUMN_TEXT, FIELD(engine), 0},
    {"safety_kind", COLUMN_TEXT, FIELD(safety_kind), 0},
    {"safety_ref", COLUMN_JSON, FIELD(safety_ref), 0},
    {"undo_until", COLUMN_TIME, FIELD(undo_until_ns), 0},
    {"undone_at", COLUMN_TIME, FIELD(undone_ns), 0},
    {"tables_restored", COLUMN_JSON, FIELD(tables_restored), 0},
    {"files_restored", COLUMN_JSON, FIELD(files_restored), 0},
    {"initiated_by", COLUMN_TEXT, FIELD(initiated_by), 0},
    {"worker_id", COLUMN_TEXT, FIELD(worker_id), 0},
    {"heartbeat_at", COLUMN_TIME, FIELD(heartbeat_ns), 0},
    {"notes", COLUMN_TEXT, FIELD(notes), 0},
    {"error_message", COLUMN_TEXT, FIELD(error_message), 0},
    {"created_at", COLUMN_TIME, FIELD(created_ns), 0},
};
#undef FIELD

static const struct columns columns = {"restores", items, ARRAY_SIZE(items)};

void restore_row_clear(struct restore_row *row)
{
    free(row->memory);
    *row = (struct restore_row){0};
}

static void copy_row(const struct restore_row *row, struct restore_row *ret_copy)
{
    struct restore_row copy = *row;
    row_own(&columns, &copy, &copy.memory);
    *ret_copy = copy;
}

/* ---- changes ---- */

static int insert_body(struct catalog *catalog, void *context, struct error *err)
{
    struct restore_row *row = context;
    if (catalog_next_number(catalog, "restores", &row->number, err) < 0)
        return -1;
    return row_insert(catalog, &columns, row, err);
}

int restores_insert(struct catalog *catalog, struct restore_row *row, struct error *err)
{
    struct restore_row inserted = *row;
    struct ulid id;
    if (!row->id[0]) {
        if (ulid_make(catalog->os, &id, err) < 0)
            return -1;
        memcpy(inserted.id, id.text, sizeof inserted.id);
    }
    inserted.status = "running";
    inserted.created_ns = inserted.started_ns = inserted.heartbeat_ns = catalog_now(catalog);
    if (catalog_transaction(catalog, insert_body, &inserted, err) < 0)
        return error_prefix(err, "catalogue: new restore of %s", row->target);
    *row = inserted;
    return 0;
}

/* An UPDATE of a row that must be there. */
static int change_one(struct query *query, const char *id, struct error *err)
{
    int64_t changes = 0;
    if (query_run(query, &changes, err) < 0)
        return error_prefix(err, "catalogue: restore %s", id);
    if (!changes)
        return error_set(err, ERROR_FAILED,
                         "catalogue: restore %s is not running any more, or gone", id);
    return 0;
}

int restores_set_ref(struct catalog *catalog, const char *id, const char *safety_ref,
                     int64_t undo_until_ns, struct error *err)
{
    SCOPED(query) struct query query;
    query_init(&query, catalog, "UPDATE restores SET safety_ref = ?, undo_until = ?");
    query_text(&query, safety_ref);
    query_time(&query, undo_until_ns);
    query_add(&query, " WHERE id = ?");
    query_text(&query, id);
    return change_one(&query, id, err);
}

int restores_heartbeat(struct catalog *catalog, const char *id, struct error *err)
{
    SCOPED(query) struct query query;
    query_init(&query, catalog, "UPDATE restores SET heartbeat_at = ? WHERE id = ?");
    query_time(&query, catalog_now(catalog));
    query_text(&query, id);
    return query_run(&query, NULL, err);
}

int restores_finish(struct catalog *catalog, const struct restore_row *row, struct error *err)
{
    SCOPED(query) struct query query;
    query_init(
        &query, catalog,
        "UPDATE restores SET status = 'success', error_message = NULL, completed_at = ?, "
        "safety_ref = ?, undo_until = ?, tables_restored = ?, files_restored = ?, notes = ?");
    query_time(&query, row->completed_ns ? row->completed_ns : catalog_now(catalog));
    query_text(&query, row->safety_ref);
    query_time(&query, row->undo_until_ns);
    query_text(&query, row->tables_restored);
    query_text(&query, row->files_restored);
    query_text(&query, row->notes);
    query_add(&query, " WHERE id = ? AND status = 'running'");
    query_text(&query, row->id);
    return change_one(&query, row->id, err);
}

int restores_fail(struct catalog *catalog, const char *id, const char *message, bool keep_ref,
                  struct error *err)
{
    SCOPED(query) struct query query;
    query_init(&query, catalog,
               "UPDATE restores SET status = 'failed', error_message = ?, completed_at = ?");
    query_text(&query, message);
    query_time(&query, catalog_now(catalog));
    if (!keep_ref)
        query_add(&query, ", safety_ref = NULL");
    query_add(&query, " WHERE id = ? AND status = 'running'");
    query_text(&query, id);
    return query_run(&query, NULL, err);
}

int restores_set_undoing(struct catalog *catalog, const char *id, const char *safety_ref,
                         const char *worker_id, struct error *err)
{
    SCOPED(query) struct query query;
    query_init(&query, catalog,
               "UPDATE restores SET status = 'running', safety_ref = ?, worker_id = ?, "
               "heartbeat_at = ?");
    query_text(&query, safety_ref);
    query_text(&query, worker_id);
    query_time(&query, catalog_now(catalog));
    query_add(&query, " WHERE id = ? AND status = 'success'");
    query_text(&query, id);
    return change_one(&query, id, err);
}

int restores_set_undone(struct catalog *catalog, const char *id, int64_t undone_ns,
                        const char *safety_ref, int64_t undo_until_ns, struct error *err)
{
    SCOPED(query) struct query query;
    query_init(
        &query, catalog,
        "UPDATE restores SET status = 'success', undone_at = ?, safety_ref = ?, undo_until = ? "
        "WHERE id = ?");
    query_time(&query, undone_ns);
    query_text(&query, safety_ref);
    query_time(&query, undo_until_ns);
    query_text(&query, id);
    return change_one(&query, id, err);
}

int restores_set_discarded(struct catalog *catalog, const char *id, struct error *err)
{
    SCOPED(query) struct query query;
    query_init(&query, catalog, "UPDATE restores SET safety_ref = NULL WHERE id = ?");
    query_text(&query, id);
    return query_run(&query, NULL, err);
}

/* ---- reading ---- */

struct reading {
    restore_visit_fn *visit;
    void *context;
};

static int visit_row(void *context, const struct db_value *values, size_t count, struct error *err)
{
    struct reading *reading = context;
    struct restore_row row = {0};
    if (row_read(&columns, values, count, &row, err) < 0)
        return -1;
    return reading->visit(reading->context, &row, err);
}

static int read_rows(struct query *query, restore_visit_fn *visit, void *context, struct error *err)
{
    struct reading reading = {visit, context};
    return query_rows(query, visit_row, &reading, err);
}

static int take_row(void *context, const struct restore_row *row, struct error *err)
{
    (void)err;
    copy_row(row, context);
    return 1;
}

int restores_get(struct catalog *catalog, const char *id, struct restore_row *ret_row,
                 struct error *err)
{
    SCOPED(query) struct query query;
    row_select(&columns, columns.count, catalog, &query);
    query_add(&query, " WHERE id = ?");
    query_text(&query, id);
    return read_rows(&query, take_row, ret_row, err);
}

int restores_get_number(struct catalog *catalog, int64_t number, struct restore_row *ret_row,
                        struct error *err)
{
    SCOPED(query) struct query query;
    row_select(&columns, columns.count, catalog, &query);
    query_add(&query, " WHERE number = ?");
    query_integer(&query, number);
    return read_rows(&query, take_row, ret_row, err);
}

int restores_get_undoable(struct catalog *catalog, const char *target, bool or_undone,
                          struct restore_row *ret_row, struct error *err)
{
    SCOPED(query) struct query query;
    row_select(&columns, columns.count, catalog, &query);
    query_add(&query, " WHERE status = 'success' AND safety_kind <> 'none' "
                      "AND safety_ref IS NOT NULL");
    if (!or_undone)
        query_add(&query, " AND undone_at IS NULL");
    query_add_equal(&query, " AND target = ?", target);
    query_add(&query, " ORDER BY created_at DESC, number DESC LIMIT 1");
    return read_rows(&query, take_row, ret_row, err);
}

int restores_list(struct catalog *catalog, const struct restore_filter *filter,
                  restore_visit_fn *visit, void *context, struct error *err)
{
    SCOPED(query) struct query query;
    row_select(&columns, columns.count, catalog, &query);
    query_add(&query, " WHERE 1 = 1");
    query_add_equal(&query, " AND status = ?", filter->status);
    query_add_equal(&query, " AND target = ?", filter->target);
    query_add_equal(&query, " AND backup_id = ?", filter->backup_id);
    query_add(&query, " ORDER BY created_at DESC, number DESC");
    if (filter->limit > 0) {
        query_add(&query, " LIMIT ?");
        query_integer(&query, filter->limit);
    }
    return read_rows(&query, visit, context, err);
}

/* ---- lists whose visitor changes the catalogue: collected first ---- */

struct collection {
    struct os *os;
    bool dead; /* only those whose worker is */
    struct restore_row *rows;
    size_t count, capacity;
};

static int collect(void *context, const struct restore_row *row, struct error *err)
{
    struct collection *collection = context;
    struct restore_row kept = *row;
    SCOPED(string) char *epitaph = NULL;
    (void)err;
    if (collection->dead) {
        epitaph =
            worker_epitaph(collection->os, row->worker_id ? row->worker_id : "", row->heartbeat_ns);
        if (!epitaph)
            return 0;
        kept.error_message = epitaph;
    }
    ARRAY_GROW(collection->rows, collection->count, collection->capacity);
    copy_row(&kept, &collection->rows[collection->count++]);
    return 0;
}

static int visit_collected(struct catalog *catalog, struct query *query, bool dead,
                           restore_visit_fn *visit, void *context, struct error *err)
{
    struct collection collection = {.os = catalog->os, .dead = dead};
    int result = read_rows(query, collect, &collection, err);
    for (size_t i = 0; i < collection.count; i++) {
        if (result == 0)
            result = visit(context, &collection.rows[i], err);
        restore_row_clear(&collection.rows[i]);
    }
    free(collection.rows);
    return result;
}

int restores_each_expired(struct catalog *catalog, int64_t now_ns, restore_visit_fn *visit,
                          void *context, struct error *err)
{
    SCOPED(query) struct query query;
    row_select(&columns, columns.count, catalog, &query);
    query_add(&query, " WHERE undo_until < ?");
    query_time(&query, now_ns);
    query_add(&query, " AND safety_ref IS NOT NULL AND status IN ('success', 'failed') "
                      "ORDER BY created_at, number");
    return visit_collected(catalog, &query, false, visit, context, err);
}

int restores_each_dead(struct catalog *catalog, restore_visit_fn *visit, void *context,
                       struct error *err)
{
    SCOPED(query) struct query query;
    row_select(&columns, columns.count, catalog, &query);
    query_add(&query, " WHERE status = 'running' ORDER BY created_at, number");
    return visit_collected(catalog, &query, true, visit, context, err);
}
