#include "source/files_walk.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/segment.h"
#include "base/stop.h"
#include "source/files_beneath.h"
#include "source/files_entry.h"
#include "source/files_glob.h"
#include "source/files_links.h"
#include "source/files_report.h"
#include "source/files_roots.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Entries looked at before the folders among them are entered: enough to sort by inode, few enough
 * for a folder of millions. */
#define BATCH ((size_t)1024)
/* Open folders above the current one; higher ones are found again through "..". */
#define OPEN_LEVELS ((size_t)48)
/* Room a member's headers are taken to need. */
#define HEADER_ESTIMATE ((size_t)1536)
/* A file that needs more makes units of its own. */
#define SMALL_MAXIMUM (SEGMENT_SIZE - ((size_t)128 << 10))
/* The first part leaves room for headers and a map. */
#define FIRST_PART (SEGMENT_SIZE - ((size_t)256 << 10))
#define OPEN_FOLDER (O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_NOCTTY)
#define OPEN_FILE (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW)

struct name {
    ino_t inode;
    unsigned char type;
    size_t offset; /* in the batch's text */
};

struct level {
    struct files_folder *folder; /* NULL while it is closed */
    DIR *stream;                 /* NULL at its end */
    struct text_list folders;    /* found, not entered yet */
    size_t next;
    size_t path_length; /* of the walk's path here */
    dev_t device;
    ino_t inode;
};

struct walk {
    const struct files_walk_options *options;
    struct os *os;
    const struct files_root *root;
    dev_t device; /* of the root */
    struct buf path;
    struct level *levels;
    size_t depth, level_capacity;
    struct files_unit *unit;
    struct files_links *links;
    struct buf batch_text;
    struct name batch[BATCH];
};

/* ---- what is left out ---- */

static bool excluded(const struct walk *walk, const char *member, bool folder)
{
    /* Unfinished uploads and the side folders of restores are never part of a tree. */
    if (text_starts(path_base(member), ".kedge-"))
        return true;
    if (files_glob_matches(walk->options->exclude, walk->root, member, folder))
        return true;
    /* Another root lies beneath this one: it comes on its own. */
    const struct files_root *other = files_roots_find(walk->options->roots, member);
    return other && other != walk->root;
}

static char *member_of(const struct walk *walk, const char *name)
{
    if (!walk->path.length)
        return mem_string(name);
    return mem_format("%s/%s", walk->path.data, name);
}

/* ---- units ---- */

static int flush_unit(struct walk *walk, struct error *err)
{
    if (!walk->unit || !walk->unit->count)
        return 0;
    return walk->options->emit(walk->options->context, STEAL(walk->unit), err);
}

/* Takes what the entry owns. */
static int add_entry(struct walk *walk, struct files_entry *entry, size_t estimate,
                     struct error *err)
{
    struct files_unit *unit = walk->unit;
    bool full = unit && unit->count &&
                (unit->estimate + estimate > SEGMENT_SIZE ||
                 unit->descriptors >= walk->options->descriptors_per_unit);
    if (full && flush_unit(walk, err) < 0) {
        files_entry_clear(entry);
        return -1;
    }
    if (!walk->unit)
        walk->unit = files_unit_new();
    unit = walk->unit;
    const struct files_entry *before = unit->count ? &unit->entries[unit->count - 1] : NULL;
    if (entry->folder && (!before || before->folder != entry->folder))
        unit->descriptors++;
    if (entry->self)
        unit->descriptors++;
    if (entry->content)
        unit->descriptors++;
    ARRAY_GROW(unit->entries, unit->count, unit->capacity);
    assert(unit->entries);
    unit->entries[unit->count++] = *entry;
    unit->estimate += estimate;
    *entry = (struct files_entry){0};
    return 0;
}

static size_t header_estimate(const struct files_entry *entry)
{
    return HEADER_ESTIMATE + 2 * strlen(entry->member) + (entry->link ? strlen(entry->link) : 0);
}

/* ---- files that the walker opens ---- */

/* 1 and the content, 0 when it could not be opened and was reported. */
static int open_content(struct walk *walk, struct files_entry *entry)
{
    struct os *os = walk->os;
    int flags = entry->root_path ? OPEN_FILE & ~O_NOFOLLOW : OPEN_FILE;
    int fd = os->openat(os, files_entry_at(entry), files_entry_name(entry), flags, 0);
    struct stat stat;
    if (fd < 0 || os->fstat(os, fd, &stat) < 0) {
        files_report_add(walk->options->report, entry->member, "not read: %s", strerror(errno));
        file_close(os, &fd);
        return 0;
    }
    if (!S_ISREG(stat.st_mode)) {
        files_report_add(walk->options->report, entry->member, "was replaced while it was read");
        file_close(os, &fd);
        return 0;
    }
    entry->stat = stat;
    entry->content = files_content_new(os, fd, &stat);
    files_content_find_holes(entry->content);
    entry->end = entry->content->size;
    return 1;
}

/* A unit a part, the first of them with the headers. */
static int add_parts(struct walk *walk, struct files_entry *whole, struct error *err)
{
    uint64_t size = whole->content->size;
    uint64_t begin = 0;
    int result = flush_unit(walk, err);
    while (result == 0 && begin < size) {
        uint64_t room = begin ? SEGMENT_SIZE : FIRST_PART;
        uint64_t end = size - begin > room ? begin + room : size;
        struct files_entry part = {.member = mem_string(whole->member),
                                   .stat = whole->stat,
                                   .content = files_content_share(whole->content),
                                   .begin = begin,
                                   .end = end};
        result = add_entry(walk, &part, (size_t)(end - begin), err);
        if (result == 0)
            result = flush_unit(walk, err);
        begin = end;
    }
    files_entry_clear(whole);
    return result;
}

/* ---- single entries ---- */

static int add_regular(struct walk *walk, struct files_entry *entry, struct error *err)
{
    bool linked = entry->stat.st_nlink > 1;
    bool big = (uint64_t)entry->stat.st_size > SMALL_MAXIMUM;
    if ((linked || big || files_stat_has_holes(&entry->stat)) && !open_content(walk, entry)) {
        files_entry_clear(entry);
        return 0;
    }
    if (linked)
        files_links_remember(walk->links, &entry->stat, entry->member);
    uint64_t size = entry->content ? entry->content->size : (uint64_t)entry->stat.st_size;
    if (size > SMALL_MAXIMUM)
        return add_parts(walk, entry, err);
    size_t map = entry->content && entry->content->sparse
                     ? 64 + 44 * entry->content->extent_count + TAR_BLOCK
                     : 0;
    return add_entry(walk, entry, header_estimate(entry) + (size_t)size + TAR_BLOCK + map, err);
}

static int read_link(struct walk *walk, struct files_entry *entry)
{
    char content[PATH_MAX];
    ssize_t length = walk->os->readlinkat(walk->os, files_entry_at(entry), files_entry_name(entry),
                                          content, sizeof content);
    if (length <= 0 || (size_t)length == sizeof content) {
        files_report_add(walk->options->report, entry->member, "not read: %s",
                         length < 0 ? strerror(errno) : "a link of impossible length");
        return 0;
    }
    entry->link = mem_string_n(content, (size_t)length);
    return 1;
}

static bool too_long(struct walk *walk, const char *member)
{
    if (strlen(member) <= FILES_PATH_MAXIMUM)
        return false;
    SCOPED(string) char *head = mem_string_n(member, 200);
    files_report_add(walk->options->report, head, "left out: its path is longer than %zu bytes",
                     FILES_PATH_MAXIMUM);
    return true;
}

/* Everything but folders. Takes what the entry owns. */
static int add_leaf(struct walk *walk, struct files_entry *entry, struct error *err)
{
    if (too_long(walk, entry->member)) {
        files_entry_clear(entry);
        return 0;
    }
    if (S_ISSOCK(entry->stat.st_mode)) {
        /* A socket means nothing without the process behind it; no archive has them. */
        log_debug("%s: a socket, left out", entry->member);
        files_entry_clear(entry);
        return 0;
    }
    if (entry->stat.st_nlink > 1)
        entry->link = files_links_seen(walk->links, &entry->stat);
    entry->hard_link = entry->link != NULL;
    if (entry->hard_link)
        return add_entry(walk, entry, header_estimate(entry), err);
    if (S_ISREG(entry->stat.st_mode))
        return add_regular(walk, entry, err);
    if (S_ISLNK(entry->stat.st_mode) && !read_link(walk, entry)) {
        files_entry_clear(entry);
        return 0;
    }
    if (entry->stat.st_nlink > 1)
        files_links_remember(walk->links, &entry->stat, entry->member);
    return add_entry(walk, entry, header_estimate(entry), err);
}

/* ---- folders ---- */

static bool is_cache(struct walk *walk, const struct files_folder *folder)
{
    static const char signature[] = "Signature: 8a477f597d28d172789f06886806bc55";
    char head[sizeof signature - 1];
    struct os *os = walk->os;
    int fd = os->openat(os, folder->fd, "CACHEDIR.TAG", OPEN_FILE, 0);
    if (fd < 0)
        return false;
    size_t got = 0;
    bool tagged = file_pread(os, fd, head, sizeof head, 0, &got, "CACHEDIR.TAG", NULL) == 0 &&
                  got == sizeof head && memcmp(head, signature, sizeof head) == 0;
    file_close(os, &fd);
    return tagged;
}

static void push_level(struct walk *walk, struct files_folder *folder, DIR *stream,
                       const struct stat *stat)
{
    ARRAY_GROW(walk->levels, walk->depth, walk->level_capacity);
    walk->levels[walk->depth++] = (struct level){.folder = folder,
                                                 .stream = stream,
                                                 .path_length = walk->path.length,
                                                 .device = stat->st_dev,
                                                 .inode = stat->st_ino};
    if (walk->depth > OPEN_LEVELS) {
        struct level *high = &walk->levels[walk->depth - 1 - OPEN_LEVELS];
        files_folder_release(STEAL(high->folder));
    }
}

/* A tagged cache is kept as a folder with nothing but its tag. */
static int add_tag(struct walk *walk, struct files_folder *folder, struct error *err)
{
    struct files_entry entry = {.member = member_of(walk, "CACHEDIR.TAG"),
                                .folder = files_folder_share(folder)};
    if (walk->os->fstatat(walk->os, folder->fd, "CACHEDIR.TAG", &entry.stat, AT_SYMLINK_NOFOLLOW) <
        0) {
        files_entry_clear(&entry);
        return 0;
    }
    return add_leaf(walk, &entry, err);
}

static DIR *open_stream(struct walk *walk, const struct files_folder *folder)
{
    struct os *os = walk->os;
    int fd = os->openat(os, folder->fd, ".", OPEN_FOLDER, 0);
    DIR *stream = fd < 0 ? NULL : os->fdopendir(os, fd);
    if (!stream) {
        int failed = errno;
        file_close(os, &fd);
        files_report_add(walk->options->report, walk->path.data, "not listed: %s",
                         strerror(failed));
    }
    return stream;
}

/* Also of the same file system: a folder that is bound into another place. */
static bool is_mounted(struct walk *walk, const struct files_folder *above)
{
    return files_beneath_mounted(walk->os, above->fd, path_base(walk->path.data));
}

/* The open folder at walk->path becomes an entry and, unless something speaks against it, the level
 * the walk goes on with. Takes `folder`. */
static int enter_open(struct walk *walk, struct files_folder *folder, const char *root_path,
                      struct files_folder *above, struct error *err)
{
    struct stat stat;
    if (walk->os->fstat(walk->os, folder->fd, &stat) < 0) {
        files_report_add(walk->options->report, walk->path.data, "not read: %s", strerror(errno));
        files_folder_release(folder);
        return 0;
    }
    if (root_path)
        walk->device = stat.st_dev;
    struct files_entry entry = {.member = mem_string(walk->path.data),
                                .root_path = mem_string(root_path),
                                .folder = files_folder_share(above),
                                .self = files_folder_share(folder),
                                .stat = stat};
    size_t estimate = header_estimate(&entry);
    if (add_entry(walk, &entry, estimate, err) < 0) {
        files_folder_release(folder);
        return -1;
    }
    int result = 0;
    bool foreign = walk->options->one_file_system &&
                   (stat.st_dev != walk->device || (above && is_mounted(walk, above)));
    bool cache = !foreign && walk->options->exclude_caches && is_cache(walk, folder);
    if (cache)
        result = add_tag(walk, folder, err);
    DIR *stream = foreign || cache ? NULL : open_stream(walk, folder);
    if (stream)
        push_level(walk, folder, stream, &stat);
    else
        files_folder_release(folder);
    return result;
}

/* It is there and closed to us: its own entry is kept. */
static int add_closed_folder(struct walk *walk, struct files_folder *above, const char *name,
                             int failed, struct error *err)
{
    struct files_entry entry = {.member = mem_string(walk->path.data),
                                .folder = files_folder_share(above)};
    bool there =
        walk->os->fstatat(walk->os, above->fd, name, &entry.stat, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISDIR(entry.stat.st_mode);
    files_report_add(walk->options->report, walk->path.data, "%s",
                     there ? strerror(failed) : "vanished while the tree was read");
    if (there)
        return add_entry(walk, &entry, header_estimate(&entry), err);
    files_entry_clear(&entry);
    return 0;
}

static void cut_path(struct walk *walk, size_t length)
{
    walk->path.length = length;
    walk->path.data[length] = '\0';
}

static int enter(struct walk *walk, const char *name, struct error *err)
{
    struct level *level = &walk->levels[walk->depth - 1];
    struct files_folder *above = level->folder;
    size_t depth = walk->depth, length = walk->path.length;
    if (length)
        buf_append_char(&walk->path, '/');
    buf_append_text(&walk->path, name);
    if (too_long(walk, walk->path.data)) {
        cut_path(walk, length);
        return 0;
    }
    int fd = walk->os->openat(walk->os, above->fd, name, OPEN_FOLDER | O_NOFOLLOW, 0);
    int result = fd < 0 ? add_closed_folder(walk, above, name, errno, err)
                        : enter_open(walk, files_folder_new(walk->os, fd), NULL, above, err);
    if (walk->depth == depth)
        cut_path(walk, length);
    return result;
}

static int compare_names(const void *a, const void *b)
{
    const struct name *left = a, *right = b;
    return left->inode < right->inode ? -1 : left->inode > right->inode;
}

/* Up to BATCH names; fewer at the end of the folder. */
static size_t read_names(struct walk *walk, struct level *level)
{
    struct os *os = walk->os;
    size_t count = 0;
    buf_reset(&walk->batch_text);
    while (count < BATCH) {
        errno = 0;
        const struct dirent *entry = os->readdir(os, level->stream);
        if (!entry) {
            if (errno)
                files_report_add(walk->options->report, walk->path.data,
                                 "not listed to its end: %s", strerror(errno));
            os->closedir(os, STEAL(level->stream));
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        walk->batch[count++] = (struct name){
            .inode = entry->d_ino, .type = entry->d_type, .offset = walk->batch_text.length};
        buf_append(&walk->batch_text, entry->d_name, strlen(entry->d_name) + 1);
    }
    return count;
}

static int visit_name(struct walk *walk, const struct name *name, struct error *err)
{
    struct level *level = &walk->levels[walk->depth - 1];
    const char *text = walk->batch_text.data + name->offset;
    struct files_entry entry = {.member = member_of(walk, text)};
    bool known_folder = name->type == DT_DIR;
    if (!known_folder && walk->os->fstatat(walk->os, level->folder->fd, text, &entry.stat,
                                           AT_SYMLINK_NOFOLLOW) < 0) {
        if (!excluded(walk, entry.member, false))
            files_report_add(walk->options->report, entry.member, "%s",
                             errno == ENOENT ? "vanished while the tree was read"
                                             : strerror(errno));
        files_entry_clear(&entry);
        return 0;
    }
    bool folder = known_folder || S_ISDIR(entry.stat.st_mode);
    if (excluded(walk, entry.member, folder)) {
        files_entry_clear(&entry);
        return 0;
    }
    if (folder) {
        text_list_add(&level->folders, text);
        files_entry_clear(&entry);
        return 0;
    }
    entry.folder = files_folder_share(level->folder);
    return add_leaf(walk, &entry, err);
}

static int visit_batch(struct walk *walk, struct error *err)
{
    struct level *level = &walk->levels[walk->depth - 1];
    text_list_clear(&level->folders);
    level->next = 0;
    size_t count = read_names(walk, level);
    /* The order of inodes is the order on the disk, or near it. */
    qsort(walk->batch, count, sizeof *walk->batch, compare_names);
    for (size_t i = 0; i < count; i++)
        if (visit_name(walk, &walk->batch[i], err) < 0)
            return -1;
    return stop_check(err);
}

/* A level whose descriptor was given up is found again through "..", and checked to be the same. */
static bool reopen_above(struct walk *walk, struct level *above, const struct files_folder *below)
{
    if (above->folder)
        return true;
    struct stat stat;
    int fd = below ? walk->os->openat(walk->os, below->fd, "..", OPEN_FOLDER, 0) : -1;
    if (fd >= 0 && walk->os->fstat(walk->os, fd, &stat) == 0 && stat.st_dev == above->device &&
        stat.st_ino == above->inode) {
        above->folder = files_folder_new(walk->os, fd);
        return true;
    }
    file_close(walk->os, &fd);
    return false;
}

static void clear_level(struct walk *walk, struct level *level)
{
    if (level->stream)
        walk->os->closedir(walk->os, level->stream);
    text_list_clear(&level->folders);
    files_folder_release(level->folder);
}

static void leave(struct walk *walk)
{
    struct level *level = &walk->levels[walk->depth - 1];
    bool lost = walk->depth > 1 && !reopen_above(walk, level - 1, level->folder);
    if (lost)
        files_report_add(walk->options->report, walk->path.data,
                         "was moved while the tree was read; the rest of the tree is missing");
    do
        clear_level(walk, &walk->levels[--walk->depth]);
    while (lost && walk->depth);
    if (walk->depth)
        cut_path(walk, walk->levels[walk->depth - 1].path_length);
}

static int walk_levels(struct walk *walk, struct error *err)
{
    while (walk->depth) {
        struct level *level = &walk->levels[walk->depth - 1];
        int result = 0;
        if (level->next < level->folders.count)
            result = enter(walk, level->folders.items[level->next++], err);
        else if (level->stream)
            result = visit_batch(walk, err);
        else
            leave(walk);
        if (result < 0)
            return -1;
    }
    return 0;
}

static int walk_root(struct walk *walk, const struct files_root *root, struct error *err)
{
    struct os *os = walk->os;
    walk->root = root;
    buf_reset(&walk->path);
    buf_append_text(&walk->path, root->member);
    struct stat stat;
    if (os->fstatat(os, AT_FDCWD, root->path, &stat, 0) < 0) {
        error_set_errno(err, ERROR_FAILED, errno, "look at %s", root->path);
        return error_hint(err, "a path of the target must be there and readable");
    }
    if (!S_ISDIR(stat.st_mode)) {
        struct files_entry entry = {
            .member = mem_string(root->member), .root_path = mem_string(root->path), .stat = stat};
        return add_leaf(walk, &entry, err);
    }
    int fd = file_open(os, root->path, OPEN_FOLDER, 0, err);
    if (fd < 0)
        return -1;
    if (enter_open(walk, files_folder_new(os, fd), root->path, NULL, err) < 0)
        return -1;
    return walk_levels(walk, err);
}

int files_walk(const struct files_walk_options *options, struct error *err)
{
    struct walk *walk = MEM_NEW(struct walk);
    walk->options = options;
    walk->os = options->os;
    walk->path = BUF_INIT;
    walk->batch_text = BUF_INIT;
    walk->links = files_links_new(options->links_limit_bytes);
    int result = 0;
    for (size_t i = 0; i < options->roots->count && result == 0; i++)
        result = walk_root(walk, &options->roots->items[i], err);
    if (result == 0)
        result = flush_unit(walk, err);
    if (files_links_lost(walk->links))
        log_warning("%" PRIu64 " files with several names are stored more than once",
                    files_links_lost(walk->links));
    while (walk->depth)
        clear_level(walk, &walk->levels[--walk->depth]);
    files_unit_free(walk->unit);
    files_links_free(walk->links);
    buf_clear(&walk->path);
    buf_clear(&walk->batch_text);
    free(walk->levels);
    free(walk);
    return result;
}
