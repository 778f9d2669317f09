#include "migrate/folder_walk.h"

#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"
#include "base/os.h"
#include "migrate/naming.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define DEPTH_MAXIMUM 16

/* With the slash that comes after it. */
static size_t path_length(const char *folder)
{
    size_t length = strlen(folder);
    return length && folder[length - 1] == '/' ? length : length + 1;
}

static const char *path_of(const struct folder_walk *walk, const char *name)
{
    size_t folder = path_length(walk->path);
    size_t size = strlen(name);
    char *path = arena_alloc(walk->memory, folder + size + 1);
    memcpy(path, walk->path, strlen(walk->path));
    path[folder - 1] = '/';
    memcpy(path + folder, name, size + 1);
    return path;
}

const char *folder_walk_inner(const struct folder_walk *walk, const char *path)
{
    return path + path_length(walk->root);
}

/* Folder or file? The folder mostly says so itself; behind a link, the system is asked. Reading a
 * pipe would wait for ever. 1, 0 when it is neither, -1. */
static int is_folder(const struct folder_walk *walk, const char *path, unsigned char type,
                     bool *ret_folder, struct error *err)
{
    struct stat info;
    *ret_folder = type == DT_DIR;
    if (type == DT_DIR || type == DT_REG)
        return 1;
    if (walk->os->fstatat(walk->os, AT_FDCWD, path, &info, 0) == 0) {
        *ret_folder = S_ISDIR(info.st_mode);
        if (*ret_folder || S_ISREG(info.st_mode))
            return 1;
        walk->odd(walk->context, path, FOLDER_ODD_NO_FILE);
        return 0;
    }
    if (errno != ELOOP && errno != ENOENT && errno != ENOTDIR)
        return error_set_errno(err, ERROR_FAILED, errno, "look at %s", path);
    bool itself = errno == ELOOP;
    if (itself || type == DT_LNK)
        walk->odd(walk->context, path, itself ? FOLDER_ODD_ITSELF : FOLDER_ODD_NOWHERE);
    return 0;
}

static int on_entry(void *context, const char *name, unsigned char type, struct error *err)
{
    struct folder_walk *walk = context;
    bool folder = false;
    if (naming_is_dropping(name))
        return 0;
    const char *path = path_of(walk, name);
    int there = is_folder(walk, path, type, &folder, err);
    if (there <= 0)
        return there;
    if (!folder)
        return walk->file(walk->context, path, walk->depth, err);
    text_list_add(&walk->folders, path);
    return 0;
}

/* Its files would come again and again. */
static int leads_back(const struct folder_walk *walk, const char *path, struct error *err)
{
    struct stat own, outer;
    SCOPED(string) char *above = mem_string(path);
    size_t root = strlen(walk->root);
    if (file_stat(walk->os, path, &own, err) < 0)
        return -1;
    for (char *slash = strrchr(above, '/'); slash; slash = strrchr(above, '/')) {
        bool last = (size_t)(slash - above) <= root;
        *slash = '\0';
        if (file_stat(walk->os, last ? walk->root : above, &outer, err) < 0)
            return -1;
        if (outer.st_dev == own.st_dev && outer.st_ino == own.st_ino)
            return 1;
        if (last)
            break;
    }
    return 0;
}

static int list_folder(struct folder_walk *walk, const char *path, struct error *err);

static int list_within(struct folder_walk *walk, const char *path, struct error *err)
{
    int back = leads_back(walk, path, err);
    if (back > 0)
        walk->odd(walk->context, path, FOLDER_ODD_BACK);
    return back == 0 ? list_folder(walk, path, err) : back < 0 ? -1 : 0;
}

static int list_folder(struct folder_walk *walk, const char *path, struct error *err)
{
    walk->path = path;
    if (folder_entries(walk->os, path, on_entry, walk, err) < 0)
        return -1;
    SCOPED(text_list) struct text_list folders = walk->folders;
    walk->folders = TEXT_LIST_INIT;
    bool enters = walk->depth < DEPTH_MAXIMUM && walk->enters(walk->context, walk->depth);
    int result = 0;
    walk->depth++;
    for (size_t i = 0; enters && result == 0 && i < folders.count; i++)
        result = list_within(walk, folders.items[i], err);
    walk->depth--;
    return result;
}

int folder_walk_run(struct folder_walk *walk, struct error *err)
{
    int result = list_folder(walk, walk->root, err);
    text_list_clear(&walk->folders);
    return result;
}
