#include "artifact/publish.h"

#include "artifact/manifest.h"
#include "artifact/manifest_file.h"
#include "artifact/name.h"
#include "artifact/output.h"
#include "base/error.h"
#include "base/mem.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#define CLASHES_MAXIMUM 9999

/* 1 when neither the artifact nor its manifest is there, 0 when the name is taken. */
static int is_free(struct store *store, const char *file, struct error *err)
{
    SCOPED(string) char *manifest_key = manifest_file_key(file);
    struct store_entry entry;
    int there = store_stat(store, file, &entry, err);
    if (there == 0)
        there = store_stat(store, manifest_key, &entry, err);
    return there < 0 ? -1 : !there;
}

/* The manifest, stored under a temporary name. */
static int put_manifest(struct store *store, const struct buf *json, struct upload **ret_upload,
                        struct error *err)
{
    SCOPED(upload) struct upload *upload = NULL;
    if (store_put(store, &upload, err) < 0 ||
        upload_write(upload, json->data, json->length, err) < 0 || upload_finish(upload, err) < 0)
        return error_prefix(err, "manifest");
    *ret_upload = STEAL(upload);
    return 0;
}

/* The store must give back the manifest as it was written. */
static int check_manifest(struct store *store, const char *key, const struct buf *json,
                          struct error *err)
{
    SCOPED(string) char *back = mem_alloc(json->length + 1, 1);
    size_t size = 0;
    if (store_uncache(store, key, err) < 0 ||
        store_read(store, key, 0, back, json->length + 1, &size, err) < 0)
        return -1;
    if (size != json->length || memcmp(back, json->data, size) != 0)
        return error_set(err, ERROR_CORRUPT, "manifest %s is not stored as it was written", key);
    return 0;
}

static int check_size(struct store *store, const char *file, uint64_t size, struct error *err)
{
    struct store_entry entry;
    int there = store_stat(store, file, &entry, err);
    if (there < 0)
        return -1;
    if (!there || entry.size != size)
        return error_set(err, ERROR_CORRUPT, "%s is not stored with the size that was written",
                         file);
    return 0;
}

/* The artifact has its name; now its manifest. */
static int add_manifest(struct store *store, struct output *output, struct upload *manifest_upload,
                        struct manifest *manifest, struct error *err)
{
    SCOPED(string) char *key = manifest_file_key(manifest->file);
    SCOPED(upload) struct upload *fresh = NULL;
    SCOPED(buf) struct buf json = BUF_INIT;
    if (!manifest_upload) {
        if (output_reread(output, manifest->file, err) < 0)
            return error_prefix(err, "read back");
        memcpy(manifest->checksum, output_checksum(output), sizeof manifest->checksum);
    }
    if (manifest_format(manifest, &json, err) < 0)
        return -1;
    manifest_seal(&json, manifest->seal);
    if (!manifest_upload && put_manifest(store, &json, &fresh, err) < 0)
        return -1;
    int taken = upload_publish(manifest_upload ? manifest_upload : fresh, key, err);
    if (taken < 0)
        return -1;
    if (taken == 0)
        return error_set(err, ERROR_EXISTS, "%s appeared meanwhile", key);
    if (check_manifest(store, key, &json, err) < 0) {
        store_remove(store, key, NULL);
        return -1;
    }
    return 0;
}

static void take_back_names(struct store *store, const char *file)
{
    SCOPED(string) char *key = manifest_file_key(file);
    store_remove(store, key, NULL);
    store_remove(store, file, NULL);
    store_sync(store, NULL);
}

/* 1 when the artifact and its manifest are durable, 0 when the name was taken by somebody. */
static int publish_as(struct store *store, struct output *output, struct manifest *manifest,
                      struct error *err)
{
    SCOPED(upload) struct upload *manifest_upload = NULL;
    if (output_reread_done(output)) {
        SCOPED(buf) struct buf json = BUF_INIT;
        memcpy(manifest->checksum, output_checksum(output), sizeof manifest->checksum);
        if (manifest_format(manifest, &json, err) < 0 ||
            put_manifest(store, &json, &manifest_upload, err) < 0)
            return -1;
    }
    int taken = upload_publish(output_upload(output), manifest->file, err);
    if (taken <= 0)
        return taken;
    if (add_manifest(store, output, manifest_upload, manifest, err) < 0) {
        store_remove(store, manifest->file, NULL);
        store_sync(store, NULL);
        return -1;
    }
    if (store_sync(store, err) < 0 ||
        check_size(store, manifest->file, manifest->size_bytes, err) < 0) {
        take_back_names(store, manifest->file);
        return -1;
    }
    return 1;
}

int publish_artifact(struct store *store, struct output *output, struct artifact_name *name,
                     struct manifest *manifest, struct error *err)
{
    manifest->size_bytes = output_size(output);
    for (name->clash = 1; name->clash <= CLASHES_MAXIMUM; name->clash++) {
        free(manifest->file);
        manifest->file = artifact_name_format(name);
        int result = is_free(store, manifest->file, err);
        if (result > 0)
            result = publish_as(store, output, manifest, err);
        if (result < 0)
            return error_prefix(err, "publish %s", manifest->file);
        if (result > 0)
            return 0;
    }
    return error_set(err, ERROR_EXISTS, "%s and every name after it is taken", manifest->file);
}

int publish_manifest(struct store *store, const struct manifest *manifest, struct error *err)
{
    SCOPED(string) char *key = manifest_file_key(manifest->file);
    SCOPED(upload) struct upload *upload = NULL;
    SCOPED(buf) struct buf json = BUF_INIT;
    if (manifest_format(manifest, &json, err) < 0 || put_manifest(store, &json, &upload, err) < 0)
        return -1;
    int taken = upload_publish(upload, key, err);
    if (taken < 0)
        return -1;
    if (taken == 0)
        return error_set(err, ERROR_EXISTS, "%s appeared meanwhile", key);
    return store_sync(store, err) < 0 ? -1 : check_manifest(store, key, &json, err);
}
