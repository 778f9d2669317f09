#include "source/files_make.h"

#include "base/error.h"
#include "base/file.h"
#include "base/os.h"
#include "io/tar.h"
#include "source/files_beneath.h"
#include "source/files_direct.h"
#include "source/files_member.h"
#include "source/files_side.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* Room for larger files is asked for at once: less scattered, and a full disk shows early. */
#define ALLOCATE_FROM ((uint64_t)1 << 20)

void files_maker_init(struct files_maker *maker, struct os *os, const struct files_sides *sides,
                      bool repetitions, bool no_owner)
{
    *maker =
        (struct files_maker){.os = os, .sides = sides, .repetitions = repetitions, .parent_fd = -1};
    files_carrier_init(&maker->carrier, os, no_owner);
}

void files_maker_clear(struct files_maker *maker)
{
    files_carrier_clear(&maker->carrier);
    file_close(maker->os, &maker->parent_fd);
    free(maker->parent);
    maker->parent = NULL;
}

static int refuse(const char *path, int failed, struct error *err)
{
    if (failed == ELOOP || failed == ENOTDIR || failed == EXDEV)
        return error_set(err, ERROR_CORRUPT,
                         "member %s lies beneath something that is not a folder", path);
    return error_set_errno(err, ERROR_FAILED, failed, "make %s", path);
}

/* The folder `place` lies in, open until the next question; -1. */
static int parent_of(struct files_maker *maker, size_t side, const char *place, const char *path,
                     struct error *err)
{
    const char *base = path_base(place);
    size_t length = base == place ? 0 : (size_t)(base - place - 1);
    if (maker->parent && maker->parent_side == side && strlen(maker->parent) == length &&
        memcmp(maker->parent, place, length) == 0)
        return maker->parent_fd;
    file_close(maker->os, &maker->parent_fd);
    free(maker->parent);
    maker->parent = mem_string_n(place, length);
    maker->parent_side = side;
    maker->parent_fd =
        files_beneath_make(maker->os, maker->sides->items[side].fd, maker->parent, &maker->entries);
    if (maker->parent_fd >= 0)
        return maker->parent_fd;
    int failed = errno;
    free(STEAL(maker->parent));
    return refuse(path, failed, err);
}

static int twice(const char *path, struct error *err)
{
    error_set(err, ERROR_CORRUPT, "member %s exists already", path);
    return error_hint(err,
                      "the archive holds it twice, or another whose name the file system takes "
                      "for the same (upper and lower case, Unicode form)");
}

/* After EEXIST: 1 when what was there is gone and the caller may try again. */
static int clear_way(struct files_maker *maker, int folder, const char *name, const char *path,
                     struct error *err)
{
    if (!maker->repetitions || maker->os->unlinkat(maker->os, folder, name, 0) < 0)
        return twice(path, err);
    maker->entries--;
    return 1;
}

/* ---- one kind each ---- */

static int make_folder(struct files_maker *maker, int folder, const char *name,
                       const struct tar_member *header, struct error *err)
{
    struct os *os = maker->os;
    if (os->mkdirat(os, folder, name, 0755) == 0) {
        maker->entries++;
        return 0;
    }
    struct stat stat;
    int failed = errno;
    /* Made before, for something in it. */
    if (failed == EEXIST && os->fstatat(os, folder, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISDIR(stat.st_mode)) {
        maker->folders_repeated = true;
        return 0;
    }
    if (failed != EEXIST)
        return refuse(header->path, failed, err);
    if (clear_way(maker, folder, name, header->path, err) < 0)
        return -1;
    if (os->mkdirat(os, folder, name, 0755) < 0)
        return refuse(header->path, errno, err);
    maker->entries++;
    return 0;
}

/* The side folder is closed to others, so a file may have its own mode from the start, and mostly
 * keeps it. Attributes can only be set on what we may write. */
static mode_t first_mode(const struct tar_member *header)
{
    return header->attribute_count ? 0600 : header->mode & 0777;
}

static int make_once(struct files_maker *maker, int folder, const char *name,
                     const struct tar_member *header)
{
    struct os *os = maker->os;
    switch (header->type) {
    case TAR_SYMLINK:
        return os->symlinkat(os, header->link, folder, name);
    case TAR_FIFO:
        return os->mknodat(os, folder, name, S_IFIFO | 0600, 0);
    case TAR_CHARACTER_DEVICE:
        return os->mknodat(os, folder, name, S_IFCHR | 0600, makedev(header->major, header->minor));
    case TAR_BLOCK_DEVICE:
        return os->mknodat(os, folder, name, S_IFBLK | 0600, makedev(header->major, header->minor));
    default:
        return os->openat(os, folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
                          first_mode(header));
    }
}

static int make_leaf(struct files_maker *maker, int folder, const char *name,
                     const struct tar_member *header, struct error *err)
{
    int made = make_once(maker, folder, name, header);
    if (made < 0 && errno == EEXIST) {
        if (clear_way(maker, folder, name, header->path, err) < 0)
            return -1;
        made = make_once(maker, folder, name, header);
    }
    if (made < 0)
        return refuse(header->path, errno, err);
    maker->entries++;
    return made;
}

/* ---- files ---- */

bool files_make_waits(const struct files_member *member)
{
    return !member->header.sparse && member->header.size >= FILES_DIRECT_FROM;
}

static int open_file(struct files_maker *maker, struct files_member *member, struct error *err)
{
    int folder = parent_of(maker, member->side, member->place, member->header.path, err);
    if (folder < 0)
        return -1;
    int fd = make_leaf(maker, folder, path_base(member->place), &member->header, err);
    if (fd < 0)
        return -1;
    member->fd = fd;
    maker->made++;
    if (member->header.sparse || member->header.size < ALLOCATE_FROM)
        return 0;
    /* Only "no room" counts: not every file system can do it. */
    if (maker->os->fallocate(maker->os, fd, 0, 0, (off_t)member->header.size) < 0 &&
        (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
        return error_set_errno(err, ERROR_FAILED, errno, "make %s", member->header.path);
    if (files_make_waits(member))
        member->direct_fd = files_direct_open(maker->os, folder, path_base(member->place));
    return 0;
}

static int ensure_open(struct files_maker *maker, struct files_member *member, struct error *err)
{
    pthread_mutex_lock(&member->lock);
    int result = member->fd < 0 ? open_file(maker, member, err) : 0;
    pthread_mutex_unlock(&member->lock);
    return result;
}

static int finish(struct files_maker *maker, struct files_member *member, struct error *err)
{
    struct os *os = maker->os;
    if (member->header.sparse && os->ftruncate(os, member->fd, (off_t)member->header.real_size) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "make %s", member->header.path);
    if (files_carry_open(&maker->carrier, member->fd, &member->header, err) < 0)
        return -1;
    file_close(os, &member->fd);
    file_close(os, &member->direct_fd);
    return 0;
}

/* So much is done; whoever does the last of it finishes the file. */
static int done(struct files_maker *maker, struct files_member *member, uint64_t size,
                struct error *err)
{
    if (atomic_fetch_sub(&member->left, size) != size)
        return 0;
    return finish(maker, member, err);
}

static int write_sparse(struct files_maker *maker, struct files_member *member, const uint8_t *data,
                        size_t size, uint64_t offset, struct error *err)
{
    maker->cached += size;
    uint64_t at = 0;
    for (size_t i = 0; i < member->map.count && size; i++) {
        const struct tar_extent *extent = &member->map.extents[i];
        uint64_t skip = offset - at;
        if (offset >= at && skip < extent->length) {
            uint64_t room = extent->length - skip;
            size_t part = size < room ? size : (size_t)room;
            if (file_pwrite_all(maker->os, member->fd, data, part, extent->offset + skip,
                                member->header.path, err) < 0)
                return -1;
            data += part;
            size -= part;
            offset += part;
        }
        at += extent->length;
    }
    return 0;
}

static int write_plain(struct files_maker *maker, struct files_member *member, const uint8_t *data,
                       size_t size, uint64_t offset, struct error *err)
{
    size_t done = files_direct_write(maker->os, member->direct_fd, data, size, offset);
    maker->cached += size - done;
    return file_pwrite_all(maker->os, member->fd, data + done, size - done, offset + done,
                           member->header.path, err);
}

int files_make_content(struct files_maker *maker, struct files_member *member, const void *data,
                       size_t size, uint64_t offset, struct error *err)
{
    if (ensure_open(maker, member, err) < 0)
        return -1;
    int result = member->header.sparse ? write_sparse(maker, member, data, size, offset, err)
                                       : write_plain(maker, member, data, size, offset, err);
    if (result < 0)
        return -1;
    maker->bytes += size;
    return done(maker, member, size, err);
}

/* ---- everything ---- */

int files_make(struct files_maker *maker, struct files_member *member, struct error *err)
{
    const struct tar_member *header = &member->header;
    if (header->type == TAR_FILE)
        return ensure_open(maker, member, err) < 0 ? -1 : done(maker, member, 1, err);
    int folder = parent_of(maker, member->side, member->place, header->path, err);
    if (folder < 0)
        return -1;
    const char *name = path_base(member->place);
    maker->made++;
    if (header->type == TAR_FOLDER)
        return make_folder(maker, folder, name, header, err);
    if (make_leaf(maker, folder, name, header, err) < 0)
        return -1;
    return files_carry_name(&maker->carrier, folder, name, header, err);
}

int files_make_link(struct files_maker *maker, size_t side, const char *place, size_t target_side,
                    const char *target, const struct tar_member *header, struct error *err)
{
    struct os *os = maker->os;
    int folder = parent_of(maker, side, place, header->path, err);
    if (folder < 0)
        return -1;
    SCOPED(string) char *above = path_folder(target);
    int target_folder =
        files_beneath_open(os, maker->sides->items[target_side].fd,
                           strcmp(above, ".") == 0 ? "" : above, O_PATH | O_DIRECTORY, 0);
    if (target_folder < 0)
        return error_set_errno(err, ERROR_CORRUPT, errno, "link %s to %s", header->path,
                               header->link);
    const char *name = path_base(place), *target_name = path_base(target);
    int result = os->linkat(os, target_folder, target_name, folder, name, 0);
    int failed = errno;
    if (result < 0 && failed == EEXIST && maker->repetitions &&
        os->unlinkat(os, folder, name, 0) == 0) {
        maker->entries--;
        result = os->linkat(os, target_folder, target_name, folder, name, 0);
        failed = errno;
    }
    file_close(os, &target_folder);
    if (result == 0) {
        maker->made++;
        maker->entries++;
        return 0;
    }
    if (failed == EEXIST)
        return twice(header->path, err);
    error_set_errno(err, failed == ENOENT ? ERROR_CORRUPT : ERROR_FAILED, failed, "link %s to %s",
                    header->path, header->link);
    if (failed == ENOENT)
        error_hint(err, "the file it is a link to is not in the archive, or was left out");
    return -1;
}

int files_make_folder_final(struct files_maker *maker, size_t side, const char *place,
                            const struct tar_member *header, struct error *err)
{
    struct os *os = maker->os;
    int fd = files_beneath_open(os, maker->sides->items[side].fd, place, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return refuse(header->path, errno, err);
    int result = files_carry_open(&maker->carrier, fd, header, err);
    file_close(os, &fd);
    return result;
}
