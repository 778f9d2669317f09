#include "catalog/backups.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/ulid.h"
#include "catalog/catalog.h"
#include "catalog/query.h"
#include "catalog/row.h"
#include "catalog/state.h"

#include <stdlib.h>
#include <string.h>

#define FIELD(name) offsetof(struct backup_row, name)
static const struct column items[] = {
    {"id", COLUMN_ID, FIELD(id), COLUMN_ONCE},
    {"number", COLUMN_INTEGER, FIELD(number), COLUMN_ONCE},
    {"app_id", COLUMN_ID, FIELD(app_id), COLUMN_ONCE},
    {"backup_destination_id", COLUMN_ID, FIELD(destination_id), COLUMN_ONCE},
    {"target", COLUMN_TEXT, FIELD(target), COLUMN_ONCE},
    {"name", COLUMN_TEXT, FIELD(name), COLUMN_RESULT},
    {"type", COLUMN_TEXT, FIELD(type), COLUMN_ONCE},
    {"\"trigger\"", COLUMN_TEXT, FIELD(trigger), COLUMN_ONCE},
    {"status", COLUMN_TEXT, FIELD(status), 0},
    {"progress_percentage", COLUMN_INTEGER, FIELD(progress_percentage), 0},
    {"size_bytes", COLUMN_INTEGER, FIELD(size_bytes), COLUMN_RESULT},
    {"file_path", COLUMN_TEXT, FIELD(file_path), COLUMN_RESULT},
    {"verified_level", COLUMN_INTEGER, FIELD(verified_level), COLUMN_RESULT},
    {"verified_at", COLUMN_TIME, FIELD(verified_ns), COLUMN_RESULT},
    {"expires_at", COLUMN_TIME, FIELD(expires_ns), COLUMN_RESULT},
    {"incomplete", COLUMN_BOOL, FIELD(incomplete), COLUMN_RESULT},
    {"error_message", COLUMN_TEXT, FIELD(error_message), 0},
    {"created_at", COLUMN_TIME, FIELD(created_ns), COLUMN_ONCE},
    /* Lists end here. */
    {"connection_id", COLUMN_ID, FIELD(connection_id), COLUMN_RESULT},
    {"schedule_id", COLUMN_ID, FIELD(schedule_id), COLUMN_ONCE},
    {"engine", COLUMN_TEXT, FIELD(engine), COLUMN_RESULT},
    {"format", COLUMN_TEXT, FIELD(format), COLUMN_RESULT},
    {"started_at", COLUMN_TIME, FIELD(started_ns), 0},
    {"finished_at", COLUMN_TIME, FIELD(finished_ns), COLUMN_RESULT},
    {"duration_ms", COLUMN_INTEGER, FIELD(duration_ms), COLUMN_RESULT},
    {"source_bytes", COLUMN_INTEGER, FIELD(source_bytes), COLUMN_RESULT},
    {"rows_backed_up", COLUMN_INTEGER, FIELD(rows), COLUMN_RESULT},
    {"checksum", COLUMN_TEXT, FIELD(checksum), COLUMN_RESULT},
    {"compression", COLUMN_TEXT, FIELD(compression), COLUMN_RESULT},
    {"encryption", COLUMN_TEXT, FIELD(encryption), COLUMN_RESULT},
    {"encryption_key_id", COLUMN_TEXT, FIELD(encryption_key_id), COLUMN_RESULT},
    {"retention_days", COLUMN_INTEGER, FIELD(retention_days), COLUMN_RESULT},
    {"tables_included", COLUMN_JSON, FIELD(tables_included), COLUMN_RESULT},
    {"files_included", COLUMN_JSON, FIELD(files_included), COLUMN_RESULT},
    {"tags", COLUMN_JSON, FIELD(tags), COLUMN_RESULT},
    {"metadata", COLUMN_JSON, FIELD(metadata), COLUMN_RESULT},
    {"incomplete_reasons", COLUMN_JSON, FIELD(incomplete_reasons), COLUMN_RESULT},
    {"initiated_by", COLUMN_TEXT, FIELD(initiated_by), COLUMN_ONCE},
    {"worker_id", COLUMN_TEXT, FIELD(worker_id), 0},
    {"heartbeat_at", COLUMN_TIME, FIELD(heartbeat_ns), 0},
    {"priority", COLUMN_INTEGER, FIELD(priority), COLUMN_ONCE},
    {"retry_count", COLUMN_INTEGER, FIELD(retry_count), 0},
    {"max_retries", COLUMN_INTEGER, FIELD(max_retries), COLUMN_ONCE},
    {"scheduled_at", COLUMN_TIME, FIELD(scheduled_ns), COLUMN_ONCE},
    {"notes", COLUMN_TEXT, FIELD(notes), COLUMN_ONCE},
};
#undef FIELD

const struct columns backup_columns = {"backups", items, ARRAY_SIZE(items)};
const size_t backup_list_columns = 18;

void backup_row_clear(struct backup_row *row)
{
    free(row->memory[0]);
    free(row->memory[1]);
    *row = (struct backup_row)BACKUP_ROW_INIT;
}

/* ---- a new row ---- */

static int insert_body(struct catalog *catalog, void *context, struct error *err)
{
    struct backup_row *row = context;
    if (catalog_next_number(catalog, "backups", &row->number, err) < 0)
        return -1;
    return row_insert(catalog, &backup_columns, row, err);
}

int backups_insert(struct catalog *catalog, struct backup_row *row, struct error *err)
{
    struct backup_row inserted = *row;
    struct ulid id;
    if (!row->id[0]) {
        if (ulid_make(catalog->os, &id, err) < 0)
            return -1;
        memcpy(inserted.id, id.text, sizeof inserted.id);
    }
    inserted.status = "pending";
    if (inserted.created_ns == 0)
        inserted.created_ns = catalog_now(catalog);
    if (inserted.worker_id && inserted.heartbeat_ns == 0)
        inserted.heartbeat_ns = inserted.created_ns;
    if (catalog_transaction(catalog, insert_body, &inserted, err) < 0)
        return error_prefix(err, "catalogue: new backup of %s", row->target);
    *row = inserted;
    return 0;
}

/* ---- changes of state ---- */

/* Run an UPDATE of one row in a certain state; none was there: say what is. */
static int change_one(struct catalog *catalog, struct query *query, const char *id,
                      const char *wanted, struct error *err)
{
    int64_t changes = 0;
    if (query_run(query, &changes, err) < 0)
        return -1;
    if (changes)
        return 0;
    SCOPED(string) char *status = NULL;
    const struct db_value key = db_text(id);
    int found = db_query_text(catalog->db, "SELECT status FROM backups WHERE id = ?", &key, 1,
                              &status, err);
    if (found < 0)
        return -1;
    if (!found)
        return error_set(err, ERROR_NOT_FOUND, "backup %s is not in the catalogue any more", id);
    return error_set(err, ERROR_FAILED, "backup %s is %s in the catalogue, not %s", id, status,
                     wanted);
}

int backups_start(struct catalog *catalog, const char *id, const char *worker_id, struct error *err)
{
    int64_t now_ns = catalog_now(catalog);
    SCOPED(query) struct query query;
    query_init(&query, catalog, "UPDATE backups SET status = 'running', worker_id = ?");
    query_text(&query, worker_id);
    query_add(&query, ", started_at = ?, heartbeat_at = ?, progress_percentage = 0");
    query_time(&query, now_ns);
    query_time(&query, now_ns);
    query_add(&query, " WHERE id = ? AND status = 'pending'");
    query_text(&query, id);
    return change_one(catalog, &query, id, "pending", err);
}

int backups_progress(struct catalog *catalog, const char *id, int64_t percentage, struct error *err)
{
    SCOPED(query) struct query query;
    query_init(&query, catalog, "UPDATE backups SET heartbeat_at = ?");
    query_time(&query, catalog_now(catalog));
    if (percentage >= 0) {
        query_add(&query, ", progress_percentage = ?");
        query_integer(&query, percentage > 100 ? 100 : percentage);
    }
    query_add(&query, " WHERE id = ? AND status = 'running'");
    query_text(&query, id);
    return query_run(&query, NULL, err);
}

struct finish {
    struct backup_row *row;
    const struct backup_file_row *files;
    size_t file_count;
};

static int finish_body(struct catalog *catalog, void *context, struct error *err)
{
    struct finish *finish = context;
    const struct backup_row *row = finish->row;
    SCOPED(query) struct query query;
    query_init(
        &query, catalog,
        "UPDATE backups SET status = 'success', progress_percentage = 100, error_message = NULL");
    for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
        if (!(items[i].flags & COLUMN_RESULT))
            continue;
        query_add(&query, ", ");
        query_add(&query, items[i].name);
        query_add(&query, " = ?");
        row_parameter(&items[i], row, &query);
    }
    query_add(&query, " WHERE id = ? AND status = 'running'");
    query_text(&query, row->id);
    if (change_one(catalog, &query, row->id, "running", err) < 0)
        return -1;
    for (size_t i = 0; i < finish->file_count; i++) {
        struct backup_file_row file = finish->files[i];
        memcpy(file.backup_id, row->id, sizeof file.backup_id);
        if (!file.destination_id[0])
            memcpy(file.destination_id, row->destination_id, sizeof file.destination_id);
        if (backup_files_add(catalog, &file, err) < 0)
            return -1;
    }
    return 0;
}

int backups_finish(struct catalog *catalog, struct backup_row *row,
                   const struct backup_file_row *files, size_t file_count, struct error *err)
{
    struct finish finish = {row, files, file_count};
    if (row->finished_ns == 0)
        row->finished_ns = catalog_now(catalog);
    if (row->duration_ms < 0 && row->started_ns && row->finished_ns > row->started_ns)
        row->duration_ms = (row->finished_ns - row->started_ns) / 1000000;
    if (catalog_transaction(catalog, finish_body, &finish, err) < 0)
        return error_prefix(err, "catalogue: finish backup %lld", (long long)row->number);
    row->status = "success";
    return 0;
}

int backups_fail(struct catalog *catalog, const char *id, const char *message, struct error *err)
{
    SCOPED(query) struct query query;
    query_init(&query, catalog,
               "UPDATE backups SET status = 'failed', error_message = ?, finished_at = ? "
               "WHERE id = ? AND status IN ('pending', 'running')");
    query_text(&query, message);
    query_time(&query, catalog_now(catalog));
    query_text(&query, id);
    return query_run(&query, NULL, err);
}

int backups_set_deleting(struct catalog *catalog, const char *id, struct error *err)
{
    SCOPED(query) struct query query;
    query_init(&query, catalog,
               "UPDATE backups SET status = 'deleting' "
               "WHERE id = ? AND status IN ('success', 'failed', 'deleting')");
    query_text(&query, id);
    return change_one(catalog, &query, id, "finished", err);
}

int backups_remove(struct catalog *catalog, const char *id, struct error *err)
{
    SCOPED(query) struct query query;
    query_init(&query, catalog, "DELETE FROM backups WHERE id = ?");
    query_text(&query, id);
    return query_run(&query, NULL, err);
}

int backups_set_verified(struct catalog *catalog, const char *id, int level, int64_t moment_ns,
                         struct error *err)
{
    SCOPED(query) struct query query;
    query_init(&query, catalog, "UPDATE backups SET verified_level = ?, verified_at = ?");
    query_integer(&query, level);
    query_time(&query, moment_ns);
    query_add(&query, " WHERE id = ? AND (verified_level IS NULL OR verified_level <= ?)");
    query_text(&query, id);
    query_integer(&query, level);
    return query_run(&query, NULL, err);
}

int backups_set_damaged(struct catalog *catalog, const char *id, int level, int64_t moment_ns,
                        struct error *err)
{
    SCOPED(query) struct query query;
    query_init(&query, catalog, "UPDATE backups SET verified_level = ?, verified_at = ?");
    query_count(&query, level);
    query_time(&query, level < 0 ? 0 : moment_ns);
    query_add(&query, " WHERE id = ?");
    query_text(&query, id);
    return query_run(&query, NULL, err);
}

int backups_set_expiry(struct catalog *catalog, const char *id, int64_t retention_days,
                       int64_t expires_ns, struct error *err)
{
    SCOPED(query) struct query query;
    query_init(&query, catalog, "UPDATE backups SET retention_days = ?, expires_at = ?");
    query_count(&query, retention_days);
    query_time(&query, expires_ns);
    query_add(&query, " WHERE id = ?");
    query_text(&query, id);
    return query_run(&query, NULL, err);
}
