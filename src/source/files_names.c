#include "source/files_names.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

struct known {
    uint32_t id;
    char *name;
    bool found; /* the other side of it exists */
};

/* A list is enough: a machine's trees belong to a handful. The last hit is tried first, and a
 * source that invents owners cannot make it grow for ever. */
#define KNOWN_MAXIMUM ((size_t)512)

struct list {
    struct known items[KNOWN_MAXIMUM];
    size_t count;
    size_t last;
};

struct files_names {
    struct list users, groups;       /* by id */
    struct list user_ids, group_ids; /* by name */
    char buffer[16384];
};

struct files_names *files_names_new(void)
{
    return MEM_NEW(struct files_names);
}

static void list_clear(struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].name);
    list->count = 0;
    list->last = 0;
}

void files_names_free(struct files_names *names)
{
    if (!names)
        return;
    list_clear(&names->users);
    list_clear(&names->groups);
    list_clear(&names->user_ids);
    list_clear(&names->group_ids);
    free(names);
}

static struct known *list_find_id(struct list *list, uint32_t id)
{
    if (list->last < list->count && list->items[list->last].id == id)
        return &list->items[list->last];
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].id == id) {
            list->last = i;
            return &list->items[i];
        }
    return NULL;
}

static struct known *list_find_name(struct list *list, const char *name)
{
    if (list->last < list->count && strcmp(list->items[list->last].name, name) == 0)
        return &list->items[list->last];
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0) {
            list->last = i;
            return &list->items[i];
        }
    return NULL;
}

static struct known *list_add(struct list *list, uint32_t id, const char *name, bool found)
{
    if (list->count == KNOWN_MAXIMUM)
        list_clear(list);
    struct known *known = &list->items[list->count++];
    *known = (struct known){.id = id, .name = mem_string(name), .found = found};
    return known;
}

const char *files_names_user(struct files_names *names, uint32_t id)
{
    struct known *known = list_find_id(&names->users, id);
    if (!known) {
        struct passwd entry, *found = NULL;
        getpwuid_r(id, &entry, names->buffer, sizeof names->buffer, &found);
        known = list_add(&names->users, id, found ? found->pw_name : NULL, found != NULL);
    }
    return known->name;
}

const char *files_names_group(struct files_names *names, uint32_t id)
{
    struct known *known = list_find_id(&names->groups, id);
    if (!known) {
        struct group entry, *found = NULL;
        getgrgid_r(id, &entry, names->buffer, sizeof names->buffer, &found);
        known = list_add(&names->groups, id, found ? found->gr_name : NULL, found != NULL);
    }
    return known->name;
}

bool files_names_find_user(struct files_names *names, const char *name, uint32_t *ret_id)
{
    struct known *known = list_find_name(&names->user_ids, name);
    if (!known) {
        struct passwd entry, *found = NULL;
        getpwnam_r(name, &entry, names->buffer, sizeof names->buffer, &found);
        known = list_add(&names->user_ids, found ? found->pw_uid : 0, name, found != NULL);
    }
    if (known->found)
        *ret_id = known->id;
    return known->found;
}

bool files_names_find_group(struct files_names *names, const char *name, uint32_t *ret_id)
{
    struct known *known = list_find_name(&names->group_ids, name);
    if (!known) {
        struct group entry, *found = NULL;
        getgrnam_r(name, &entry, names->buffer, sizeof names->buffer, &found);
        known = list_add(&names->group_ids, found ? found->gr_gid : 0, name, found != NULL);
    }
    if (known->found)
        *ret_id = known->id;
    return known->found;
}
