/*
 * Destinations: where the bytes of a backup lie. One driver each for a local folder, an
 * S3-compatible bucket and SFTP.
 *
 * A key is a relative path of one or more components separated by '/', none of them empty, "." or
 * ".."; a driver refuses others. Keys that begin with ".kedge-" and end in ".tmp" are unfinished
 * uploads: nothing lists them but store_list_unfinished.
 *
 * An upload is invisible until it is published and durable once the store was synced after that:
 *
 *     store_put(store, &upload, err)          .kedge-<ulid>.tmp appears
 *     upload_write(upload, ...)
 *     upload_finish(upload, err)              bytes are on the medium (fsync, or all parts sent)
 *     upload_publish(upload, key, err)        1: has the name now; 0: it is taken, try another
 *     store_sync(store, err)                  names are on the medium too
 *
 * One thread at a time per upload; any number of uploads and reads at once per store.
 */
#ifndef KEDGE_STORE_STORE_H
#define KEDGE_STORE_STORE_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct os;
struct sink;
struct store;
struct upload;

struct store_entry {
    const char *key; /* borrowed for the time of the call */
    uint64_t size;
    int64_t modified_ns;
};

typedef int store_visit_fn(void *context, const struct store_entry *entry, struct error *err);

enum store_capability {
    STORE_NO_REPLACE = 1 << 0, /* publish can tell that a name is taken, atomically */
};

struct store_ops {
    const char *scheme; /* "file", "s3", "sftp" */
    unsigned capabilities;
    int (*put)(struct store *store, struct upload **ret_upload, struct error *err);
    /* Read into `data` from `offset`; *ret_size is less than `size` only at the end.
     * ERROR_NOT_FOUND when there is no such key. */
    int (*read)(struct store *store, const char *key, uint64_t offset, void *data, size_t size,
                size_t *ret_size, struct error *err);
    /* 1 and the entry (key NULL), 0 when not there, -1. */
    int (*stat)(struct store *store, const char *key, struct store_entry *ret_entry,
                struct error *err);
    /* Everything whose key starts with `prefix` ("" for all), unfinished uploads apart. A non-zero
     * answer of `visit` stops and comes back. */
    int (*list)(struct store *store, const char *prefix, store_visit_fn *visit, void *context,
                struct error *err);
    /* Unfinished uploads that nobody is writing any more: remains of processes that died. */
    int (*list_unfinished)(struct store *store, store_visit_fn *visit, void *context,
                           struct error *err);
    /* "Was not there" is success. */
    int (*remove)(struct store *store, const char *key, struct error *err);
    int (*sync)(struct store *store, struct error *err);
    /* Forget what the cache knows of this key, so that the next read comes from the medium. Advice;
     * 0 always on stores without one. */
    int (*uncache)(struct store *store, const char *key, struct error *err);
    /* Bytes that may still be written; UINT64_MAX when the store does not say. */
    int (*free_space)(struct store *store, uint64_t *ret_bytes, struct error *err);
    void (*close)(struct store *store);
};

struct store {
    const struct store_ops *ops;
    struct os *os;
    char *url; /* as people see it, without secrets: "/var/backups/kedge", "s3://bucket/prefix" */
};

struct upload_ops {
    int (*write)(struct upload *upload, const void *data, size_t size, struct error *err);
    int (*finish)(struct upload *upload, struct error *err);
    int (*publish)(struct upload *upload, const char *key, struct error *err);
    /* NULL on stores that cannot: read bytes that were written, from the medium and not from a
     * cache, all of [offset, offset + size). Waits until they are there. Another thread may do this
     * while one writes. 1 done, 0 when this destination cannot, -1. */
    int (*reread)(struct upload *upload, uint64_t offset, void *data, size_t size,
                  struct error *err);
    /* Without a publish the bytes are removed. */
    void (*free)(struct upload *upload);
};

struct upload {
    const struct upload_ops *ops;
    char *key; /* the temporary one, e.g. ".kedge-01ARZ3NDEKTSV4RRFFQ69G5FAV.tmp" */
};

struct store_options {
    struct os *os;
    bool create; /* make the folder when it is missing */
    const char *access_key, *secret_key, *region, *endpoint;
};

/* Open a destination by URL or folder. The store is the caller's to close. */
int store_open(const char *url, const struct store_options *options, struct store **ret_store,
               struct error *err);
void store_close(struct store *store);

/* As the slots of store_ops say. A key that is no name inside a destination is ERROR_CORRUPT. */
int store_put(struct store *store, struct upload **ret_upload, struct error *err);
int store_read(struct store *store, const char *key, uint64_t offset, void *data, size_t size,
               size_t *ret_size, struct error *err);
int store_stat(struct store *store, const char *key, struct store_entry *ret_entry,
               struct error *err);
/* The same for what has to be there: 0; ERROR_NOT_FOUND says where it was looked for. */
int store_find(struct store *store, const char *key, struct store_entry *ret_entry,
               struct error *err);
int store_list(struct store *store, const char *prefix, store_visit_fn *visit, void *context,
               struct error *err);
int store_list_unfinished(struct store *store, store_visit_fn *visit, void *context,
                          struct error *err);
int store_remove(struct store *store, const char *key, struct error *err);
int store_sync(struct store *store, struct error *err);
int store_uncache(struct store *store, const char *key, struct error *err);
int store_free_space(struct store *store, uint64_t *ret_bytes, struct error *err);

/* For people: "/var/backups/kedge/shop.sql.zst", "s3://bucket/prefix/shop.sql.zst". To be freed. */
char *store_location(const struct store *store, const char *key);

/* Relative, without ".", ".." and empty parts, at most 1024 bytes. */
bool store_key_valid(const char *key);

/* As the slots of upload_ops say. */
int upload_write(struct upload *upload, const void *data, size_t size, struct error *err);
int upload_finish(struct upload *upload, struct error *err);
int upload_publish(struct upload *upload, const char *key, struct error *err);
/* 0 too on stores without this operation. */
int upload_reread(struct upload *upload, uint64_t offset, void *data, size_t size,
                  struct error *err);
void upload_free(struct upload *upload); /* NULL is fine */

DEFINE_SCOPED(store, struct store *, store_close);
DEFINE_SCOPED(upload, struct upload *, upload_free);

#endif
