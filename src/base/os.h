/*
 * The operating system as a table.
 *
 * Whatever kedge asks of the kernel goes through one of these slots: files and folders, the clocks,
 * random bytes, other processes. The real table is os_real(); tests use one that fails the n-th
 * call, writes short, runs out of space or stops for good (tests/harness). Slots behave as the
 * system call of their name does: -1 and errno on failure. Callers want base/file.h, which adds
 * errors, retries and whole reads and writes.
 *
 * Libraries (SQLite, libpq, libcurl) make their own calls; tests reach those in other ways.
 */
#ifndef KEDGE_BASE_OS_H
#define KEDGE_BASE_OS_H

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

struct os {
    int (*openat)(struct os *os, int dir, const char *path, int flags, mode_t mode);
    /* Resolves `path` under the rules of `resolve` (RESOLVE_BENEATH, ...); ENOSYS where the kernel
     * has no such call. */
    int (*openat2)(struct os *os, int dir, const char *path, int flags, mode_t mode,
                   uint64_t resolve);
    int (*close)(struct os *os, int fd);
    ssize_t (*read)(struct os *os, int fd, void *data, size_t size);
    ssize_t (*pread)(struct os *os, int fd, void *data, size_t size, off_t offset);
    ssize_t (*write)(struct os *os, int fd, const void *data, size_t size);
    ssize_t (*pwrite)(struct os *os, int fd, const void *data, size_t size, off_t offset);
    off_t (*lseek)(struct os *os, int fd, off_t offset, int whence);
    int (*fsync)(struct os *os, int fd);
    int (*syncfs)(struct os *os, int fd);
    int (*ftruncate)(struct os *os, int fd, off_t size);
    int (*fallocate)(struct os *os, int fd, int mode, off_t offset, off_t size);
    /* The answer is an errno, not -1. */
    int (*fadvise)(struct os *os, int fd, off_t offset, off_t size, int advice);
    int (*sync_file_range)(struct os *os, int fd, off_t offset, off_t size, unsigned flags);
    int (*fstatat)(struct os *os, int dir, const char *path, struct stat *ret_stat, int flags);
    int (*fstat)(struct os *os, int fd, struct stat *ret_stat);
    int (*statvfs)(struct os *os, const char *path, struct statvfs *ret_space);
    int (*mkdirat)(struct os *os, int dir, const char *path, mode_t mode);
    int (*unlinkat)(struct os *os, int dir, const char *path, int flags);
    int (*linkat)(struct os *os, int old_dir, const char *old_path, int new_dir,
                  const char *new_path, int flags);
    int (*symlinkat)(struct os *os, const char *content, int dir, const char *path);
    ssize_t (*readlinkat)(struct os *os, int dir, const char *path, char *data, size_t size);
    int (*mknodat)(struct os *os, int dir, const char *path, mode_t mode, dev_t device);
    int (*renameat2)(struct os *os, int old_dir, const char *old_path, int new_dir,
                     const char *new_path, unsigned flags);
    int (*fchmod)(struct os *os, int fd, mode_t mode);
    int (*fchmodat)(struct os *os, int dir, const char *path, mode_t mode, int flags);
    int (*fchownat)(struct os *os, int dir, const char *path, uid_t user, gid_t group, int flags);
    /* A NULL path means `dir` itself, whatever it is. */
    int (*utimensat)(struct os *os, int dir, const char *path, const struct timespec times[2],
                     int flags);
    /* Extended attributes of the very thing that is open, by an O_PATH descriptor too. */
    ssize_t (*listxattr)(struct os *os, int fd, char *ret_names, size_t size);
    ssize_t (*getxattr)(struct os *os, int fd, const char *name, void *ret_value, size_t size);
    int (*setxattr)(struct os *os, int fd, const char *name, const void *value, size_t size);
    DIR *(*fdopendir)(struct os *os, int fd);
    struct dirent *(*readdir)(struct os *os, DIR *folder); /* NULL and errno 0 at the end */
    int (*closedir)(struct os *os, DIR *folder);
    int (*flock)(struct os *os, int fd, int operation);
    int (*fcntl_lease)(struct os *os, int fd, int type); /* F_SETLEASE */

    int64_t (*clock_wall_ns)(struct os *os);      /* since 1970, UTC */
    int64_t (*clock_monotonic_ns)(struct os *os); /* for every deadline */
    void (*sleep_ms)(struct os *os, int64_t duration_ms);
    int (*random)(struct os *os, void *data, size_t size); /* all of it, or -1 */

    pid_t (*getpid)(struct os *os);
    int (*kill)(struct os *os, pid_t pid, int signal);
};

/* The one that asks the kernel. Never freed. */
struct os *os_real(void);

/* When a process was started, in clock ticks since boot (field 22 of /proc/PID/stat), so that a
 * recycled pid is not taken for the process that had it before. 1; 0 when there is no such process,
 * or it has ended and waits for its parent; -1 when that cannot be told: it lives, but /proc hides
 * it, or this process can open no more files. */
int os_process_start(struct os *os, pid_t pid, uint64_t *ret_ticks);

/* This boot's id, 36 characters and NUL; empty when the kernel does not tell. */
void os_boot_id(struct os *os, char ret_id[static 37]);

#endif
