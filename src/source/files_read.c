#include "source/files_read.h"

#include "base/error.h"
#include "base/file.h"
#include "base/os.h"
#include "base/segment.h"
#include "io/tar.h"
#include "source/files_acl.h"
#include "source/files_entry.h"
#include "source/files_names.h"
#include "source/files_report.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

struct files_reader {
    struct os *os;
    struct segment_sink *sink;
    struct files_report *report;
    struct files_names *names;
    struct buf header;
    struct buf values; /* of attributes, one after the other */
    struct buf acl, default_acl;
    struct tar_attribute *attributes;
    size_t attribute_capacity;
    uint64_t members, bytes;
    char list[XATTR_LIST_MAX];
    char value[XATTR_SIZE_MAX];
};

struct files_reader *files_reader_new(struct os *os, struct segment_sink *sink,
                                      struct files_report *report)
{
    struct files_reader *reader = MEM_NEW(struct files_reader);
    reader->os = os;
    reader->sink = sink;
    reader->report = report;
    reader->names = files_names_new();
    reader->header = reader->values = reader->acl = reader->default_acl = BUF_INIT;
    return reader;
}

void files_reader_free(struct files_reader *reader)
{
    if (!reader)
        return;
    files_names_free(reader->names);
    buf_clear(&reader->header);
    buf_clear(&reader->values);
    buf_clear(&reader->acl);
    buf_clear(&reader->default_acl);
    free(reader->attributes);
    free(reader);
}

uint64_t files_reader_members(const struct files_reader *reader)
{
    return reader->members;
}

uint64_t files_reader_bytes(const struct files_reader *reader)
{
    return reader->bytes;
}

static int make_room(struct files_reader *reader, struct segment *segment, size_t size,
                     struct error *err)
{
    if (segment_room(segment) >= size)
        return 0;
    size_t capacity = segment->size + size;
    /* In steps, so that a run of small ones does not copy the segment each time. */
    capacity += capacity / 8;
    return reader->sink->ops->grow(reader->sink, segment, capacity, err);
}

/* ---- attributes ---- */

/* The file system's own properties are not the file's. */
static bool kept(const char *name)
{
    return strncmp(name, "user.", 5) == 0 || strncmp(name, "trusted.", 8) == 0 ||
           strncmp(name, "security.", 9) == 0;
}

static bool is_acl(const char *name)
{
    return strcmp(name, FILES_ACL_ACCESS) == 0 || strcmp(name, FILES_ACL_DEFAULT) == 0;
}

static void take_attribute(struct files_reader *reader, const char *member, int fd,
                           const char *name, struct tar_member *header)
{
    ssize_t size = reader->os->getxattr(reader->os, fd, name, reader->value, sizeof reader->value);
    if (size < 0) {
        /* ENODATA: removed since it was listed. */
        if (errno != ENODATA)
            files_report_add(reader->report, member, "attribute %s not read: %s", name,
                             strerror(errno));
        return;
    }
    struct error problem = ERROR_INIT;
    if (is_acl(name)) {
        struct buf *text =
            strcmp(name, FILES_ACL_ACCESS) == 0 ? &reader->acl : &reader->default_acl;
        if (files_acl_to_text(reader->names, reader->value, (size_t)size, text, &problem) < 0)
            files_report_add(reader->report, member, "%s", problem.message);
        return;
    }
    ARRAY_GROW(reader->attributes, header->attribute_count, reader->attribute_capacity);
    reader->attributes[header->attribute_count++] =
        (struct tar_attribute){.name = name, .size = (size_t)size};
    buf_append(&reader->values, reader->value, (size_t)size);
}

static void take_attributes(struct files_reader *reader, const char *member, int fd,
                            struct tar_member *header)
{
    buf_reset(&reader->values);
    buf_reset(&reader->acl);
    buf_reset(&reader->default_acl);
    ssize_t size =
        fd < 0 ? 0 : reader->os->listxattr(reader->os, fd, reader->list, sizeof reader->list);
    if (size < 0 && errno != ENOTSUP)
        files_report_add(reader->report, member, "attributes not read: %s", strerror(errno));
    for (ssize_t at = 0; at < size; at += (ssize_t)strlen(reader->list + at) + 1)
        if (kept(reader->list + at) || is_acl(reader->list + at))
            take_attribute(reader, member, fd, reader->list + at, header);

    /* Only now have the values stopped moving. */
    size_t place = 0;
    for (size_t i = 0; i < header->attribute_count; i++) {
        reader->attributes[i].value = reader->values.data + place;
        place += reader->attributes[i].size;
    }
    header->attributes = reader->attributes;
    header->acl = reader->acl.length ? reader->acl.data : NULL;
    header->default_acl = reader->default_acl.length ? reader->default_acl.data : NULL;
}

/* ---- headers ---- */

static enum tar_type type_of(const struct files_entry *entry)
{
    if (entry->hard_link)
        return TAR_HARD_LINK;
    switch (entry->stat.st_mode & S_IFMT) {
    case S_IFDIR:
        return TAR_FOLDER;
    case S_IFLNK:
        return TAR_SYMLINK;
    case S_IFCHR:
        return TAR_CHARACTER_DEVICE;
    case S_IFBLK:
        return TAR_BLOCK_DEVICE;
    case S_IFIFO:
        return TAR_FIFO;
    default:
        return TAR_FILE;
    }
}

/* Headers into the segment; `size` is the content's length in the archive. */
static int append_header(struct files_reader *reader, struct segment *segment,
                         const struct files_entry *entry, const struct stat *stat, int fd,
                         uint64_t size, bool sparse, struct error *err)
{
    struct tar_member header = {
        .path = entry->member[0] ? entry->member : ".",
        .link = entry->link,
        .type = type_of(entry),
        .mode = stat->st_mode & 07777,
        .uid = stat->st_uid,
        .gid = stat->st_gid,
        .user = files_names_user(reader->names, stat->st_uid),
        .group = files_names_group(reader->names, stat->st_gid),
        .mtime = stat->st_mtim,
        .size = size,
        .sparse = sparse,
        .real_size = (uint64_t)stat->st_size,
    };
    if (S_ISCHR(stat->st_mode) || S_ISBLK(stat->st_mode)) {
        header.major = major(stat->st_rdev);
        header.minor = minor(stat->st_rdev);
    }
    /* A hard link's attributes are its target's. */
    if (!entry->hard_link)
        take_attributes(reader, entry->member, fd, &header);
    buf_reset(&reader->header);
    tar_append_header(&reader->header, &header);
    if (make_room(reader, segment, reader->header.length, err) < 0)
        return -1;
    segment_append(segment, reader->header.data, reader->header.length);
    segment_add_member(segment, header.path, (char)header.type,
                       header.sparse ? header.real_size : size);
    segment->rows++;
    reader->members++;
    return 0;
}

/* ---- content ---- */

static void append_zeros(struct segment *segment, size_t size)
{
    memset(segment->data + segment->size, 0, size);
    segment->size += size;
}

/* `size` bytes from `offset` into the segment, which has room. False when fewer were to be had; the
 * rest is zeros. */
static bool append_content(struct files_reader *reader, struct segment *segment, int fd,
                           const char *member, uint64_t offset, size_t size)
{
    struct error problem = ERROR_INIT;
    size_t got = 0;
    int result = file_pread(reader->os, fd, segment->data + segment->size, size, offset, &got,
                            member, &problem);
    if (result < 0)
        got = 0;
    segment->size += got;
    reader->bytes += got;
    if (got == size)
        return true;
    append_zeros(segment, size - got);
    if (result < 0)
        files_report_add(reader->report, member, "not read, zeros in its place: %s",
                         strerror(problem.sys));
    else
        files_report_add(reader->report, member,
                         "shrank while it was read; zeros are in the place of what was cut off");
    return false;
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool changed(struct files_reader *reader, int fd, const struct stat *before)
{
    struct stat now;
    return reader->os->fstat(reader->os, fd, &now) < 0 || now.st_size != before->st_size ||
           !same_time(now.st_mtim, before->st_mtim) || !same_time(now.st_ctim, before->st_ctim);
}

/* What the kernel makes up while it is read (/proc) says that it is empty, and is not. */
static bool hides_content(struct files_reader *reader, int fd, uint64_t size)
{
    char byte = 0;
    size_t got = 0;
    return size == 0 &&
           file_pread(reader->os, fd, &byte, 1, 0, &got, "what is past the end", NULL) == 0 && got;
}

static void report_change(struct files_reader *reader, const char *member)
{
    files_report_add(reader->report, member, "changed while it was read");
}

/* A file that is opened here, whole. */
static int read_file(struct files_reader *reader, struct segment *segment,
                     const struct files_entry *entry, int fd, struct error *err)
{
    struct stat stat;
    if (reader->os->fstat(reader->os, fd, &stat) < 0 || !S_ISREG(stat.st_mode)) {
        files_report_add(reader->report, entry->member, "was replaced while it was read");
        return 0;
    }
    /* It may have grown since the walker looked, but not past what a segment takes. */
    struct stat stated = stat;
    if ((uint64_t)stat.st_size > SEGMENT_SIZE)
        stated.st_size = entry->stat.st_size;
    size_t size = (size_t)stated.st_size;
    if (append_header(reader, segment, entry, &stated, fd, size, false, err) < 0 ||
        make_room(reader, segment, size + TAR_BLOCK, err) < 0)
        return -1;
    bool whole = append_content(reader, segment, fd, entry->member, 0, size);
    append_zeros(segment, tar_padding(size));
    if (whole && (stated.st_size != stat.st_size || changed(reader, fd, &stat)))
        report_change(reader, entry->member);
    else if (hides_content(reader, fd, size))
        files_report_add(reader->report, entry->member,
                         "holds more than its size says; it is stored empty");
    return 0;
}

static int open_and_read(struct files_reader *reader, struct segment *segment,
                         const struct files_entry *entry, struct error *err)
{
    int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | (entry->root_path ? 0 : O_NOFOLLOW);
    int fd =
        reader->os->openat(reader->os, files_entry_at(entry), files_entry_name(entry), flags, 0);
    if (fd < 0) {
        files_report_add(reader->report, entry->member, "%s",
                         errno == ENOENT ? "vanished before it was read" : strerror(errno));
        return 0;
    }
    int result = read_file(reader, segment, entry, fd, err);
    file_close(reader->os, &fd);
    return result;
}

/* The bytes [begin, end) of the extents, laid end to end. */
static bool append_extents(struct files_reader *reader, struct segment *segment,
                           const struct files_entry *entry)
{
    const struct files_content *content = entry->content;
    bool whole = true;
    uint64_t at = 0;
    for (size_t i = 0; i < content->extent_count && at < entry->end; i++) {
        uint64_t next = at + content->extents[i].length;
        uint64_t from = entry->begin > at ? entry->begin : at;
        uint64_t to = entry->end < next ? entry->end : next;
        if (from < to)
            whole &= append_content(reader, segment, content->fd, entry->member,
                                    content->extents[i].offset + (from - at), (size_t)(to - from));
        at = next;
    }
    return whole;
}

static int append_content_header(struct files_reader *reader, struct segment *segment,
                                 const struct files_entry *entry, struct error *err)
{
    const struct files_content *content = entry->content;
    struct buf map = BUF_INIT;
    if (content->sparse)
        tar_append_map(&map, content->extents, content->extent_count,
                       (uint64_t)content->stat.st_size);
    int result = append_header(reader, segment, entry, &content->stat, content->fd,
                               content->size + map.length, content->sparse, err);
    if (result == 0)
        result = make_room(reader, segment, map.length, err);
    if (result == 0)
        segment_append(segment, map.data, map.length);
    buf_clear(&map);
    return result;
}

/* A file that the walker opened, or a part of one. */
static int read_content(struct files_reader *reader, struct segment *segment,
                        const struct files_entry *entry, struct error *err)
{
    struct files_content *content = entry->content;
    if (entry->begin == 0 && append_content_header(reader, segment, entry, err) < 0)
        return -1;
    size_t size = (size_t)(entry->end - entry->begin);
    if (make_room(reader, segment, size + TAR_BLOCK, err) < 0)
        return -1;
    bool whole = content->sparse ? append_extents(reader, segment, entry)
                                 : append_content(reader, segment, content->fd, entry->member,
                                                  entry->begin, size);
    bool last = entry->end == content->size;
    if (last)
        append_zeros(segment, tar_padding(content->size));
    /* Parts are read at the same time, so none of them is certain to be the last one read. */
    bool unlike = !whole || changed(reader, content->fd, &content->stat);
    if (unlike && !atomic_exchange(&content->reported, true) && whole)
        report_change(reader, entry->member);
    return 0;
}

/* ---- entries ---- */

/* A link, device or fifo: its attributes are reached through a descriptor that reads nothing. */
static int read_special(struct files_reader *reader, struct segment *segment,
                        const struct files_entry *entry, struct error *err)
{
    struct os *os = reader->os;
    int fd = os->openat(os, files_entry_at(entry), files_entry_name(entry), O_PATH | O_NOFOLLOW, 0);
    if (fd < 0)
        files_report_add(reader->report, entry->member, "attributes not read: %s", strerror(errno));
    int result = append_header(reader, segment, entry, &entry->stat, fd, 0, false, err);
    file_close(os, &fd);
    return result;
}

static int read_entry(struct files_reader *reader, struct segment *segment,
                      const struct files_entry *entry, struct error *err)
{
    if (entry->content)
        return read_content(reader, segment, entry, err);
    if (entry->hard_link)
        return append_header(reader, segment, entry, &entry->stat, -1, 0, false, err);
    if (S_ISDIR(entry->stat.st_mode))
        return append_header(reader, segment, entry, &entry->stat,
                             entry->self ? entry->self->fd : -1, 0, false, err);
    if (S_ISREG(entry->stat.st_mode))
        return open_and_read(reader, segment, entry, err);
    return read_special(reader, segment, entry, err);
}

int files_read_unit(struct files_reader *reader, const struct files_unit *unit,
                    struct segment *segment, struct error *err)
{
    for (size_t i = 0; i < unit->count; i++)
        if (read_entry(reader, segment, &unit->entries[i], err) < 0)
            return -1;
    return 0;
}
