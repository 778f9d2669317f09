#include "store/store.h"

#include "base/error.h"
#include "base/file.h"

#include <string.h>

void store_close(struct store *store)
{
    if (store)
        store->ops->close(store);
}

bool store_key_valid(const char *key)
{
    if (!key[0] || key[0] == '/' || strlen(key) > 1024)
        return false;
    for (const char *part = key;;) {
        size_t length = strcspn(part, "/");
        bool dots = (length == 1 && part[0] == '.') || (length == 2 && strncmp(part, "..", 2) == 0);
        if (length == 0 || dots)
            return false;
        if (!part[length])
            return true;
        part += length + 1;
    }
}

static int check_key(const char *key, struct error *err)
{
    if (store_key_valid(key))
        return 0;
    return error_set(err, ERROR_CORRUPT, "\"%s\" is not a name inside a destination", key);
}

int store_put(struct store *store, struct upload **ret_upload, struct error *err)
{
    return store->ops->put(store, ret_upload, err);
}

int store_read(struct store *store, const char *key, uint64_t offset, void *data, size_t size,
               size_t *ret_size, struct error *err)
{
    if (check_key(key, err) < 0)
        return -1;
    return store->ops->read(store, key, offset, data, size, ret_size, err);
}

int store_stat(struct store *store, const char *key, struct store_entry *ret_entry,
               struct error *err)
{
    if (check_key(key, err) < 0)
        return -1;
    return store->ops->stat(store, key, ret_entry, err);
}

int store_find(struct store *store, const char *key, struct store_entry *ret_entry,
               struct error *err)
{
    int there = store_stat(store, key, ret_entry, err);
    if (there != 0)
        return there < 0 ? -1 : 0;
    SCOPED(string) char *location = store_location(store, key);
    error_set(err, ERROR_NOT_FOUND, "the file of the backup is not there: %s", location);
    return error_hint(err, "if it lies elsewhere, name the folder with --from FOLDER");
}

int store_list(struct store *store, const char *prefix, store_visit_fn *visit, void *context,
               struct error *err)
{
    return store->ops->list(store, prefix, visit, context, err);
}

int store_list_unfinished(struct store *store, store_visit_fn *visit, void *context,
                          struct error *err)
{
    return store->ops->list_unfinished(store, visit, context, err);
}

int store_remove(struct store *store, const char *key, struct error *err)
{
    if (check_key(key, err) < 0)
        return -1;
    return store->ops->remove(store, key, err);
}

int store_sync(struct store *store, struct error *err)
{
    return store->ops->sync(store, err);
}

int store_uncache(struct store *store, const char *key, struct error *err)
{
    return store->ops->uncache(store, key, err);
}

int store_free_space(struct store *store, uint64_t *ret_bytes, struct error *err)
{
    return store->ops->free_space(store, ret_bytes, err);
}

char *store_location(const struct store *store, const char *key)
{
    return path_join(store->url, key);
}

int upload_write(struct upload *upload, const void *data, size_t size, struct error *err)
{
    return upload->ops->write(upload, data, size, err);
}

int upload_finish(struct upload *upload, struct error *err)
{
    return upload->ops->finish(upload, err);
}

int upload_publish(struct upload *upload, const char *key, struct error *err)
{
    if (check_key(key, err) < 0)
        return -1;
    return upload->ops->publish(upload, key, err);
}

int upload_reread(struct upload *upload, uint64_t offset, void *data, size_t size,
                  struct error *err)
{
    return upload->ops->reread ? upload->ops->reread(upload, offset, data, size, err) : 0;
}

void upload_free(struct upload *upload)
{
    if (upload)
        upload->ops->free(upload);
}
