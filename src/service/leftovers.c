#include "service/leftovers.h"

#include "artifact/manifest.h"
#include "artifact/manifest_file.h"
#include "artifact/name.h"
#include "base/error.h"
#include "base/mem.h"
#include "catalog/backup_find.h"
#include "catalog/backups.h"
#include "catalog/catalog.h"
#include "service/service.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

struct found {
    char *key;
    uint64_t bytes;
};

struct found_list {
    struct found *items;
    size_t count;
    size_t capacity;
};

static void found_list_clear(struct found_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].key);
    free(list->items);
    *list = (struct found_list){0};
}

static int collect(void *context, const struct store_entry *entry, struct error *err)
{
    (void)err;
    struct found_list *list = context;
    ARRAY_GROW(list->items, list->count, list->capacity);
    list->items[list->count++] =
        (struct found){.key = mem_string(entry->key), .bytes = entry->size};
    return 0;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct found *)a)->key, ((const struct found *)b)->key);
}

/* In a list that was sorted. */
static bool has_key(const struct found_list *list, char *key)
{
    struct found wanted = {.key = key};
    return bsearch(&wanted, list->items, list->count, sizeof wanted, compare_keys) != NULL;
}

static void tell(const struct cleanup_request *request, enum cleanup_action action,
                 const struct found *found, const char *reason)
{
    struct cleanup_item item = {
        .action = action, .name = found->key, .bytes = found->bytes, .reason = reason};
    if (request->item)
        request->item(request->context, &item);
}

static int remove_found(struct store *store, const struct found *found, const char *reason,
                        const struct cleanup_request *request, struct cleanup_report *report,
                        struct error *err)
{
    if (!request->dry_run && store_remove(store, found->key, err) < 0)
        return -1;
    report->leftovers++;
    report->bytes += found->bytes;
    tell(request, CLEANUP_LEFTOVER, found, reason);
    return 0;
}

/* False when it cannot be read as one: then nothing is known about it. */
static bool read_manifest(struct store *store, const struct found *found,
                          struct manifest *ret_manifest)
{
    struct error ignored = ERROR_INIT;
    return manifest_file_read(store, found->key, found->bytes, ret_manifest, &ignored) == 0;
}

/* A backup that the catalogue knows and that never succeeded: 1 yes, 0 no or not known, -1. */
static int never_succeeded(struct service *service, const char *id, struct error *err)
{
    SCOPED(backup_row) struct backup_row row = BACKUP_ROW_INIT;
    int found = id ? backups_get(service->catalog, id, &row, err) : 0;
    if (found <= 0)
        return found;
    return strcmp(row.status, "failed") == 0 || strcmp(row.status, "deleting") == 0;
}

/* A temporary manifest names the artifact that was renamed just before the run died: it has no
 * manifest, and goes too. */
static int remove_half_published(struct service *service, struct store *store,
                                 const struct found *temporary,
                                 const struct cleanup_request *request,
                                 struct cleanup_report *report, struct error *err)
{
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    if (!read_manifest(store, temporary, &manifest))
        return 0;
    int failed = never_succeeded(service, manifest.id, err);
    if (failed <= 0)
        return failed;
    struct store_entry entry;
    SCOPED(string) char *beside = manifest_file_key(manifest.file);
    int found = store_stat(store, beside, &entry, err);
    if (found != 0)
        return found < 0 ? -1 : 0;
    found = store_stat(store, manifest.file, &entry, err);
    if (found <= 0 || entry.size != manifest.size_bytes)
        return found < 0 ? -1 : 0;
    struct found artifact = {.key = manifest.file, .bytes = entry.size};
    return remove_found(store, &artifact, "published by a run that died before its manifest was",
                        request, report, err);
}

static int remove_unfinished(struct service *service, struct store *store,
                             const struct cleanup_request *request, struct cleanup_report *report,
                             struct error *err)
{
    struct found_list list = {0};
    int result = store_list_unfinished(store, collect, &list, err);
    for (size_t i = 0; result == 0 && i < list.count; i++) {
        result = remove_half_published(service, store, &list.items[i], request, report, err);
        if (result == 0)
            result = remove_found(store, &list.items[i], "unfinished upload of a run that died",
                                  request, report, err);
    }
    found_list_clear(&list);
    return result;
}

/* A manifest whose backup never succeeded takes its artifact along; manifest first, as in any
 * deletion. */
static int look_at_manifest(struct service *service, struct store *store, const struct found *found,
                            const struct cleanup_request *request, struct cleanup_report *report,
                            struct error *err)
{
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    if (!read_manifest(store, found, &manifest))
        return 0;
    int failed = never_succeeded(service, manifest.id, err);
    if (failed <= 0)
        return failed;
    if (remove_found(store, found, "manifest of a backup that failed", request, report, err) < 0)
        return -1;
    struct store_entry entry;
    int there = store_stat(store, manifest.file, &entry, err);
    if (there <= 0)
        return there;
    struct found artifact = {.key = manifest.file, .bytes = entry.size};
    return remove_found(store, &artifact, "file of a backup that failed", request, report, err);
}

static int look_at_files(struct service *service, struct store *store,
                         const struct cleanup_request *request, struct cleanup_report *report,
                         struct error *err)
{
    struct found_list list = {0};
    int result = store_list(store, "", collect, &list, err);
    if (list.count)
        qsort(list.items, list.count, sizeof *list.items, compare_keys);
    for (size_t i = 0; result == 0 && i < list.count; i++) {
        const struct found *found = &list.items[i];
        if (strchr(found->key, '/'))
            continue;
        SCOPED(string) char *manifest = manifest_file_key(found->key);
        SCOPED(string) char *artifact = manifest_file_artifact(found->key);
        if (artifact)
            result = look_at_manifest(service, store, found, request, report, err);
        else if (artifact_name_kind(found->key) && !has_key(&list, manifest))
            tell(request, CLEANUP_ORPHAN, found,
                 "it has no manifest: kedge verify writes one, kedge never removes it");
    }
    found_list_clear(&list);
    return result;
}

int leftovers_run(struct service *service, struct store *store,
                  const struct cleanup_request *request, struct cleanup_report *report,
                  struct error *err)
{
    if (remove_unfinished(service, store, request, report, err) < 0)
        return -1;
    return look_at_files(service, store, request, report, err);
}
