#include "source/files_entry.h"

#include "base/file.h"
#include "base/mem.h"

#include <fcntl.h>
#include <stdlib.h>

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
