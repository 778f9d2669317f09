#include "service/rebuild.h"

#include "artifact/manifest.h"
#include "artifact/manifest_file.h"
#include "base/error.h"
#include "base/os.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "catalog/destinations.h"
#include "catalog/import.h"
#include "service/service.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

struct pass {
    struct service *service;
    struct store *store;
    char destination_id[27];
    int64_t now_ns;
    void (*note)(void *context, const char *text);
    void *context;
    struct rebuild_report report;
};

static void note_damaged(struct pass *pass, const char *key, const struct error *failure)
{
    pass->report.damaged++;
    SCOPED(string) char *text = mem_format("%s: %s", key, failure->message);
    if (pass->note)
        pass->note(pass->context, text);
}

/* A manifest alone is no backup: the artifact it names must be there with the right size. */
static int check_artifact(struct pass *pass, const struct manifest *manifest, struct error *err)
{
    struct store_entry entry;
    int found = store_stat(pass->store, manifest->file, &entry, err);
    if (found < 0)
        return -1;
    if (!found)
        return error_set(err, ERROR_CORRUPT, "%s is missing", manifest->file);
    if (entry.size != manifest->size_bytes)
        return error_set(err, ERROR_CORRUPT, "%s has %llu bytes instead of %llu", manifest->file,
                         (unsigned long long)entry.size, (unsigned long long)manifest->size_bytes);
    return 0;
}

static int import_one(void *context, const struct store_entry *entry, struct error *err)
{
    struct pass *pass = context;
    SCOPED(string) char *artifact = manifest_file_artifact(entry->key);
    if (!artifact || strchr(artifact, '/'))
        return 0;
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    struct error failure = ERROR_INIT;
    if (manifest_file_read(pass->store, entry->key, entry->size, &manifest, &failure) < 0 ||
        check_artifact(pass, &manifest, &failure) < 0) {
        note_damaged(pass, entry->key, &failure);
        return 0;
    }
    bool added = false;
    if (catalog_import_manifest(pass->service->catalog, &manifest, pass->destination_id,
                                pass->now_ns, &added, err) < 0)
        return error_prefix(err, "%s", entry->key);
    if (added)
        pass->report.added++;
    else
        pass->report.known++;
    return 0;
}

int rebuild_run(struct service *service, const char *from,
                void (*note)(void *context, const char *text), void *context,
                struct rebuild_report *ret_report, struct error *err)
{
    struct pass pass = {.service = service,
                        .note = note,
                        .context = context,
                        .now_ns = service->os->clock_wall_ns(service->os)};
    SCOPED(string) char *name = NULL;
    if (service_store(service, from, false, &pass.store, &name, err) < 0)
        return -1;
    struct destination_row destination = {.name = name, .url = pass.store->url, .is_active = true};
    int result = destinations_upsert(service->catalog, &destination, err);
    memcpy(pass.destination_id, destination.id, sizeof pass.destination_id);
    if (result == 0)
        result = store_list(pass.store, "", import_one, &pass, err);
    store_close(pass.store);
    if (result < 0)
        return -1;
    *ret_report = pass.report;
    return 0;
}
