#include "source/files_member.h"

#include "base/file.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static const char *copy_text(char **at, const char *text)
{
    if (!text)
        return NULL;
    char *copy = *at;
    memcpy(copy, text, strlen(text) + 1);
    *at += strlen(text) + 1;
    return copy;
}

static void copy_header(struct files_member *member, const struct tar_member *header,
                        const char *path)
{
    size_t size = text_size(path) + text_size(header->link) + text_size(header->user) +
                  text_size(header->group) + text_size(header->acl) +
                  text_size(header->default_acl);
    for (size_t i = 0; i < header->attribute_count; i++)
        size += text_size(header->attributes[i].name) + header->attributes[i].size;
    char *at = member->text = mem_alloc(size, 1);
    member->header = *header;
    member->header.path = copy_text(&at, path);
    member->header.link = copy_text(&at, header->link);
    member->header.user = copy_text(&at, header->user);
    member->header.group = copy_text(&at, header->group);
    member->header.acl = copy_text(&at, header->acl);
    member->header.default_acl = copy_text(&at, header->default_acl);
    if (header->attribute_count)
        member->attributes = mem_alloc(header->attribute_count, sizeof *member->attributes);
    member->header.attributes = member->attributes;
    for (size_t i = 0; i < header->attribute_count; i++) {
        const struct tar_attribute *attribute = &header->attributes[i];
        member->attributes[i].name = copy_text(&at, attribute->name);
        member->attributes[i].value = at;
        member->attributes[i].size = attribute->size;
        memcpy(at, attribute->value, attribute->size);
        at += attribute->size;
    }
}

/* Where the headers hold the map of a sparse file there is nothing left to read of it. */
static void take_map(struct files_member *member, const struct tar_member *header)
{
    struct tar_map *map = &member->map;
    *map = (struct tar_map){.real_size = header->real_size, .data_size = header->size};
    member->header.extents = NULL;
    if (!header->mapped)
        return;
    map->complete = true;
    map->count = map->capacity = header->extent_count;
    map->extents = mem_alloc(map->count + 1, sizeof *map->extents);
    memcpy(map->extents, header->extents, map->count * sizeof *map->extents);
}

struct files_member *files_member_new(struct os *os, const struct tar_member *header,
                                      const char *path, size_t side, char *place)
{
    struct files_member *member = MEM_NEW(struct files_member);
    copy_header(member, header, path);
    member->os = os;
    member->side = side;
    member->place = place;
    take_map(member, header);
    member->fd = member->direct_fd = -1;
    atomic_init(&member->references, 1);
    atomic_init(&member->left, header->size + 1);
    pthread_mutex_init(&member->lock, NULL);
    return member;
}

struct files_member *files_member_share(struct files_member *member)
{
    atomic_fetch_add(&member->references, 1);
    return member;
}

void files_member_release(struct files_member *member)
{
    if (!member || atomic_fetch_sub(&member->references, 1) != 1)
        return;
    file_close(member->os, &member->fd);
    file_close(member->os, &member->direct_fd);
    tar_map_clear(&member->map);
    pthread_mutex_destroy(&member->lock);
    free(member->attributes);
    free(member->text);
    free(member->place);
    free(member);
}
