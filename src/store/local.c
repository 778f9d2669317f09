#include "store/local.h"

#include "base/error.h"
#include "base/file.h"
#include "base/os.h"
#include "base/text.h"
#include "base/ulid.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct local_upload {
    struct upload base;
    struct store *store;
    char *path;
    int fd;
    bool published;
    atomic_bool finished;
    _Atomic uint64_t written; /* by the writing thread */
    uint64_t started;         /* up to here the kernel was told to begin writing back */
    uint64_t evicted;         /* up to here the reading thread took the bytes out of the cache */
};

#define WRITEBACK_STEP (UINT64_C(8) << 20)
#define PAGE_MASK (~UINT64_C(4095))
#define WINDOW (UINT64_C(32) << 20) /* read back at once */
#define RECENT (UINT64_C(6) << 20)  /* written last, not waited for yet */

/* ---- uploads ---- */

static int local_upload_write(struct upload *base, const void *data, size_t size, struct error *err)
{
    struct local_upload *upload = (struct local_upload *)base;
    struct os *os = upload->store->os;
    if (file_write_all(os, upload->fd, data, size, upload->path, err) < 0)
        return -1;
    uint64_t written = atomic_fetch_add(&upload->written, size) + size;
    if (written - upload->started < WRITEBACK_STEP)
        return 0;
    /* Advice, so that the disk is busy now and not only at the sync in the end. */
    uint64_t end = written & PAGE_MASK;
    os->sync_file_range(os, upload->fd, (off_t)upload->started, (off_t)(end - upload->started),
                        SYNC_FILE_RANGE_WRITE);
    upload->started = end;
    return 0;
}

/* How far to take leave of the cache at once: enough that the wait for the medium and the reading
 * ahead are worth it, and behind what was written last, which is still on its way. */
static uint64_t window_end(struct local_upload *upload, uint64_t needed)
{
    uint64_t written = atomic_load(&upload->written);
    uint64_t settled =
        atomic_load(&upload->finished) ? written : written - (written < RECENT ? written : RECENT);
    uint64_t end = needed + WINDOW < settled ? needed + WINDOW : settled;
    return end > needed ? end : needed;
}

/* Wait until the next window is on the medium, forget it, and ask for it back, so that it is read
 * while the part before is looked at. 1, 0 when the file system cannot do that, -1. */
static int evict(struct local_upload *upload, uint64_t needed, struct error *err)
{
    struct os *os = upload->store->os;
    uint64_t start = upload->evicted & PAGE_MASK;
    uint64_t end = window_end(upload, needed);
    off_t length = (off_t)(end - start);
    if (os->sync_file_range(os, upload->fd, (off_t)start, length,
                            SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                                SYNC_FILE_RANGE_WAIT_AFTER) < 0) {
        if (errno == EIO || errno == ENOSPC)
            return error_set_errno(err, ERROR_FAILED, errno, "write %s", upload->path);
        return 0;
    }
    os->fadvise(os, upload->fd, (off_t)start, length, POSIX_FADV_DONTNEED);
    os->fadvise(os, upload->fd, (off_t)start, length, POSIX_FADV_WILLNEED);
    upload->evicted = end;
    return 1;
}

static int local_upload_reread(struct upload *base, uint64_t offset, void *data, size_t size,
                               struct error *err)
{
    struct local_upload *upload = (struct local_upload *)base;
    struct os *os = upload->store->os;
    int able = offset + size > upload->evicted ? evict(upload, offset + size, err) : 1;
    if (able <= 0)
        return able;
    size_t got = 0;
    if (file_pread(os, upload->fd, data, size, offset, &got, upload->path, err) < 0)
        return -1;
    if (got < size)
        return error_set(err, ERROR_CORRUPT, "%s is shorter than what was written", upload->path);
    return 1;
}

static int local_upload_finish(struct upload *base, struct error *err)
{
    struct local_upload *upload = (struct local_upload *)base;
    if (file_sync(upload->store->os, upload->fd, upload->path, err) < 0)
        return -1;
    atomic_store(&upload->finished, true);
    return 0;
}

static int local_upload_publish(struct upload *base, const char *key, struct error *err)
{
    struct local_upload *upload = (struct local_upload *)base;
    struct os *os = upload->store->os;
    SCOPED(string) char *path = path_join(upload->store->url, key);
    if (strchr(key, '/')) {
        SCOPED(string) char *folder = path_folder(path);
        if (folder_make(os, folder, 0700, err) < 0)
            return -1;
    }
    int taken = file_rename_noreplace(os, upload->path, path, err);
    if (taken > 0)
        upload->published = true;
    return taken;
}

static void local_upload_free(struct upload *base)
{
    struct local_upload *upload = (struct local_upload *)base;
    struct os *os = upload->store->os;
    file_close(os, &upload->fd);
    if (!upload->published)
        os->unlinkat(os, AT_FDCWD, upload->path, 0);
    free(upload->path);
    free(upload->base.key);
    free(upload);
}

static const struct upload_ops local_upload_ops = {
    .write = local_upload_write,
    .finish = local_upload_finish,
    .publish = local_upload_publish,
    .reread = local_upload_reread,
    .free = local_upload_free,
};

static int local_put(struct store *store, struct upload **ret_upload, struct error *err)
{
    struct ulid id;
    if (ulid_make(store->os, &id, err) < 0)
        return -1;
    struct local_upload *upload = MEM_NEW(struct local_upload);
    upload->base.ops = &local_upload_ops;
    upload->base.key = mem_format(".kedge-%s.tmp", id.text);
    upload->store = store;
    upload->path = path_join(store->url, upload->base.key);
    upload->fd =
        file_open(store->os, upload->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, err);
    if (upload->fd < 0) {
        upload->published = true; /* nothing of ours to remove */
        local_upload_free(&upload->base);
        return -1;
    }
    /* Held as long as we live: that is how others tell an upload from a dead one's remains. */
    if (store->os->flock(store->os, upload->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
        error_set(err, ERROR_LOCKED, "%s is locked", upload->path);
        local_upload_free(&upload->base);
        return -1;
    }
    *ret_upload = &upload->base;
    return 0;
}

/* ---- what is there ---- */

static int local_read(struct store *store, const char *key, uint64_t offset, void *data,
                      size_t size, size_t *ret_size, struct error *err)
{
    SCOPED(string) char *path = path_join(store->url, key);
    int fd = file_open(store->os, path, O_RDONLY | O_NOCTTY, 0, err);
    if (fd < 0)
        return -1;
    int result = file_pread(store->os, fd, data, size, offset, ret_size, path, err);
    file_close(store->os, &fd);
    return result;
}

static int64_t modified_ns(const struct stat *there)
{
    return (int64_t)there->st_mtim.tv_sec * 1000000000 + there->st_mtim.tv_nsec;
}

static int local_stat(struct store *store, const char *key, struct store_entry *ret_entry,
                      struct error *err)
{
    SCOPED(string) char *path = path_join(store->url, key);
    struct stat there;
    int found = file_stat(store->os, path, &there, err);
    if (found <= 0)
        return found;
    if (!S_ISREG(there.st_mode))
        return 0;
    *ret_entry =
        (struct store_entry){.size = (uint64_t)there.st_size, .modified_ns = modified_ns(&there)};
    return 1;
}

static bool is_unfinished(const char *name)
{
    return text_starts(name, ".kedge-") && text_ends(name, ".tmp");
}

/* Is a living process still writing it? */
static bool is_being_written(struct os *os, const char *path)
{
    int fd = file_open(os, path, O_RDONLY | O_NOCTTY | O_NOFOLLOW, 0, NULL);
    if (fd < 0)
        return errno != ENOENT;
    bool held = os->flock(os, fd, LOCK_EX | LOCK_NB) < 0;
    file_close(os, &fd);
    return held;
}

struct listing {
    struct store *store;
    const char *prefix;
    const char *folder; /* relative to the store, "" at its top */
    bool unfinished;
    store_visit_fn *visit;
    void *context;
};

static int list_folder(const struct listing *listing, struct error *err);

static int list_one(void *context, const char *name, struct error *err)
{
    const struct listing *listing = context;
    if (is_unfinished(name) != listing->unfinished && (listing->unfinished || is_unfinished(name)))
        return 0;
    SCOPED(string)
    char *key = listing->folder[0] ? path_join(listing->folder, name) : mem_string(name);
    SCOPED(string) char *path = path_join(listing->store->url, key);
    struct stat there;
    int found = file_stat(listing->store->os, path, &there, err);
    if (found <= 0)
        return found;
    if (S_ISDIR(there.st_mode) && !listing->unfinished) {
        struct listing below = *listing;
        below.folder = key;
        return list_folder(&below, err);
    }
    if (!S_ISREG(there.st_mode) || !text_starts(key, listing->prefix))
        return 0;
    if (listing->unfinished && is_being_written(listing->store->os, path))
        return 0;
    struct store_entry entry = {
        .key = key, .size = (uint64_t)there.st_size, .modified_ns = modified_ns(&there)};
    return listing->visit(listing->context, &entry, err);
}

static int list_folder(const struct listing *listing, struct error *err)
{
    SCOPED(string)
    char *path = listing->folder[0] ? path_join(listing->store->url, listing->folder)
                                    : mem_string(listing->store->url);
    struct listing copy = *listing;
    return folder_list(listing->store->os, path, list_one, &copy, err);
}

static int local_list(struct store *store, const char *prefix, store_visit_fn *visit, void *context,
                      struct error *err)
{
    struct listing listing = {
        .store = store, .prefix = prefix, .folder = "", .visit = visit, .context = context};
    return list_folder(&listing, err);
}

static int local_list_unfinished(struct store *store, store_visit_fn *visit, void *context,
                                 struct error *err)
{
    struct listing listing = {.store = store,
                              .prefix = "",
                              .folder = "",
                              .unfinished = true,
                              .visit = visit,
                              .context = context};
    return list_folder(&listing, err);
}

static int local_remove(struct store *store, const char *key, struct error *err)
{
    SCOPED(string) char *path = path_join(store->url, key);
    return file_remove(store->os, path, err);
}

static int local_sync(struct store *store, struct error *err)
{
    return folder_sync(store->os, store->url, err);
}

static int local_uncache(struct store *store, const char *key, struct error *err)
{
    SCOPED(string) char *path = path_join(store->url, key);
    int fd = file_open(store->os, path, O_RDONLY | O_NOCTTY, 0, err);
    if (fd < 0)
        return -1;
    store->os->fadvise(store->os, fd, 0, 0, POSIX_FADV_DONTNEED);
    file_close(store->os, &fd);
    return 0;
}

static int local_free_space(struct store *store, uint64_t *ret_bytes, struct error *err)
{
    return file_free_space(store->os, store->url, ret_bytes, err);
}

static void local_close(struct store *store)
{
    free(store->url);
    free(store);
}

static const struct store_ops local_ops = {
    .scheme = "file",
    .capabilities = STORE_NO_REPLACE,
    .put = local_put,
    .read = local_read,
    .stat = local_stat,
    .list = local_list,
    .list_unfinished = local_list_unfinished,
    .remove = local_remove,
    .sync = local_sync,
    .uncache = local_uncache,
    .free_space = local_free_space,
    .close = local_close,
};

int local_open(const char *folder, const struct store_options *options, struct store **ret_store,
               struct error *err)
{
    struct os *os = options->os;
    SCOPED(string) char *path = path_absolute(folder);
    if (options->create && folder_make(os, path, 0700, err) < 0)
        return error_prefix(err, "destination");
    struct stat there;
    int found = file_stat(os, path, &there, err);
    if (found < 0)
        return -1;
    if (!found || !S_ISDIR(there.st_mode)) {
        error_set(err, ERROR_NOT_FOUND, "destination %s: no such folder", folder);
        return error_hint(err, "kedge init makes it");
    }
    struct store *store = MEM_NEW(struct store);
    store->ops = &local_ops;
    store->os = os;
    store->url = STEAL(path);
    *ret_store = store;
    return 0;
}
