#include "service/removal.h"

#include "artifact/artifact.h"
#include "base/error.h"
#include "catalog/backups.h"
#include "catalog/catalog.h"
#include "service/service.h"
#include "store/store.h"

#include <stdlib.h>

static int remove_file(struct store *store, const char *file, uint64_t *bytes, struct error *err)
{
    struct store_entry entry;
    int found = store_stat(store, file, &entry, err);
    if (found < 0)
        return -1;
    if (found)
        *bytes += entry.size;
    return artifact_remove(store, file, err);
}

struct files {
    struct service *service;
    const struct backup_row *row;
    uint64_t bytes;
};

/* A copy elsewhere is removed with its backup; one that cannot be reached keeps the row, so that
 * nothing is forgotten. */
static int remove_listed(void *context, const struct backup_file_row *file, struct error *err)
{
    struct files *files = context;
    SCOPED(store) struct store *store = NULL;
    const char *where = file->destination_id[0] ? file->destination : files->row->destination;
    if (service_store_known(files->service, where, &store, err) < 0)
        return -1;
    if (remove_file(store, file->file_path, &files->bytes, err) < 0)
        return -1;
    return store_sync(store, err);
}

static int remove_files(struct service *service, const struct backup_row *row, uint64_t *bytes,
                        struct error *err)
{
    struct files files = {.service = service, .row = row};
    int result = backup_files_list(service->catalog, row->id, remove_listed, &files, err);
    *bytes += files.bytes;
    return result;
}

int removal_run(struct service *service, const struct backup_row *row, uint64_t *ret_bytes,
                struct error *err)
{
    uint64_t bytes = 0;
    if (backups_set_deleting(service->catalog, row->id, err) < 0)
        return -1;
    if (remove_files(service, row, &bytes, err) < 0)
        return error_prefix(err, "delete backup %lld", (long long)row->number);
    if (backups_remove(service->catalog, row->id, err) < 0)
        return -1;
    if (ret_bytes)
        *ret_bytes = bytes;
    return 0;
}
