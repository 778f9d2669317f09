/*
 * The files of backups, and their copies at further destinations.
 */
#include "base/error.h"
#include "base/mem.h"
#include "base/ulid.h"
#include "catalog/backups.h"
#include "catalog/catalog.h"
#include "catalog/named.h"
#include "catalog/query.h"
#include "catalog/row.h"
#include "catalog/state.h"

#include <string.h>

#define FIELD(name) offsetof(struct backup_file_row, name)
static const struct column items[] = {
    {"id", COLUMN_ID, FIELD(id), 0},
    {"backup_id", COLUMN_ID, FIELD(backup_id), 0},
    {"backup_destination_id", COLUMN_ID, FIELD(destination_id), 0},
    {"file_path", COLUMN_TEXT, FIELD(file_path), 0},
    {"file_name", COLUMN_TEXT, FIELD(file_name), 0},
    {"file_type", COLUMN_TEXT, FIELD(file_type), 0},
    {"size_bytes", COLUMN_INTEGER, FIELD(size_bytes), 0},
    {"compressed_size_bytes", COLUMN_INTEGER, FIELD(compressed_size_bytes), 0},
    {"checksum", COLUMN_TEXT, FIELD(checksum), 0},
    {"compression_type", COLUMN_TEXT, FIELD(compression_type), 0},
    {"encryption_type", COLUMN_TEXT, FIELD(encryption_type), 0},
    {"is_encrypted", COLUMN_BOOL, FIELD(is_encrypted), 0},
    {"metadata", COLUMN_JSON, FIELD(metadata), 0},
    {"upload_started_at", COLUMN_TIME, FIELD(upload_started_ns), 0},
    {"upload_completed_at", COLUMN_TIME, FIELD(upload_completed_ns), 0},
    {"retention_until", COLUMN_TIME, FIELD(retention_until_ns), 0},
    {"created_at", COLUMN_TIME, FIELD(created_ns), 0},
};
#undef FIELD

static const struct columns columns = {"backup_files", items, ARRAY_SIZE(items)};

static int replace_body(struct catalog *catalog, void *context, struct error *err)
{
    const struct backup_file_row *file = context;
    SCOPED(query) struct query query;
    query_init(&query, catalog,
               "DELETE FROM backup_files "
               "WHERE backup_id = ? AND backup_destination_id = ? AND file_path = ?");
    query_text(&query, file->backup_id);
    query_text(&query, file->destination_id);
    query_text(&query, file->file_path);
    if (query_run(&query, NULL, err) < 0)
        return -1;
    return row_insert(catalog, &columns, file, err);
}

int backup_files_add(struct catalog *catalog, const struct backup_file_row *file, struct error *err)
{
    struct backup_file_row row = *file;
    struct ulid id;
    if (!row.id[0]) {
        if (ulid_make(catalog->os, &id, err) < 0)
            return -1;
        memcpy(row.id, id.text, sizeof row.id);
    }
    if (row.created_ns == 0)
        row.created_ns = catalog_now(catalog);
    return catalog_transaction(catalog, replace_body, &row, err);
}

struct listing {
    struct names *destinations;
    backup_file_visit_fn *visit;
    void *context;
};

static int visit_row(void *context, const struct db_value *values, size_t count, struct error *err)
{
    struct listing *listing = context;
    struct backup_file_row file = BACKUP_FILE_ROW_INIT;
    if (row_read(&columns, values, count, &file, err) < 0)
        return -1;
    file.destination = names_get(listing->destinations, file.destination_id);
    return listing->visit(listing->context, &file, err);
}

int backup_files_list(struct catalog *catalog, const char *backup_id, backup_file_visit_fn *visit,
                      void *context, struct error *err)
{
    SCOPED(names) struct names *destinations = NULL;
    if (names_load(catalog, "backup_destinations", &destinations, err) < 0)
        return -1;
    struct listing listing = {destinations, visit, context};
    SCOPED(query) struct query query;
    row_select(&columns, columns.count, catalog, &query);
    query_add(&query, " WHERE backup_id = ? ORDER BY created_at, id");
    query_text(&query, backup_id);
    return query_rows(&query, visit_row, &listing, err);
}
