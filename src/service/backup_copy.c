#include "service/backup_copy.h"

#include "artifact/manifest.h"
#include "artifact/manifest_file.h"
#include "base/error.h"
#include "base/stop.h"
#include "base/mem.h"
#include "catalog/backups.h"
#include "catalog/catalog.h"
#include "catalog/destinations.h"
#include "catalog/import.h"
#include "crypto/sha256.h"
#include "service/service.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 20 };

static int copy_bytes(struct store *from, const char *file, struct upload *upload,
                      char ret_sum[static 65], struct error *err)
{
    SCOPED(memory) void *piece = mem_alloc(PIECE, 1);
    SCOPED(sha256) struct sha256 *hash = sha256_new();
    int result = 0;
    for (uint64_t offset = 0;;) {
        size_t size = 0;
        result = store_read(from, file, offset, piece, PIECE, &size, err);
        if (result == 0 && size)
            result = upload_write(upload, piece, size, err);
        if (result == 0)
            result = stop_check(err);
        if (result < 0 || size == 0)
            break;
        sha256_update(hash, piece, size);
        offset += size;
    }
    sha256_finish_text(hash, ret_sum);
    return result < 0 ? -1 : upload_finish(upload, err);
}

/* Artifact and manifest under the names they have. A name that is taken is the same backup, or
 * nothing we may touch. */
static int copy_files(const struct manifest *manifest, struct store *from, struct store *to,
                      struct error *err)
{
    SCOPED(upload) struct upload *artifact = NULL;
    SCOPED(upload) struct upload *beside = NULL;
    char sum[65];
    if (store_put(to, &artifact, err) < 0 ||
        copy_bytes(from, manifest->file, artifact, sum, err) < 0)
        return -1;
    if (strcmp(sum, manifest->checksum) != 0)
        return error_set(err, ERROR_CORRUPT, "%s changed while it was copied", manifest->file);
    SCOPED(buf) struct buf json = BUF_INIT;
    if (manifest_format(manifest, &json, err) < 0 || store_put(to, &beside, err) < 0 ||
        upload_write(beside, json.data, json.length, err) < 0 || upload_finish(beside, err) < 0)
        return -1;
    SCOPED(string) char *name = manifest_file_key(manifest->file);
    int published = upload_publish(artifact, manifest->file, err);
    if (published > 0)
        published = upload_publish(beside, name, err);
    if (published == 0)
        return error_set(err, ERROR_EXISTS, "%s is there already", manifest->file);
    return published < 0 ? -1 : store_sync(to, err);
}

static int record(struct service *service, const char *backup_id, const struct manifest *manifest,
                  const char *name, const char *url, struct error *err)
{
    struct destination_row destination = {.name = name, .url = url, .is_active = true};
    if (destinations_upsert(service->catalog, &destination, err) < 0)
        return -1;
    struct backup_file_row file = BACKUP_FILE_ROW_INIT;
    catalog_import_file(manifest, &file);
    memcpy(file.backup_id, backup_id, sizeof file.backup_id);
    memcpy(file.destination_id, destination.id, sizeof file.destination_id);
    return backup_files_add(service->catalog, &file, err);
}

int backup_copy(struct service *service, const char *backup_id, const struct manifest *manifest,
                struct store *from, const char *destination, char **ret_location, struct error *err)
{
    struct store *to = NULL;
    SCOPED(string) char *name = NULL;
    if (service_store(service, destination, true, &to, &name, err) < 0)
        return -1;
    int result = copy_files(manifest, from, to, err);
    if (result == 0)
        result = record(service, backup_id, manifest, name, to->url, err);
    if (result == 0)
        *ret_location = store_location(to, manifest->file);
    store_close(to);
    return result;
}
