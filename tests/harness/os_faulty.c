#include "harness/os_faulty.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    enum fault fault;
    long at;
    long calls;
    struct os os;
} faulty;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int count_call(bool needs_room)
{
    if (faulty.fault != FAULT_NO_SPACE || needs_room || faulty.calls + 1 < faulty.at)
        faulty.calls++;
    bool here = faulty.calls == faulty.at;
    bool from_here = faulty.at && faulty.calls >= faulty.at;
    switch (faulty.fault) {
    case FAULT_EIO:
        return here ? EIO : 0;
    case FAULT_NO_SPACE:
        return from_here && needs_room ? ENOSPC : 0;
    case FAULT_DEAD:
        return from_here ? EIO : 0;
    case FAULT_INTERRUPT:
        return here ? EINTR : 0;
    case FAULT_KILL:
        if (here)
            kill(getpid(), SIGKILL);
        return 0;
    default:
        return 0;
    }
}

int os_faulty_count(bool needs_room)
{
    pthread_mutex_lock(&lock);
    int failure = count_call(needs_room);
    pthread_mutex_unlock(&lock);
    return failure;
}

static bool shorten(void)
{
    return faulty.fault == FAULT_SHORT && faulty.calls == faulty.at;
}

/* Each slot counts, fails when it is its turn, and otherwise asks the kernel. */
static int faulty_openat(struct os *os, int dir, const char *path, int flags, mode_t mode)
{
    (void)os;
    int failure = os_faulty_count((flags & O_CREAT) != 0);
    if (failure) {
        errno = failure;
        return -1;
    }
    return os_real()->openat(os_real(), dir, path, flags, mode);
}

static ssize_t faulty_read(struct os *os, int fd, void *data, size_t size)
{
    (void)os;
    int failure = os_faulty_count(false);
    if (failure) {
        errno = failure;
        return -1;
    }
    return os_real()->read(os_real(), fd, data, size);
}

static ssize_t faulty_pread(struct os *os, int fd, void *data, size_t size, off_t offset)
{
    (void)os;
    int failure = os_faulty_count(false);
    if (failure) {
        errno = failure;
        return -1;
    }
    return os_real()->pread(os_real(), fd, data, size, offset);
}

static ssize_t faulty_write(struct os *os, int fd, const void *data, size_t size)
{
    (void)os;
    int failure = os_faulty_count(true);
    if (failure) {
        errno = failure;
        return -1;
    }
    if (size > 1 && shorten())
        size /= 2;
    return os_real()->write(os_real(), fd, data, size);
}

static ssize_t faulty_pwrite(struct os *os, int fd, const void *data, size_t size, off_t offset)
{
    (void)os;
    int failure = os_faulty_count(true);
    if (failure) {
        errno = failure;
        return -1;
    }
    if (size > 1 && shorten())
        size /= 2;
    return os_real()->pwrite(os_real(), fd, data, size, offset);
}

static int faulty_fsync(struct os *os, int fd)
{
    (void)os;
    int failure = os_faulty_count(true);
    if (failure) {
        errno = failure;
        return -1;
    }
    return os_real()->fsync(os_real(), fd);
}

static int faulty_ftruncate(struct os *os, int fd, off_t size)
{
    (void)os;
    int failure = os_faulty_count(true);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->ftruncate(os_real(), fd, size);
}

static int faulty_fallocate(struct os *os, int fd, int mode, off_t offset, off_t size)
{
    (void)os;
    int failure = os_faulty_count(true);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->fallocate(os_real(), fd, mode, offset, size);
}

static int faulty_fstatat(struct os *os, int dir, const char *path, struct stat *ret_stat,
                          int flags)
{
    (void)os;
    int failure = os_faulty_count(false);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->fstatat(os_real(), dir, path, ret_stat, flags);
}

static int faulty_fstat(struct os *os, int fd, struct stat *ret_stat)
{
    (void)os;
    int failure = os_faulty_count(false);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->fstat(os_real(), fd, ret_stat);
}

static int faulty_statvfs(struct os *os, const char *path, struct statvfs *ret_space)
{
    (void)os;
    int failure = os_faulty_count(false);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->statvfs(os_real(), path, ret_space);
}

static int faulty_mkdirat(struct os *os, int dir, const char *path, mode_t mode)
{
    (void)os;
    int failure = os_faulty_count(true);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->mkdirat(os_real(), dir, path, mode);
}

static int faulty_unlinkat(struct os *os, int dir, const char *path, int flags)
{
    (void)os;
    int failure = os_faulty_count(false);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->unlinkat(os_real(), dir, path, flags);
}

static int faulty_linkat(struct os *os, int old_dir, const char *old_path, int new_dir,
                         const char *new_path, int flags)
{
    (void)os;
    int failure = os_faulty_count(true);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->linkat(os_real(), old_dir, old_path, new_dir, new_path, flags);
}

static int faulty_symlinkat(struct os *os, const char *content, int dir, const char *path)
{
    (void)os;
    int failure = os_faulty_count(true);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->symlinkat(os_real(), content, dir, path);
}

static ssize_t faulty_readlinkat(struct os *os, int dir, const char *path, char *data, size_t size)
{
    (void)os;
    int failure = os_faulty_count(false);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->readlinkat(os_real(), dir, path, data, size);
}

static int faulty_mknodat(struct os *os, int dir, const char *path, mode_t mode, dev_t device)
{
    (void)os;
    int failure = os_faulty_count(true);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->mknodat(os_real(), dir, path, mode, device);
}

static int faulty_renameat2(struct os *os, int old_dir, const char *old_path, int new_dir,
                            const char *new_path, unsigned flags)
{
    (void)os;
    int failure = os_faulty_count(true);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->renameat2(os_real(), old_dir, old_path, new_dir, new_path, flags);
}

static int faulty_fchmod(struct os *os, int fd, mode_t mode)
{
    (void)os;
    int failure = os_faulty_count(false);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->fchmod(os_real(), fd, mode);
}

static int faulty_fchownat(struct os *os, int dir, const char *path, uid_t user, gid_t group,
                           int flags)
{
    (void)os;
    int failure = os_faulty_count(false);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->fchownat(os_real(), dir, path, user, group, flags);
}

static int faulty_utimensat(struct os *os, int dir, const char *path,
                            const struct timespec times[2], int flags)
{
    (void)os;
    int failure = os_faulty_count(false);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->utimensat(os_real(), dir, path, times, flags);
}

static DIR *faulty_fdopendir(struct os *os, int fd)
{
    (void)os;
    int failure = os_faulty_count(false);
    if (failure && failure != EINTR) {
        errno = failure;
        return NULL;
    }
    return os_real()->fdopendir(os_real(), fd);
}

static struct dirent *faulty_readdir(struct os *os, DIR *folder)
{
    (void)os;
    int failure = os_faulty_count(false);
    if (failure && failure != EINTR) {
        errno = failure;
        return NULL;
    }
    return os_real()->readdir(os_real(), folder);
}

static int faulty_openat2(struct os *os, int dir, const char *path, int flags, mode_t mode,
                          uint64_t resolve)
{
    (void)os;
    int failure = os_faulty_count((flags & O_CREAT) != 0);
    if (failure) {
        errno = failure;
        return -1;
    }
    return os_real()->openat2(os_real(), dir, path, flags, mode, resolve);
}

static off_t faulty_lseek(struct os *os, int fd, off_t offset, int whence)
{
    (void)os;
    int failure = os_faulty_count(false);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->lseek(os_real(), fd, offset, whence);
}

static int faulty_syncfs(struct os *os, int fd)
{
    (void)os;
    int failure = os_faulty_count(true);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->syncfs(os_real(), fd);
}

static int faulty_fchmodat(struct os *os, int dir, const char *path, mode_t mode, int flags)
{
    (void)os;
    int failure = os_faulty_count(false);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->fchmodat(os_real(), dir, path, mode, flags);
}

static ssize_t faulty_listxattr(struct os *os, int fd, char *ret_names, size_t size)
{
    (void)os;
    int failure = os_faulty_count(false);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->listxattr(os_real(), fd, ret_names, size);
}

static ssize_t faulty_getxattr(struct os *os, int fd, const char *name, void *ret_value,
                               size_t size)
{
    (void)os;
    int failure = os_faulty_count(false);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->getxattr(os_real(), fd, name, ret_value, size);
}

static int faulty_setxattr(struct os *os, int fd, const char *name, const void *value, size_t size)
{
    (void)os;
    int failure = os_faulty_count(true);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->setxattr(os_real(), fd, name, value, size);
}

static int faulty_flock(struct os *os, int fd, int operation)
{
    (void)os;
    int failure = os_faulty_count(false);
    if (failure) {
        errno = failure;
        return -1;
    }
    return os_real()->flock(os_real(), fd, operation);
}

static int faulty_fcntl_lease(struct os *os, int fd, int type)
{
    (void)os;
    int failure = os_faulty_count(false);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->fcntl_lease(os_real(), fd, type);
}

static int faulty_random(struct os *os, void *data, size_t size)
{
    (void)os;
    int failure = os_faulty_count(false);
    if (failure && failure != EINTR) {
        errno = failure;
        return -1;
    }
    return os_real()->random(os_real(), data, size);
}

struct os *os_faulty(enum fault fault, long at)
{
    faulty.fault = fault;
    faulty.at = at;
    faulty.calls = 0;
    faulty.os = *os_real();
    faulty.os.openat = faulty_openat;
    faulty.os.read = faulty_read;
    faulty.os.pread = faulty_pread;
    faulty.os.write = faulty_write;
    faulty.os.pwrite = faulty_pwrite;
    faulty.os.fsync = faulty_fsync;
    faulty.os.ftruncate = faulty_ftruncate;
    faulty.os.fallocate = faulty_fallocate;
    faulty.os.fstatat = faulty_fstatat;
    faulty.os.fstat = faulty_fstat;
    faulty.os.statvfs = faulty_statvfs;
    faulty.os.mkdirat = faulty_mkdirat;
    faulty.os.unlinkat = faulty_unlinkat;
    faulty.os.linkat = faulty_linkat;
    faulty.os.symlinkat = faulty_symlinkat;
    faulty.os.readlinkat = faulty_readlinkat;
    faulty.os.mknodat = faulty_mknodat;
    faulty.os.renameat2 = faulty_renameat2;
    faulty.os.fchmod = faulty_fchmod;
    faulty.os.fchownat = faulty_fchownat;
    faulty.os.utimensat = faulty_utimensat;
    faulty.os.fdopendir = faulty_fdopendir;
    faulty.os.readdir = faulty_readdir;
    faulty.os.openat2 = faulty_openat2;
    faulty.os.lseek = faulty_lseek;
    faulty.os.syncfs = faulty_syncfs;
    faulty.os.fchmodat = faulty_fchmodat;
    faulty.os.listxattr = faulty_listxattr;
    faulty.os.getxattr = faulty_getxattr;
    faulty.os.setxattr = faulty_setxattr;
    faulty.os.flock = faulty_flock;
    faulty.os.fcntl_lease = faulty_fcntl_lease;
    faulty.os.random = faulty_random;
    return &faulty.os;
}

long os_faulty_calls(void)
{
    return faulty.calls;
}

struct os *os_faulty_from_environment(void)
{
    static const struct {
        const char *name;
        enum fault fault;
    } kinds[] = {
        {"eio", FAULT_EIO},     {"nospace", FAULT_NO_SPACE},
        {"short", FAULT_SHORT}, {"interrupt", FAULT_INTERRUPT},
        {"dead", FAULT_DEAD},   {"kill", FAULT_KILL},
    };
    const char *text = getenv("KEDGE_TEST_FAULT");
    const char *colon = text ? strchr(text, ':') : NULL;
    for (size_t i = 0; colon && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strncmp(text, kinds[i].name, strlen(kinds[i].name)) == 0)
            return os_faulty(kinds[i].fault, strtol(colon + 1, NULL, 10));
    return os_faulty(FAULT_NONE, 0);
}
