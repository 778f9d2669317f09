#include "source/files_carry.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/os.h"
#include "io/tar.h"
#include "source/files_acl.h"
#include "source/files_names.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void files_carrier_init(struct files_carrier *carrier, struct os *os, bool no_owner)
{
    *carrier = (struct files_carrier){.os = os,
                                      .names = files_names_new(),
                                      .acl = BUF_INIT,
                                      .no_owner = no_owner,
                                      .root = geteuid() == 0};
}

void files_carrier_clear(struct files_carrier *carrier)
{
    if (carrier->owners_lost)
        log_warning("%lu files could not be given to their owners",
                    (unsigned long)carrier->owners_lost);
    if (carrier->attributes_lost)
        log_warning("%lu extended attributes or access lists could not be set",
                    (unsigned long)carrier->attributes_lost);
    files_names_free(carrier->names);
    buf_clear(&carrier->acl);
    *carrier = (struct files_carrier){0};
}

/* Names before numbers: on another machine the same person may have another number. */
static uid_t user_of(struct files_carrier *carrier, const struct tar_member *member)
{
    uint32_t id = member->uid;
    if (member->user)
        files_names_find_user(carrier->names, member->user, &id);
    return id;
}

static gid_t group_of(struct files_carrier *carrier, const struct tar_member *member)
{
    uint32_t id = member->gid;
    if (member->group)
        files_names_find_group(carrier->names, member->group, &id);
    return id;
}

/* False when the owner is not as the member says: then its set-id bits are nobody's business. */
static bool give(struct files_carrier *carrier, int fd, const char *name,
                 const struct tar_member *member, const struct stat *now, int flags)
{
    if (carrier->no_owner)
        return false;
    uid_t user = user_of(carrier, member);
    gid_t group = group_of(carrier, member);
    if (user == now->st_uid && group == now->st_gid)
        return true;
    if (carrier->os->fchownat(carrier->os, fd, name, user, group, flags) == 0)
        return true;
    /* An ordinary user keeps what is restored, as with every tar, but may choose a group. */
    carrier->owners_lost += carrier->root;
    carrier->os->fchownat(carrier->os, fd, name, (uid_t)-1, group, flags);
    return false;
}

static int set_attribute(struct files_carrier *carrier, int fd, const char *path, const char *name,
                         const void *value, size_t size, struct error *err)
{
    if (carrier->os->setxattr(carrier->os, fd, name, value, size) == 0)
        return 0;
    if (errno == ENOSPC || errno == EDQUOT || errno == EIO)
        return error_set_errno(err, ERROR_FAILED, errno, "set attribute %s of %s", name, path);
    log_debug("%s: attribute %s: %s", path, name, strerror(errno));
    carrier->attributes_lost++;
    return 0;
}

static int set_acl(struct files_carrier *carrier, int fd, const char *path, const char *name,
                   const char *text, struct error *err)
{
    if (!text)
        return 0;
    if (files_acl_from_text(carrier->names, text, &carrier->acl, err) < 0)
        return error_prefix(err, "%s", path);
    return set_attribute(carrier, fd, path, name, carrier->acl.data, carrier->acl.length, err);
}

static int set_attributes(struct files_carrier *carrier, int fd, const struct tar_member *member,
                          struct error *err)
{
    for (size_t i = 0; i < member->attribute_count; i++) {
        const struct tar_attribute *attribute = &member->attributes[i];
        if (set_attribute(carrier, fd, member->path, attribute->name, attribute->value,
                          attribute->size, err) < 0)
            return -1;
    }
    return 0;
}

/* After the mode, whose group bits would become the list's mask: not every tar states them alike.
 */
static int set_acls(struct files_carrier *carrier, int fd, const struct tar_member *member,
                    struct error *err)
{
    if (set_acl(carrier, fd, member->path, FILES_ACL_ACCESS, member->acl, err) < 0)
        return -1;
    return set_acl(carrier, fd, member->path, FILES_ACL_DEFAULT, member->default_acl, err);
}

static mode_t mode_of(const struct tar_member *member, bool given)
{
    mode_t mode = member->mode & 07777;
    /* A set-id bit without its owner would lend somebody else's rights. The sticky bit stays. */
    return given ? mode : mode & ~(mode_t)06000;
}

static void times_of(const struct tar_member *member, struct timespec ret_times[2])
{
    ret_times[0] = (struct timespec){.tv_nsec = UTIME_NOW};
    ret_times[1] = member->mtime;
}

int files_carry_open(struct files_carrier *carrier, int fd, const struct tar_member *member,
                     struct error *err)
{
    struct os *os = carrier->os;
    struct stat now;
    if (os->fstat(os, fd, &now) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "look at %s", member->path);
    bool given = give(carrier, fd, "", member, &now, AT_EMPTY_PATH);
    if (set_attributes(carrier, fd, member, err) < 0)
        return -1;
    /* A new owner takes set-id bits away, and those that are not wanted are none of a new file. */
    mode_t mode = mode_of(member, given);
    if ((mode != (now.st_mode & 07777) || mode & 06000) && os->fchmod(os, fd, mode) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "set the mode of %s", member->path);
    if (set_acls(carrier, fd, member, err) < 0)
        return -1;
    struct timespec times[2];
    times_of(member, times);
    if (os->utimensat(os, fd, NULL, times, 0) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "set the time of %s", member->path);
    return 0;
}

/* What is reached through a descriptor that reads nothing. */
static int carry_by_path(struct files_carrier *carrier, int folder, const char *name,
                         const struct tar_member *member, bool given, struct error *err)
{
    struct os *os = carrier->os;
    int fd = -1, result = 0;
    bool extras = member->attribute_count || member->acl;
    if (extras) {
        fd = os->openat(os, folder, name, O_PATH | O_NOFOLLOW, 0);
        result = fd < 0 ? error_set_errno(err, ERROR_FAILED, errno, "open %s", member->path)
                        : set_attributes(carrier, fd, member, err);
    }
    if (result == 0 && member->type != TAR_SYMLINK &&
        os->fchmodat(os, folder, name, mode_of(member, given), 0) < 0)
        result = error_set_errno(err, ERROR_FAILED, errno, "set the mode of %s", member->path);
    if (result == 0 && extras)
        result = set_acls(carrier, fd, member, err);
    file_close(os, &fd);
    return result;
}

int files_carry_name(struct files_carrier *carrier, int folder, const char *name,
                     const struct tar_member *member, struct error *err)
{
    struct os *os = carrier->os;
    struct stat now;
    if (os->fstatat(os, folder, name, &now, AT_SYMLINK_NOFOLLOW) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "look at %s", member->path);
    bool given = give(carrier, folder, name, member, &now, AT_SYMLINK_NOFOLLOW);
    if (carry_by_path(carrier, folder, name, member, given, err) < 0)
        return -1;
    struct timespec times[2];
    times_of(member, times);
    if (os->utimensat(os, folder, name, times, AT_SYMLINK_NOFOLLOW) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "set the time of %s", member->path);
    return 0;
}
