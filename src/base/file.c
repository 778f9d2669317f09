#include "base/file.h"

#include "base/error.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_at(struct os *os, int dir, const char *name, const char *path, int flags,
                   mode_t mode, struct error *err)
{
    int fd = -1;
    do
        fd = os->openat(os, dir, name, flags, mode);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "open %s", path);
    return fd;
}

int file_open(struct os *os, const char *path, int flags, mode_t mode, struct error *err)
{
    return open_at(os, AT_FDCWD, path, path, flags, mode, err);
}

void file_close(struct os *os, int *fd)
{
    if (*fd >= 0)
        os->close(os, *fd);
    *fd = -1;
}

int file_write_all(struct os *os, int fd, const void *data, size_t size, const char *path,
                   struct error *err)
{
    const char *at = data;
    while (size) {
        ssize_t done = os->write(os, fd, at, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return error_set_errno(err, ERROR_FAILED, errno, "write %s", path);
        at += done;
        size -= (size_t)done;
    }
    return 0;
}

int file_pwrite_all(struct os *os, int fd, const void *data, size_t size, uint64_t offset,
                    const char *path, struct error *err)
{
    const char *at = data;
    while (size) {
        ssize_t done = os->pwrite(os, fd, at, size, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return error_set_errno(err, ERROR_FAILED, errno, "write %s", path);
        at += done;
        offset += (uint64_t)done;
        size -= (size_t)done;
    }
    return 0;
}

int file_pread(struct os *os, int fd, void *data, size_t size, uint64_t offset, size_t *ret_size,
               const char *path, struct error *err)
{
    char *at = data;
    size_t total = 0;
    while (total < size) {
        ssize_t got = os->pread(os, fd, at + total, size - total, (off_t)(offset + total));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, ERROR_FAILED, errno, "read %s", path);
        if (got == 0)
            break;
        total += (size_t)got;
    }
    *ret_size = total;
    return 0;
}

int file_read_all(struct os *os, const char *path, struct buf *buf, struct error *err)
{
    return file_read_at(os, AT_FDCWD, path, path, buf, err);
}

int file_read_at(struct os *os, int dir, const char *name, const char *path, struct buf *buf,
                 struct error *err)
{
    int fd = open_at(os, dir, name, path, O_RDONLY | O_NOCTTY, 0, err);
    if (fd < 0)
        return -1;
    int result = 0;
    size_t used = 0;
    char piece[16384];
    for (;;) {
        ssize_t got = os->read(os, fd, piece, sizeof piece);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            result = error_set_errno(err, ERROR_FAILED, errno, "read %s", path);
        if (got <= 0)
            break;
        used = (size_t)got > used ? (size_t)got : used;
        buf_append(buf, piece, (size_t)got);
        if (buf_check(buf, path, err) < 0) {
            result = -1;
            break;
        }
    }
    mem_wipe(piece, used);
    file_close(os, &fd);
    return result;
}

int file_write_atomic(struct os *os, const char *path, const void *data, size_t size, mode_t mode,
                      struct error *err)
{
    SCOPED(string) char *folder = path_folder(path);
    SCOPED(string) char *temporary = mem_format("%s.%ld.tmp", path, (long)os->getpid(os));
    int fd = file_open(os, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode, err);
    if (fd < 0)
        return -1;
    int result = file_write_all(os, fd, data, size, temporary, err);
    if (result == 0)
        result = file_sync(os, fd, temporary, err);
    file_close(os, &fd);
    if (result == 0)
        result = file_rename(os, temporary, path, err);
    if (result < 0) {
        os->unlinkat(os, AT_FDCWD, temporary, 0);
        return -1;
    }
    return folder_sync(os, folder, err);
}

int file_sync(struct os *os, int fd, const char *path, struct error *err)
{
    int result = -1;
    do
        result = os->fsync(os, fd);
    while (result < 0 && errno == EINTR);
    if (result < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "sync %s", path);
    return 0;
}

int folder_sync(struct os *os, const char *path, struct error *err)
{
    int fd = file_open(os, path, O_RDONLY | O_DIRECTORY, 0, err);
    if (fd < 0)
        return -1;
    int result = file_sync(os, fd, path, err);
    file_close(os, &fd);
    return result;
}

static int make_one(struct os *os, const char *path, mode_t mode, struct error *err)
{
    if (os->mkdirat(os, AT_FDCWD, path, mode) == 0)
        return 0;
    int made = errno;
    struct stat there;
    if (made == EEXIST && os->fstatat(os, AT_FDCWD, path, &there, 0) == 0) {
        if (S_ISDIR(there.st_mode))
            return 0;
        return error_set(err, ERROR_FAILED, "%s is not a folder", path);
    }
    return error_set_errno(err, ERROR_FAILED, made, "make folder %s", path);
}

int folder_make(struct os *os, const char *path, mode_t mode, struct error *err)
{
    struct stat there;
    if (os->fstatat(os, AT_FDCWD, path, &there, 0) == 0 && S_ISDIR(there.st_mode))
        return 0;
    SCOPED(string) char *part = mem_string(path);
    for (char *slash = part[0] ? strchr(part + 1, '/') : NULL; slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (os->fstatat(os, AT_FDCWD, part, &there, 0) != 0 && make_one(os, part, mode, err) < 0)
            return -1;
        *slash = '/';
    }
    return make_one(os, part, mode, err);
}

int file_stat(struct os *os, const char *path, struct stat *ret_stat, struct error *err)
{
    if (os->fstatat(os, AT_FDCWD, path, ret_stat, 0) == 0)
        return 1;
    if (errno == ENOENT || errno == ENOTDIR)
        return 0;
    return error_set_errno(err, ERROR_FAILED, errno, "look at %s", path);
}

int file_remove(struct os *os, const char *path, struct error *err)
{
    if (os->unlinkat(os, AT_FDCWD, path, 0) == 0 || errno == ENOENT)
        return 0;
    return error_set_errno(err, ERROR_FAILED, errno, "remove %s", path);
}

int file_rename_noreplace(struct os *os, const char *from, const char *to, struct error *err)
{
    if (os->renameat2(os, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 1;
    if (errno == EEXIST)
        return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
        return error_set_errno(err, ERROR_FAILED, errno, "rename %s to %s", from, to);

    if (os->linkat(os, AT_FDCWD, from, AT_FDCWD, to, 0) < 0) {
        if (errno == EEXIST)
            return 0;
        return error_set_errno(err, ERROR_FAILED, errno, "link %s to %s", from, to);
    }
    if (os->unlinkat(os, AT_FDCWD, from, 0) < 0) {
        error_set_errno(err, ERROR_FAILED, errno, "remove %s", from);
        os->unlinkat(os, AT_FDCWD, to, 0); /* ours since the link: a failure leaves no new name */
        return -1;
    }
    return 1;
}

int file_rename(struct os *os, const char *from, const char *to, struct error *err)
{
    if (os->renameat2(os, AT_FDCWD, from, AT_FDCWD, to, 0) == 0)
        return 0;
    return error_set_errno(err, ERROR_FAILED, errno, "rename %s to %s", from, to);
}

int file_free_space(struct os *os, const char *path, uint64_t *ret_bytes, struct error *err)
{
    SCOPED(string) char *part = path_absolute(path);
    struct statvfs space;
    while (os->statvfs(os, part, &space) < 0) {
        char *slash = strrchr(part, '/');
        if (errno != ENOENT || !slash || slash == part)
            return error_set_errno(err, ERROR_FAILED, errno, "free space of %s", path);
        *slash = '\0';
    }
    *ret_bytes = (uint64_t)space.f_bavail * space.f_frsize;
    return 0;
}

/* Takes the descriptor. */
static int visit_entries(struct os *os, int fd, const char *path, file_entry_fn *visit,
                         void *context, struct error *err)
{
    DIR *folder = os->fdopendir(os, fd);
    if (!folder) {
        int failed = errno;
        file_close(os, &fd);
        return error_set_errno(err, ERROR_FAILED, failed, "list %s", path);
    }
    int result = 0;
    while (result == 0) {
        errno = 0;
        struct dirent *entry = os->readdir(os, folder);
        if (!entry && errno)
            result = error_set_errno(err, ERROR_FAILED, errno, "list %s", path);
        if (!entry)
            break;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = visit(context, entry->d_name, entry->d_type, err);
    }
    os->closedir(os, folder);
    return result;
}

int folder_entries(struct os *os, const char *path, file_entry_fn *visit, void *context,
                   struct error *err)
{
    int fd = file_open(os, path, O_RDONLY | O_DIRECTORY, 0, err);
    return fd < 0 ? -1 : visit_entries(os, fd, path, visit, context, err);
}

int folder_entries_at(struct os *os, int folder, const char *name, file_entry_fn *visit,
                      void *context, struct error *err)
{
    int fd = os->openat(os, folder, ".", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "list %s", name);
    return visit_entries(os, fd, name, visit, context, err);
}

struct name_visit {
    file_visit_fn *visit;
    void *context;
};

static int visit_name(void *context, const char *name, unsigned char type, struct error *err)
{
    const struct name_visit *each = context;
    (void)type;
    return each->visit(each->context, name, err);
}

int folder_list(struct os *os, const char *path, file_visit_fn *visit, void *context,
                struct error *err)
{
    struct name_visit each = {visit, context};
    return folder_entries(os, path, visit_name, &each, err);
}

char *path_join(const char *folder, const char *name)
{
    size_t length = strlen(folder);
    return mem_format("%s%s%s", folder, length && folder[length - 1] == '/' ? "" : "/", name);
}

char *path_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return mem_string(".");
    return mem_string_n(path, slash == path ? 1 : (size_t)(slash - path));
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool path_holds(const char *folder, const char *path)
{
    size_t length = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || !path[length]);
}

char *path_absolute(const char *path)
{
    char folder[PATH_MAX];
    bool relative = path[0] != '/' && getcwd(folder, sizeof folder);
    char *absolute = relative ? path_join(folder, path) : mem_string(path);
    size_t length = strlen(absolute);
    while (length > 1 && absolute[length - 1] == '/')
        absolute[--length] = '\0';
    return absolute;
}
