#include "source/files_beneath.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STEP (O_PATH | O_DIRECTORY | O_NOFOLLOW)

static void close_kept_errno(struct os *os, int *fd)
{
    int failed = errno;
    file_close(os, fd);
    errno = failed;
}

/* Without openat2: each component from the folder before it. */
static int open_by_steps(struct os *os, int folder, const char *path, int flags, mode_t mode)
{
    int at = folder;
    for (;;) {
        const char *slash = strchr(path, '/');
        size_t length = slash ? (size_t)(slash - path) : strlen(path);
        SCOPED(string) char *name = mem_string_n(path, length);
        int next = -1;
        if (strcmp(name, "..") == 0)
            errno = EXDEV;
        else if (slash)
            next = os->openat(os, at, name, STEP, 0);
        else
            next = os->openat(os, at, name, flags | O_NOFOLLOW, mode);
        if (at != folder)
            close_kept_errno(os, &at);
        if (next < 0 || !slash)
            return next;
        at = next;
        path = slash + 1;
    }
}

static int open_short(struct os *os, int folder, const char *path, int flags, mode_t mode)
{
    int fd = os->openat2(os, folder, path, flags, mode,
                         RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        fd = open_by_steps(os, folder, path, flags, mode);
    return fd;
}

/* The longest path that is given to the kernel at once. */
#define PIECE_MAXIMUM ((size_t)PATH_MAX - 256)

int files_beneath_open(struct os *os, int folder, const char *path, int flags, mode_t mode)
{
    int at = folder;
    while (strlen(path) > PIECE_MAXIMUM) {
        const char *cut = memrchr(path, '/', PIECE_MAXIMUM);
        SCOPED(string) char *piece = mem_string_n(path, cut ? (size_t)(cut - path) : 0);
        int next = cut ? open_short(os, at, piece, O_PATH | O_DIRECTORY, 0) : -1;
        if (!cut)
            errno = ENAMETOOLONG;
        if (at != folder)
            close_kept_errno(os, &at);
        if (next < 0)
            return -1;
        at = next;
        path = cut + 1;
    }
    int fd = open_short(os, at, path[0] ? path : ".", flags, mode);
    if (at != folder)
        close_kept_errno(os, &at);
    return fd;
}

/* One step down, made where it is missing. */
static int open_or_make(struct os *os, int folder, const char *name, uint64_t *made)
{
    /* Another thread may be quicker. */
    if (os->mkdirat(os, folder, name, 0755) == 0)
        (*made)++;
    else if (errno != EEXIST)
        return -1;
    return os->openat(os, folder, name, STEP, 0);
}

int files_beneath_make(struct os *os, int folder, const char *path, uint64_t *made)
{
    int fd = files_beneath_open(os, folder, path, O_PATH | O_DIRECTORY, 0);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    int at = folder;
    while (*path) {
        size_t length = strcspn(path, "/");
        SCOPED(string) char *name = mem_string_n(path, length);
        int next = open_or_make(os, at, name, made);
        if (at != folder)
            close_kept_errno(os, &at);
        if (next < 0)
            return -1;
        at = next;
        path += length;
        path += *path == '/';
    }
    return at;
}

int files_beneath_top(struct os *os, const char *absolute, int flags)
{
    int top = os->openat(os, AT_FDCWD, "/", STEP, 0);
    if (top < 0)
        return -1;
    int fd = files_beneath_open(os, top, absolute + strspn(absolute, "/"), flags, 0);
    close_kept_errno(os, &top);
    return fd;
}

bool files_beneath_mounted(struct os *os, int folder, const char *name)
{
    int fd = os->openat2(os, folder, name, O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_XDEV);
    bool mounted = fd < 0 && errno == EXDEV;
    if (fd < 0 && errno == ENOSYS) {
        struct stat here, there;
        mounted = os->fstat(os, folder, &here) == 0 &&
                  os->fstatat(os, folder, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
                  here.st_dev != there.st_dev;
    }
    file_close(os, &fd);
    return mounted;
}

/* ---- removal ---- */

/* Folders deeper than this are moved to the top first, so that descriptors stay few. */
#define DEPTH_MAXIMUM 64

struct removal {
    struct os *os;
    int top;
    unsigned moved;
    bool moved_some;
};

static int remove_content(struct removal *removal, int folder, int depth, struct error *err);

static int remove_name(struct removal *removal, int folder, const char *name, int depth,
                       struct error *err)
{
    struct os *os = removal->os;
    int result = os->unlinkat(os, folder, name, 0);
    /* A folder of our own that forbids it. */
    if (result < 0 && errno == EACCES && os->fchmod(os, folder, 0700) == 0)
        result = os->unlinkat(os, folder, name, 0);
    if (result == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM && errno != EACCES)
        return error_set_errno(err, ERROR_FAILED, errno, "remove %s", name);
    int failed = errno;
    int fd = os->openat(os, folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0 && errno == EACCES && os->fchmodat(os, folder, name, 0700, 0) == 0)
        fd = os->openat(os, folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0)
        return error_set_errno(err, ERROR_FAILED, errno == ENOTDIR ? failed : errno, "remove %s",
                               name);
    result = remove_content(removal, fd, depth + 1, err);
    file_close(os, &fd);
    if (result < 0)
        return -1;
    if (os->unlinkat(os, folder, name, AT_REMOVEDIR) < 0 && errno != ENOENT &&
        !(errno == ENOTEMPTY && removal->moved_some))
        return error_set_errno(err, ERROR_FAILED, errno, "remove %s", name);
    return 0;
}

static int move_up(struct removal *removal, int folder, const char *name, struct error *err)
{
    struct os *os = removal->os;
    char free_name[40];
    do
        snprintf(free_name, sizeof free_name, ".kedge-deep-%u", removal->moved++);
    while (os->renameat2(os, folder, name, removal->top, free_name, RENAME_NOREPLACE) < 0 &&
           errno == EEXIST);
    struct stat stat;
    if (os->fstatat(os, removal->top, free_name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "remove %s", name);
    removal->moved_some = true;
    return 0;
}

struct visit {
    struct removal *removal;
    int folder;
    int depth;
};

static int visit_entry(void *context, const char *name, unsigned char type, struct error *err)
{
    const struct visit *visit = context;
    struct os *os = visit->removal->os;
    struct stat stat;
    bool is_folder = type == DT_DIR;
    if (type == DT_UNKNOWN)
        is_folder = os->fstatat(os, visit->folder, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
                    S_ISDIR(stat.st_mode);
    if (visit->depth >= DEPTH_MAXIMUM && is_folder)
        return move_up(visit->removal, visit->folder, name, err);
    return remove_name(visit->removal, visit->folder, name, visit->depth, err);
}

static int remove_content(struct removal *removal, int folder, int depth, struct error *err)
{
    struct visit visit = {.removal = removal, .folder = folder, .depth = depth};
    return folder_entries_at(removal->os, folder, "a folder that is to be removed", visit_entry,
                             &visit, err);
}

int files_beneath_remove(struct os *os, int folder, const char *name, struct error *err)
{
    struct removal removal = {.os = os, .top = -1};
    if (os->unlinkat(os, folder, name, 0) == 0 || errno == ENOENT || errno == ENOTDIR)
        return 0;
    removal.top = os->openat(os, folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (removal.top < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "remove %s", name);
    int result = 0;
    do {
        removal.moved_some = false;
        result = remove_content(&removal, removal.top, 1, err);
    } while (result == 0 && removal.moved_some);
    file_close(os, &removal.top);
    if (result < 0)
        return -1;
    if (os->unlinkat(os, folder, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return error_set_errno(err, ERROR_FAILED, errno, "remove %s", name);
    return 0;
}
