#include "service/backup_record.h"

#include "artifact/manifest.h"
#include "artifact/name.h"
#include "base/error.h"
#include "base/log.h"
#include "base/moment.h"
#include "base/text.h"
#include "catalog/apps.h"
#include "catalog/backup_find.h"
#include "catalog/backup_seals.h"
#include "catalog/catalog.h"
#include "catalog/connections.h"
#include "catalog/destinations.h"
#include "catalog/import.h"
#include "catalog/worker.h"
#include "service/service.h"
#include "service/target.h"

#include <stdlib.h>
#include <string.h>

void backup_record_clear(struct backup_record *record)
{
    backup_row_clear(&record->row);
}

static int upsert_destination(struct service *service, const char *name, const char *url,
                              char ret_id[static 27], struct error *err)
{
    struct destination_row row = {.name = name, .url = url, .is_active = true};
    if (destinations_upsert(service->catalog, &row, err) < 0)
        return -1;
    memcpy(ret_id, row.id, sizeof row.id);
    return 0;
}

int backup_record_begin(struct service *service, const struct target *target,
                        const char *destination, const char *destination_url, const char *type,
                        const char *trigger, const char *notes, int64_t retention_days,
                        struct backup_record *record, struct error *err)
{
    struct catalog *catalog = service->catalog;
    SCOPED(string) char *worker = worker_self(service->os);
    struct backup_row row = BACKUP_ROW_INIT;
    row.target = target->name;
    row.type = type;
    row.trigger = trigger ? trigger : "manual";
    row.notes = notes;
    row.worker_id = worker;
    row.retention_days = retention_days > 0 ? retention_days : -1;
    if (apps_upsert(catalog, target->app ? target->app : target->name, row.app_id, err) < 0)
        return -1;
    if (upsert_destination(service, destination, destination_url, row.destination_id, err) < 0)
        return -1;
    if (target->has_database && connections_upsert(catalog, target->name, row.app_id, &target->url,
                                                   row.connection_id, err) < 0)
        return -1;
    if (backups_insert(catalog, &row, err) < 0 || backups_start(catalog, row.id, worker, err) < 0)
        return -1;
    /* What was only borrowed for the insert must not outlive this function. */
    row.target = NULL;
    row.notes = NULL;
    row.worker_id = NULL;
    record->row = row;
    return 0;
}

static void sum_up(const struct manifest *parts, int part_count, struct backup_row *row)
{
    bool uncounted = false;
    row->size_bytes = 0;
    row->source_bytes = 0;
    row->rows = 0;
    for (int i = 0; i < part_count; i++) {
        row->size_bytes += (int64_t)parts[i].size_bytes;
        row->source_bytes += (int64_t)parts[i].source_bytes;
        row->rows += (int64_t)parts[i].rows;
        uncounted |= !artifact_kind_counts_rows(parts[i].kind);
    }
    if (uncounted)
        row->rows = -1;
}

/* What the row says of all parts, the first one says. */
static void describe(const struct manifest *first, struct backup_row *row)
{
    row->name = first->file;
    row->engine = first->engine;
    row->format = first->kind;
    row->started_ns = first->created_ns;
    row->file_path = first->file;
    row->checksum = first->checksum;
    row->compression = first->compression;
    row->encryption = first->encryption;
    row->expires_ns = first->expires_ns;
    row->metadata = first->metadata;
}

int backup_record_finish(struct service *service, struct backup_record *record,
                         const struct manifest *parts, int part_count,
                         const struct text_list *reasons, struct error *err)
{
    struct backup_row *row = &record->row;
    const struct manifest *first = &parts[0];
    SCOPED(string) char *incomplete = catalog_json_of_list(reasons);
    SCOPED(string) char *tags = catalog_json_of_list(&first->tags);
    SCOPED(text_list) struct text_list metadata = TEXT_LIST_INIT;
    struct backup_file_row files[2];
    for (int i = 0; i < part_count; i++) {
        text_list_give(&metadata, backup_seals_note(parts[i].metadata, parts[i].seal));
        catalog_import_file(&parts[i], &files[i]);
        files[i].metadata = metadata.items[i];
        files[i].upload_started_ns = parts[i].created_ns;
        files[i].retention_until_ns = parts[i].expires_ns;
    }
    describe(first, row);
    sum_up(parts, part_count, row);
    row->progress_percentage = 100;
    /* Publishing read every stored byte back and compared its sum. */
    row->verified_level = 1;
    row->verified_ns = catalog_now(service->catalog);
    row->tags = tags;
    row->incomplete = reasons->count > 0;
    row->incomplete_reasons = incomplete;
    int result = backups_finish(service->catalog, row, files, (size_t)part_count, err);
    row->tags = NULL;
    row->incomplete_reasons = NULL;
    return result;
}

static int say_failed(struct catalog *catalog, const char *id, const char *message,
                      struct error *err)
{
    SCOPED(backup_row) struct backup_row row = BACKUP_ROW_INIT;
    if (backups_fail(catalog, id, message, err) < 0)
        return -1;
    int found = backups_get(catalog, id, &row, err);
    if (found <= 0 || strcmp(row.status, "failed") == 0)
        return found < 0 ? -1 : 0;
    /* The commit that reported an error was written after all: nobody was told of this backup, so
     * it goes. */
    if (backups_set_deleting(catalog, id, err) < 0)
        return -1;
    return backups_remove(catalog, id, err);
}

int backup_record_fail(struct service *service, const struct backup_record *record,
                       const struct error *failure)
{
    struct error err = ERROR_INIT;
    if (say_failed(service->catalog, record->row.id, failure->message, &err) == 0)
        return 0;
    log_debug("backup %lld could not be marked as failed: %s", (long long)record->row.number,
              err.message);
    return -1;
}
