#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

static int real_openat(UNUSED struct os *os, int dir, const char *path, int flags, mode_t mode)
{
    return openat(dir, path, flags | O_CLOEXEC, mode);
}

static int real_openat2(UNUSED struct os *os, int dir, const char *path, int flags, mode_t mode,
                        uint64_t resolve)
{
    /* The kernel refuses a mode where nothing can be created. */
    struct open_how how = {.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
                           .mode = flags & O_CREAT ? mode : 0,
                           .resolve = resolve};
    return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}

static int real_close(UNUSED struct os *os, int fd)
{
    return close(fd);
}

static ssize_t real_read(UNUSED struct os *os, int fd, void *data, size_t size)
{
    return read(fd, data, size);
}

static ssize_t real_pread(UNUSED struct os *os, int fd, void *data, size_t size, off_t offset)
{
    return pread(fd, data, size, offset);
}

static ssize_t real_write(UNUSED struct os *os, int fd, const void *data, size_t size)
{
    return write(fd, data, size);
}

static ssize_t real_pwrite(UNUSED struct os *os, int fd, const void *data, size_t size,
                           off_t offset)
{
    return pwrite(fd, data, size, offset);
}

static off_t real_lseek(UNUSED struct os *os, int fd, off_t offset, int whence)
{
    return lseek(fd, offset, whence);
}

static int real_fsync(UNUSED struct os *os, int fd)
{
    return fsync(fd);
}

static int real_syncfs(UNUSED struct os *os, int fd)
{
    return syncfs(fd);
}

static int real_ftruncate(UNUSED struct os *os, int fd, off_t size)
{
    return ftruncate(fd, size);
}

static int real_fallocate(UNUSED struct os *os, int fd, int mode, off_t offset, off_t size)
{
    return fallocate(fd, mode, offset, size);
}

static int real_fadvise(UNUSED struct os *os, int fd, off_t offset, off_t size, int advice)
{
    return posix_fadvise(fd, offset, size, advice);
}

static int real_sync_file_range(UNUSED struct os *os, int fd, off_t offset, off_t size,
                                unsigned flags)
{
    return sync_file_range(fd, offset, size, flags);
}

static int real_fstatat(UNUSED struct os *os, int dir, const char *path, struct stat *ret_stat,
                        int flags)
{
    return fstatat(dir, path, ret_stat, flags);
}

static int real_fstat(UNUSED struct os *os, int fd, struct stat *ret_stat)
{
    return fstat(fd, ret_stat);
}

static int real_statvfs(UNUSED struct os *os, const char *path, struct statvfs *ret_space)
{
    return statvfs(path, ret_space);
}

static int real_mkdirat(UNUSED struct os *os, int dir, const char *path, mode_t mode)
{
    return mkdirat(dir, path, mode);
}

static int real_unlinkat(UNUSED struct os *os, int dir, const char *path, int flags)
{
    return unlinkat(dir, path, flags);
}

static int real_linkat(UNUSED struct os *os, int old_dir, const char *old_path, int new_dir,
                       const char *new_path, int flags)
{
    return linkat(old_dir, old_path, new_dir, new_path, flags);
}

static int real_symlinkat(UNUSED struct os *os, const char *content, int dir, const char *path)
{
    return symlinkat(content, dir, path);
}

static ssize_t real_readlinkat(UNUSED struct os *os, int dir, const char *path, char *data,
                               size_t size)
{
    return readlinkat(dir, path, data, size);
}

static int real_mknodat(UNUSED struct os *os, int dir, const char *path, mode_t mode, dev_t device)
{
    return mknodat(dir, path, mode, device);
}

static int real_renameat2(UNUSED struct os *os, int old_dir, const char *old_path, int new_dir,
                          const char *new_path, unsigned flags)
{
    return (int)syscall(SYS_renameat2, old_dir, old_path, new_dir, new_path, flags);
}

static int real_fchmod(UNUSED struct os *os, int fd, mode_t mode)
{
    return fchmod(fd, mode);
}

static int real_fchmodat(UNUSED struct os *os, int dir, const char *path, mode_t mode, int flags)
{
    return fchmodat(dir, path, mode, flags);
}

static int real_fchownat(UNUSED struct os *os, int dir, const char *path, uid_t user, gid_t group,
                         int flags)
{
    return fchownat(dir, path, user, group, flags);
}

static int real_utimensat(UNUSED struct os *os, int dir, const char *path,
                          const struct timespec times[2], int flags)
{
    /* For the descriptor itself the C library has a function of its own. */
    return path ? utimensat(dir, path, times, flags) : futimens(dir, times);
}

/* An O_PATH descriptor refuses these calls (EBADF), but its name under /proc leads to the same
 * thing, a symbolic link included. */
struct fd_path {
    char text[40];
};

static struct fd_path fd_path(int fd)
{
    struct fd_path path;
    snprintf(path.text, sizeof path.text, "/proc/self/fd/%d", fd);
    return path;
}

static ssize_t real_listxattr(UNUSED struct os *os, int fd, char *ret_names, size_t size)
{
    ssize_t got = flistxattr(fd, ret_names, size);
    return got < 0 && errno == EBADF ? listxattr(fd_path(fd).text, ret_names, size) : got;
}

static ssize_t real_getxattr(UNUSED struct os *os, int fd, const char *name, void *ret_value,
                             size_t size)
{
    ssize_t got = fgetxattr(fd, name, ret_value, size);
    return got < 0 && errno == EBADF ? getxattr(fd_path(fd).text, name, ret_value, size) : got;
}

static int real_setxattr(UNUSED struct os *os, int fd, const char *name, const void *value,
                         size_t size)
{
    int result = fsetxattr(fd, name, value, size, 0);
    return result < 0 && errno == EBADF ? setxattr(fd_path(fd).text, name, value, size, 0) : result;
}

static DIR *real_fdopendir(UNUSED struct os *os, int fd)
{
    return fdopendir(fd);
}

static struct dirent *real_readdir(UNUSED struct os *os, DIR *folder)
{
    errno = 0;
    return readdir(folder);
}

static int real_closedir(UNUSED struct os *os, DIR *folder)
{
    return closedir(folder);
}

static int real_flock(UNUSED struct os *os, int fd, int operation)
{
    return flock(fd, operation);
}

static int real_fcntl_lease(UNUSED struct os *os, int fd, int type)
{
    return fcntl(fd, F_SETLEASE, type);
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t real_clock_wall_ns(UNUSED struct os *os)
{
    return clock_ns(CLOCK_REALTIME);
}

static int64_t real_clock_monotonic_ns(UNUSED struct os *os)
{
    return clock_ns(CLOCK_MONOTONIC);
}

static void real_sleep_ms(UNUSED struct os *os, int64_t duration_ms)
{
    struct timespec rest = {.tv_sec = duration_ms / 1000,
                            .tv_nsec = (duration_ms % 1000) * 1000000};
    /* A signal cuts the sleep short on purpose: the caller looks at the stop flag next. */
    nanosleep(&rest, NULL);
}

static int real_random(UNUSED struct os *os, void *data, size_t size)
{
    char *at = data;
    while (size) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        at += got;
        size -= (size_t)got;
    }
    return 0;
}

static pid_t real_getpid(UNUSED struct os *os)
{
    return getpid();
}

static int real_kill(UNUSED struct os *os, pid_t pid, int signal)
{
    return kill(pid, signal);
}

static struct os real = {
    .openat = real_openat,
    .openat2 = real_openat2,
    .close = real_close,
    .read = real_read,
    .pread = real_pread,
    .write = real_write,
    .pwrite = real_pwrite,
    .lseek = real_lseek,
    .fsync = real_fsync,
    .syncfs = real_syncfs,
    .ftruncate = real_ftruncate,
    .fallocate = real_fallocate,
    .fadvise = real_fadvise,
    .sync_file_range = real_sync_file_range,
    .fstatat = real_fstatat,
    .fstat = real_fstat,
    .statvfs = real_statvfs,
    .mkdirat = real_mkdirat,
    .unlinkat = real_unlinkat,
    .linkat = real_linkat,
    .symlinkat = real_symlinkat,
    .readlinkat = real_readlinkat,
    .mknodat = real_mknodat,
    .renameat2 = real_renameat2,
    .fchmod = real_fchmod,
    .fchmodat = real_fchmodat,
    .fchownat = real_fchownat,
    .utimensat = real_utimensat,
    .listxattr = real_listxattr,
    .getxattr = real_getxattr,
    .setxattr = real_setxattr,
    .fdopendir = real_fdopendir,
    .readdir = real_readdir,
    .closedir = real_closedir,
    .flock = real_flock,
    .fcntl_lease = real_fcntl_lease,
    .clock_wall_ns = real_clock_wall_ns,
    .clock_monotonic_ns = real_clock_monotonic_ns,
    .sleep_ms = real_sleep_ms,
    .random = real_random,
    .getpid = real_getpid,
    .kill = real_kill,
};

struct os *os_real(void)
{
    return &real;
}

/* /proc files are read with the plain slots so that a test can invent them. */
static ssize_t read_small_file(struct os *os, const char *path, char *data, size_t size)
{
    int fd = os->openat(os, AT_FDCWD, path, O_RDONLY, 0);
    if (fd < 0)
        return -1;
    ssize_t got = os->read(os, fd, data, size - 1);
    os->close(os, fd);
    if (got >= 0)
        data[got] = '\0';
    return got;
}

int os_process_start(struct os *os, pid_t pid, uint64_t *ret_ticks)
{
    char path[64];
    char text[2048];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    if (read_small_file(os, path, text, sizeof text) <= 0)
        return os->kill(os, pid, 0) < 0 && errno == ESRCH ? 0 : -1;
    /* The second field is the program's name in parentheses and may hold anything: count from the
     * last one. */
    const char *field = strrchr(text, ')');
    /* One that has ended and waits for its parent to notice works on nothing any more. */
    if (field && (strncmp(field, ") Z", 3) == 0 || strncmp(field, ") X", 3) == 0))
        return 0;
    for (int skipped = 0; field && skipped < 20; skipped++)
        field = strchr(field + 1, ' ');
    if (!field)
        return -1;
    *ret_ticks = strtoull(field + 1, NULL, 10);
    return 1;
}

void os_boot_id(struct os *os, char ret_id[static 37])
{
    char text[64];
    ret_id[0] = '\0';
    if (read_small_file(os, "/proc/sys/kernel/random/boot_id", text, sizeof text) >= 36) {
        memcpy(ret_id, text, 36);
        ret_id[36] = '\0';
    }
}
