#include "harness/store_memory.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

/* Removed: key is NULL. Unfinished: the key is an upload's. */
struct object {
    char *key;
    struct buf bytes;
    bool unfinished;
};

struct store_memory {
    struct store base;
    struct object **objects;
    size_t count, capacity;
    size_t uploads;
};

struct upload_memory {
    struct upload base;
    struct store_memory *store;
    struct object *object;
};

static struct store_memory *memory_of(struct store *store)
{
    return (struct store_memory *)store;
}

static struct object *find(struct store_memory *memory, const char *key)
{
    for (size_t i = 0; i < memory->count; i++)
        if (text_equal(memory->objects[i]->key, key))
            return memory->objects[i];
    return NULL;
}

static struct object *add(struct store_memory *memory, const char *key)
{
    ARRAY_GROW(memory->objects, memory->count, memory->capacity);
    struct object *object = MEM_NEW(struct object);
    object->key = mem_string(key);
    object->bytes = BUF_INIT;
    memory->objects[memory->count++] = object;
    return object;
}

static void forget(struct object *object)
{
    free(STEAL(object->key));
    buf_clear(&object->bytes);
}

static int raise_missing(const char *key, struct error *err)
{
    return error_set(err, ERROR_NOT_FOUND, "%s: no such object", key);
}

/* ---- uploads ---- */

static int upload_memory_write(struct upload *upload, const void *data, size_t size,
                               struct error *err)
{
    (void)err;
    buf_append(&((struct upload_memory *)upload)->object->bytes, data, size);
    return 0;
}

static int upload_memory_finish(struct upload *upload, struct error *err)
{
    (void)upload;
    (void)err;
    return 0;
}

static int upload_memory_publish(struct upload *upload, const char *key, struct error *err)
{
    (void)err;
    struct upload_memory *self = (struct upload_memory *)upload;
    if (find(self->store, key))
        return 0;
    free(self->object->key);
    self->object->key = mem_string(key);
    self->object->unfinished = false;
    return 1;
}

static void upload_memory_free(struct upload *upload)
{
    struct upload_memory *self = (struct upload_memory *)upload;
    if (self->object->unfinished)
        forget(self->object);
    free(upload->key);
    free(self);
}

static const struct upload_ops upload_memory_ops = {
    .write = upload_memory_write,
    .finish = upload_memory_finish,
    .publish = upload_memory_publish,
    .free = upload_memory_free,
};

/* ---- the store ---- */

static int memory_put(struct store *store, struct upload **ret_upload, struct error *err)
{
    (void)err;
    struct store_memory *memory = memory_of(store);
    struct upload_memory *upload = MEM_NEW(struct upload_memory);
    upload->base.ops = &upload_memory_ops;
    upload->base.key = mem_format(".kedge-%026zu.tmp", ++memory->uploads);
    upload->store = memory;
    upload->object = add(memory, upload->base.key);
    upload->object->unfinished = true;
    *ret_upload = &upload->base;
    return 0;
}

static int memory_read(struct store *store, const char *key, uint64_t offset, void *data,
                       size_t size, size_t *ret_size, struct error *err)
{
    const struct object *object = find(memory_of(store), key);
    if (!object)
        return raise_missing(key, err);
    size_t left = offset < object->bytes.length ? object->bytes.length - (size_t)offset : 0;
    *ret_size = left < size ? left : size;
    if (*ret_size)
        memcpy(data, object->bytes.data + offset, *ret_size);
    return 0;
}

static int memory_stat(struct store *store, const char *key, struct store_entry *ret_entry,
                       struct error *err)
{
    (void)err;
    const struct object *object = find(memory_of(store), key);
    if (object)
        *ret_entry = (struct store_entry){.size = object->bytes.length};
    return object != NULL;
}

static int visit_all(struct store_memory *memory, const char *prefix, bool unfinished,
                     store_visit_fn *visit, void *context, struct error *err)
{
    int result = 0;
    for (size_t i = 0; i < memory->count && result == 0; i++) {
        const struct object *object = memory->objects[i];
        struct store_entry entry = {.key = object->key, .size = object->bytes.length};
        if (object->key && object->unfinished == unfinished && text_starts(object->key, prefix))
            result = visit(context, &entry, err);
    }
    return result;
}

static int memory_list(struct store *store, const char *prefix, store_visit_fn *visit,
                       void *context, struct error *err)
{
    return visit_all(memory_of(store), prefix, false, visit, context, err);
}

static int memory_list_unfinished(struct store *store, store_visit_fn *visit, void *context,
                                  struct error *err)
{
    return visit_all(memory_of(store), "", true, visit, context, err);
}

static int memory_remove(struct store *store, const char *key, struct error *err)
{
    (void)err;
    struct object *object = find(memory_of(store), key);
    if (object)
        forget(object);
    return 0;
}

static int memory_sync(struct store *store, struct error *err)
{
    (void)store;
    (void)err;
    return 0;
}

static int memory_uncache(struct store *store, const char *key, struct error *err)
{
    (void)store;
    (void)key;
    (void)err;
    return 0;
}

static int memory_free_space(struct store *store, uint64_t *ret_bytes, struct error *err)
{
    (void)store;
    (void)err;
    *ret_bytes = UINT64_MAX;
    return 0;
}

static void memory_close(struct store *store)
{
    struct store_memory *memory = memory_of(store);
    for (size_t i = 0; i < memory->count; i++) {
        forget(memory->objects[i]);
        free(memory->objects[i]);
    }
    free(memory->objects);
    free(store->url);
    free(memory);
}

static const struct store_ops memory_ops = {
    .scheme = "memory",
    .capabilities = STORE_NO_REPLACE,
    .put = memory_put,
    .read = memory_read,
    .stat = memory_stat,
    .list = memory_list,
    .list_unfinished = memory_list_unfinished,
    .remove = memory_remove,
    .sync = memory_sync,
    .uncache = memory_uncache,
    .free_space = memory_free_space,
    .close = memory_close,
};

struct store *store_memory_new(struct os *os)
{
    struct store_memory *memory = MEM_NEW(struct store_memory);
    memory->base = (struct store){.ops = &memory_ops, .os = os, .url = mem_string("memory:")};
    return &memory->base;
}

void store_memory_put(struct store *store, const char *key, const void *data, size_t size)
{
    struct object *object = find(memory_of(store), key);
    if (!object)
        object = add(memory_of(store), key);
    buf_reset(&object->bytes);
    buf_append(&object->bytes, data, size);
}
