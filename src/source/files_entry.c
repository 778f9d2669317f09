#include "source/files_entry.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* A map of more extents than this would not fit into a segment: the rest of the file counts as
 * data. */
#define EXTENTS_MAXIMUM ((size_t)1 << 16)

struct files_folder *files_folder_new(struct os *os, int fd)
{
    struct files_folder *folder = MEM_NEW(struct files_folder);
    folder->os = os;
    folder->fd = fd;
    atomic_init(&folder->references, 1);
    return folder;
}

struct files_folder *files_folder_share(struct files_folder *folder)
{
    if (folder)
        atomic_fetch_add(&folder->references, 1);
    return folder;
}

void files_folder_release(struct files_folder *folder)
{
    if (!folder || atomic_fetch_sub(&folder->references, 1) != 1)
        return;
    file_close(folder->os, &folder->fd);
    free(folder);
}

struct files_content *files_content_new(struct os *os, int fd, const struct stat *stat)
{
    struct files_content *content = MEM_NEW(struct files_content);
    content->os = os;
    content->fd = fd;
    content->stat = *stat;
    content->size = (uint64_t)stat->st_size;
    atomic_init(&content->references, 1);
    atomic_init(&content->reported, false);
    return content;
}

void files_content_find_holes(struct files_content *content)
{
    struct os *os = content->os;
    uint64_t at = 0, size = (uint64_t)content->stat.st_size, total = 0;
    size_t capacity = 0;
    if (!files_stat_has_holes(&content->stat))
        return;
    while (at < size) {
        off_t data = os->lseek(os, content->fd, (off_t)at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            break;
        off_t hole = data < 0 ? -1 : os->lseek(os, content->fd, data, SEEK_HOLE);
        if (data < 0 || hole <= data || content->extent_count + 1 == EXTENTS_MAXIMUM) {
            data = data < 0 ? (off_t)at : data;
            hole = (off_t)size;
        }
        if ((uint64_t)data >= size)
            break;
        uint64_t end = (uint64_t)hole < size ? (uint64_t)hole : size;
        ARRAY_GROW(content->extents, content->extent_count, capacity);
        content->extents[content->extent_count++] =
            (struct tar_extent){.offset = (uint64_t)data, .length = end - (uint64_t)data};
        total += end - (uint64_t)data;
        at = end;
    }
    content->sparse = total < size;
    content->size = content->sparse ? total : size;
}

struct files_content *files_content_share(struct files_content *content)
{
    atomic_fetch_add(&content->references, 1);
    return content;
}

void files_content_release(struct files_content *content)
{
    if (!content || atomic_fetch_sub(&content->references, 1) != 1)
        return;
    file_close(content->os, &content->fd);
    free(content->extents);
    free(content);
}

void files_entry_clear(struct files_entry *entry)
{
    free(entry->member);
    free(entry->root_path);
    free(entry->link);
    files_folder_release(entry->folder);
    files_folder_release(entry->self);
    files_content_release(entry->content);
    *entry = (struct files_entry){0};
}

const char *files_entry_name(const struct files_entry *entry)
{
    return entry->root_path ? entry->root_path : path_base(entry->member);
}

int files_entry_at(const struct files_entry *entry)
{
    return entry->folder ? entry->folder->fd : AT_FDCWD;
}

struct files_unit *files_unit_new(void)
{
    return MEM_NEW(struct files_unit);
}

void files_unit_free(struct files_unit *unit)
{
    if (!unit)
        return;
    for (size_t i = 0; i < unit->count; i++)
        files_entry_clear(&unit->entries[i]);
    free(unit->entries);
    free(unit);
}
