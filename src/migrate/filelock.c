#include "migrate/filelock.h"

#include "base/error.h"
#include "base/file.h"
#include "base/os.h"
#include "base/stop.h"
#include "db/db.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>

#define PAUSE_MS 50

/* Whoever removed the file while we waited holds the lock of a file that has no name any more. */
static int is_current(struct os *os, int fd, const char *path)
{
    struct stat here;
    struct stat there;
    if (os->fstat(os, fd, &here) < 0 || os->fstatat(os, AT_FDCWD, path, &there, 0) < 0)
        return 0;
    return here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

/* 1 got it, 0 somebody else has it, -1. */
static int try_lock(struct os *os, const char *path, int *ret_fd, struct error *err)
{
    int fd = file_open(os, path, O_RDWR | O_CREAT | O_CLOEXEC, 0644, err);
    if (fd < 0)
        return -1;
    if (os->flock(os, fd, LOCK_EX | LOCK_NB) == 0 && is_current(os, fd, path)) {
        *ret_fd = fd;
        return 1;
    }
    file_close(os, &fd);
    return 0;
}

int filelock_take(struct filelock *lock, struct db *db, int64_t wait_ms, struct error *err)
{
    SCOPED(string) char *database = NULL;
    struct os *os = db->os;
    if (db->ops->engine != DB_SQLITE)
        return 0;
    if (db_query_text(db, "SELECT file FROM pragma_database_list WHERE name = 'main'", NULL, 0,
                      &database, err) < 0)
        return -1;
    if (!database || !*database)
        return 0;
    SCOPED(string) char *path = mem_format("%s-migrate", database);
    int64_t deadline_ns = os->clock_monotonic_ns(os) + wait_ms * 1000000;
    for (;;) {
        int got = try_lock(os, path, &lock->fd, err);
        if (got < 0 || stop_check(err) < 0)
            return -1;
        if (got) {
            lock->os = os;
            lock->path = STEAL(path);
            return 0;
        }
        if (os->clock_monotonic_ns(os) >= deadline_ns)
            return error_set(err, ERROR_LOCKED,
                             "%s: another process migrates this database, for more than %" PRId64
                             " s",
                             path, wait_ms / 1000);
        os->sleep_ms(os, PAUSE_MS);
    }
}

void filelock_release(struct filelock *lock)
{
    if (lock->os) {
        lock->os->unlinkat(lock->os, AT_FDCWD, lock->path, 0);
        file_close(lock->os, &lock->fd);
        free(lock->path);
    }
    *lock = FILELOCK_INIT;
}
