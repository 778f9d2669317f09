#include "catalog/import.h"

#include "artifact/manifest.h"
#include "artifact/name.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/ulid.h"
#include "catalog/apps.h"
#include "catalog/backup_find.h"
#include "catalog/backup_number.h"
#include "catalog/backup_seals.h"
#include "catalog/backups.h"
#include "catalog/catalog.h"
#include "catalog/query.h"
#include "catalog/row.h"

#include <ctype.h>
#include <string.h>

struct import {
    const struct manifest *manifest;
    const char *destination_id;
    int64_t seen_ns;
    char id[27]; /* of the row: the group's, or the file's own */
    bool added;
};

static const char *text_or(const char *text, const char *other)
{
    return text && text[0] ? text : other;
}

/* A manifest is untrusted: sums of a few of these still fit. */
static int64_t bounded(uint64_t count)
{
    return count > INT64_MAX / 1024 ? INT64_MAX / 1024 : (int64_t)count;
}

/* 1 when this very file is known, at this destination or as the backup's own. */
static int file_is_known(struct catalog *catalog, const struct import *import, struct error *err)
{
    int64_t count = 0;
    SCOPED(query) struct query query;
    query_init(&query, catalog,
               "SELECT count(*) FROM backup_files "
               "WHERE backup_id = ? AND backup_destination_id = ? AND file_path = ?");
    query_text(&query, import->id);
    query_text(&query, import->destination_id);
    query_text(&query, import->manifest->file);
    if (query_read_integer(&query, &count, err) < 0)
        return -1;
    return count ? 1 : 0;
}

void catalog_import_file(const struct manifest *manifest, struct backup_file_row *ret_file)
{
    *ret_file = (struct backup_file_row){
        .file_path = manifest->file,
        .file_name = manifest->file,
        .file_type = text_or(manifest->kind, "sql"),
        .size_bytes = bounded(manifest->plain_bytes),
        .compressed_size_bytes = bounded(manifest->size_bytes),
        .checksum = manifest->checksum,
        .compression_type = manifest->compression,
        .encryption_type = manifest->encryption,
        .is_encrypted = strcmp(text_or(manifest->encryption, "none"), "none") != 0,
    };
}

static int add_file(struct catalog *catalog, const struct import *import, struct error *err)
{
    const struct manifest *manifest = import->manifest;
    SCOPED(string) char *metadata = backup_seals_note(NULL, manifest->seal);
    struct backup_file_row file = BACKUP_FILE_ROW_INIT;
    catalog_import_file(manifest, &file);
    file.metadata = metadata;
    file.upload_completed_ns = manifest->created_ns;
    file.retention_until_ns = manifest->expires_ns;
    memcpy(file.backup_id, import->id, sizeof file.backup_id);
    memcpy(file.destination_id, import->destination_id, sizeof file.destination_id);
    return backup_files_add(catalog, &file, err);
}

static int64_t rows_of(const struct manifest *manifest)
{
    return artifact_kind_counts_rows(manifest->kind) ? bounded(manifest->rows) : -1;
}

static int add_backup(struct catalog *catalog, const struct import *import, struct error *err)
{
    const struct manifest *manifest = import->manifest;
    SCOPED(string) char *reasons = catalog_json_of_list(&manifest->incomplete_reasons);
    SCOPED(string) char *tags = catalog_json_of_list(&manifest->tags);
    struct backup_row row = BACKUP_ROW_INIT;
    const char *target = text_or(manifest->target, manifest->file);
    if (apps_upsert(catalog, text_or(manifest->app, target), row.app_id, err) < 0 ||
        backup_number_choose(catalog, manifest->number, &row.number, err) < 0)
        return -1;
    memcpy(row.id, import->id, sizeof row.id);
    memcpy(row.destination_id, import->destination_id, sizeof row.destination_id);
    row.target = target;
    row.name = row.file_path = manifest->file;
    row.type = manifest->group ? "full" : text_or(manifest->type, "database");
    row.status = "success";
    row.engine = manifest->engine;
    row.format = manifest->kind;
    row.created_ns = row.started_ns = row.finished_ns = manifest->created_ns;
    row.progress_percentage = 100;
    row.size_bytes = bounded(manifest->size_bytes);
    row.source_bytes = bounded(manifest->source_bytes);
    row.rows = rows_of(manifest);
    row.checksum = manifest->checksum[0] ? manifest->checksum : NULL;
    row.compression = manifest->compression;
    row.encryption = manifest->encryption;
    row.verified_level = 0;
    row.verified_ns = import->seen_ns;
    row.retention_days = manifest->retention_days > 0 ? manifest->retention_days : -1;
    row.expires_ns = manifest->expires_ns;
    row.incomplete = manifest->incomplete;
    row.incomplete_reasons = reasons;
    row.tags = tags;
    row.metadata = manifest->metadata;
    return row_insert(catalog, &backup_columns, &row, err);
}

/* A further file of a group: the row's sums grow. */
static int grow_backup(struct catalog *catalog, const struct import *import, struct error *err)
{
    const struct manifest *manifest = import->manifest;
    SCOPED(query) struct query query;
    query_init(&query, catalog,
               "UPDATE backups SET size_bytes = coalesce(size_bytes, 0) + ?, "
               "source_bytes = coalesce(source_bytes, 0) + ?, "
               "rows_backed_up = rows_backed_up + ?");
    query_integer(&query, bounded(manifest->size_bytes));
    query_integer(&query, bounded(manifest->source_bytes));
    query_count(&query, rows_of(manifest));
    if (manifest->incomplete)
        query_add(&query, ", incomplete = 1");
    /* The first file of a restore point is its database's, which has no part in its name. */
    if (!manifest->part) {
        query_add(&query, ", name = ?, file_path = ?, format = ?, engine = ?, checksum = ?");
        query_text(&query, manifest->file);
        query_text(&query, manifest->file);
        query_text(&query, manifest->kind);
        query_text(&query, manifest->engine);
        query_text(&query, manifest->checksum);
    }
    query_add(&query, " WHERE id = ?");
    query_text(&query, import->id);
    return query_run(&query, NULL, err);
}

/* A copy of a file that is known elsewhere adds nothing to the sums. */
static int is_copy(struct catalog *catalog, const struct import *import, struct error *err)
{
    int64_t count = 0;
    SCOPED(query) struct query query;
    query_init(&query, catalog,
               "SELECT count(*) FROM backup_files WHERE backup_id = ? AND file_name = ?");
    query_text(&query, import->id);
    query_text(&query, import->manifest->file);
    if (query_read_integer(&query, &count, err) < 0)
        return -1;
    return count ? 1 : 0;
}

static int import_body(struct catalog *catalog, void *context, struct error *err)
{
    struct import *import = context;
    SCOPED(backup_row) struct backup_row row = BACKUP_ROW_INIT;
    import->added = false;
    int known = file_is_known(catalog, import, err);
    if (known)
        return known < 0 ? -1 : 0;
    int exists = backups_get(catalog, import->id, &row, err);
    int copy = exists == 1 ? is_copy(catalog, import, err) : 0;
    if (exists < 0 || copy < 0)
        return -1;
    if (!exists && add_backup(catalog, import, err) < 0)
        return -1;
    if (exists && !copy && grow_backup(catalog, import, err) < 0)
        return -1;
    import->added = true;
    return add_file(catalog, import, err);
}

int catalog_import_manifest(struct catalog *catalog, const struct manifest *manifest,
                            const char *destination_id, int64_t seen_ns, bool *ret_added,
                            struct error *err)
{
    struct import import = {manifest, destination_id, seen_ns, "", false};
    const char *id = manifest->group ? manifest->group : manifest->id;
    if (!id || !ulid_valid(id) || !manifest->file || !manifest->file[0])
        return error_set(err, ERROR_CORRUPT, "manifest of %s: no id or no file name",
                         manifest->file ? manifest->file : "a backup");
    for (size_t i = 0; i < sizeof import.id; i++)
        import.id[i] = (char)toupper((unsigned char)id[i]);
    if (catalog_transaction(catalog, import_body, &import, err) < 0)
        return error_prefix(err, "catalogue: import %s", manifest->file);
    *ret_added = import.added;
    return 0;
}
