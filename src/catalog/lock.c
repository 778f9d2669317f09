#include "catalog/lock.h"

#include "base/error.h"
#include "base/file.h"
#include "base/moment.h"
#include "base/os.h"
#include "base/text.h"
#include "catalog/dialect.h"
#include "catalog/state.h"
#include "crypto/sha256.h"
#include "db/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#define NOTE_MAXIMUM 1024
#define LOCK_NAME_SIZE 17

/* One of the two: a file, or a name at the server. */
struct target_lock {
    struct os *os;
    int fd;                  /* -1: none */
    struct catalog *catalog; /* whose session holds it; NULL: none. Borrowed */
    char name[LOCK_NAME_SIZE];
};

/* A target's name may hold anything, also what no file name may. */
static void lock_name(const char *target, char ret_name[static LOCK_NAME_SIZE])
{
    uint8_t digest[SHA256_SIZE];
    sha256_of(target, strlen(target), digest);
    text_hex(digest, LOCK_NAME_SIZE / 2, ret_name);
}

/* ---- at the server ---- */

static int lock_at_server(struct catalog *catalog, const char *target, struct target_lock *lock,
                          struct error *err)
{
    int64_t taken = 0;
    const struct db_value name = db_text(lock->name);
    if (db_query_integer(catalog->db, catalog->dialect->lock, &name, 1, &taken, err) < 0)
        return -1;
    if (!taken)
        return error_set(err, ERROR_LOCKED, "%s is locked by another kedge on %s", target,
                         catalog->name);
    lock->catalog = catalog;
    return 0;
}

/* ---- in a file ---- */

/* The holder's note: "backup by process 1234 since 2026-01-31T02:00:00Z\n". It may be half written
 * or older than the holder, so it is only shown. */
static int locked(struct os *os, const char *path, const char *target, struct error *err)
{
    SCOPED(buf) struct buf note = BUF_INIT_MAX(NOTE_MAXIMUM);
    SCOPED(buf) struct buf visible = BUF_INIT;
    if (file_read_all(os, path, &note, NULL) < 0 || note.length == 0)
        return error_set(err, ERROR_LOCKED, "%s is locked by another process", target);
    text_append_visible(&visible, note.data, strcspn(note.data, "\n"));
    return error_set(err, ERROR_LOCKED, "%s is locked: %s", target, visible.data);
}

static int take(struct os *os, int fd)
{
    int result = -1;
    do
        result = os->flock(os, fd, LOCK_EX | LOCK_NB);
    while (result < 0 && errno == EINTR);
    return result;
}

static int write_note(struct os *os, int fd, const char *path, const char *purpose,
                      struct error *err)
{
    char since[32];
    moment_format_iso(os->clock_wall_ns(os), since);
    SCOPED(string)
    char *note = mem_format("%s by process %ld since %s\n", purpose, (long)os->getpid(os), since);
    if (os->ftruncate(os, fd, 0) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "write %s", path);
    return file_pwrite_all(os, fd, note, strlen(note), 0, path, err);
}

static int lock_file(struct catalog *catalog, const char *target, const char *purpose,
                     struct target_lock *lock, struct error *err)
{
    struct os *os = catalog->os;
    SCOPED(string) char *folder = path_join(catalog->folder, "locks");
    SCOPED(string) char *path = mem_format("%s/%s.lock", folder, lock->name);
    if (folder_make(os, folder, 0700, err) < 0)
        return -1;
    lock->fd = file_open(os, path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600, err);
    if (lock->fd < 0)
        return -1;
    if (take(os, lock->fd) < 0) {
        if (errno == EWOULDBLOCK)
            return locked(os, path, target, err);
        return error_set_errno(err, ERROR_FAILED, errno, "flock %s", path);
    }
    return write_note(os, lock->fd, path, purpose, err);
}

int catalog_lock_target(struct catalog *catalog, const char *target, const char *purpose,
                        struct target_lock **ret_lock, struct error *err)
{
    SCOPED(target_lock) struct target_lock *lock = MEM_NEW(struct target_lock);
    lock->os = catalog->os;
    lock->fd = -1;
    lock_name(target, lock->name);
    int result = catalog->dialect->lock ? lock_at_server(catalog, target, lock, err)
                                        : lock_file(catalog, target, purpose, lock, err);
    if (result < 0)
        return err && err->code == ERROR_LOCKED ? -1 : error_prefix(err, "lock %s", target);
    *ret_lock = STEAL(lock);
    return 0;
}

void target_lock_free(struct target_lock *lock)
{
    if (!lock)
        return;
    const struct db_value name = db_text(lock->name);
    if (lock->catalog)
        db_query(lock->catalog->db, lock->catalog->dialect->unlock, &name, 1, NULL, NULL, NULL);
    /* Closing is what unlocks; the file stays, removing it would let two processes hold "the"
     * lock on two files of one name. */
    file_close(lock->os, &lock->fd);
    free(lock);
}
