#include "source/files_room.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/text.h"
#include "source/files_side.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct room {
    dev_t device;
    uint64_t free_bytes;
    char *top; /* of the file system: where it is mounted */
};

static void scoped_room_cleanup(struct room *room)
{
    free(room->top);
}

/* The longest part of `path` that is there, and the last folder above it that is on the same file
 * system. */
static int look(struct os *os, const char *path, struct room *room, struct error *err)
{
    struct stat stat;
    SCOPED(string) char *at = mem_string(path);
    while (os->fstatat(os, AT_FDCWD, at, &stat, 0) < 0) {
        if (errno != ENOENT || strcmp(at, "/") == 0)
            return error_set_errno(err, ERROR_FAILED, errno, "look at %s", at);
        char *above = path_folder(at);
        free(at);
        at = above;
    }
    room->device = stat.st_dev;
    while (strcmp(at, "/") != 0) {
        SCOPED(string) char *above = path_folder(at);
        if (os->fstatat(os, AT_FDCWD, above, &stat, 0) < 0 || stat.st_dev != room->device)
            break;
        free(at);
        at = STEAL(above);
    }
    room->top = STEAL(at);
    return file_free_space(os, path, &room->free_bytes, err);
}

static int raise(const struct room *room, const char *what, uint64_t needed, struct error *err)
{
    char free_size[32], needed_size[32];
    text_format_size(room->free_bytes, free_size);
    text_format_size(needed, needed_size);
    error_set(err, ERROR_NO_SPACE,
              "%sthe file system %s has %s free, and the restored files need %s", what, room->top,
              free_size, needed_size);
    return error_hint(err, "the tree that is there now stays until the restored one is complete; "
                           "--include restores a part of it, --to FOLDER elsewhere");
}

/* What goes to the same file system adds up. */
static int check_side(struct os *os, const struct files_sides *sides, const uint64_t *needed,
                      size_t number, struct error *err)
{
    SCOPED(room) struct room room = {0};
    uint64_t sum = needed[number];
    if (look(os, sides->items[number].base, &room, err) < 0)
        return -1;
    for (size_t i = 0; i < number; i++) {
        SCOPED(room) struct room other = {0};
        if (look(os, sides->items[i].base, &other, err) < 0)
            return -1;
        if (other.device == room.device && __builtin_add_overflow(sum, needed[i], &sum))
            sum = UINT64_MAX;
    }
    return sum > room.free_bytes ? raise(&room, "", sum, err) : 0;
}

int files_room_check(struct os *os, const struct files_sides *sides, const uint64_t *needed,
                     struct error *err)
{
    for (size_t i = 0; i < sides->count; i++)
        if (check_side(os, sides, needed, i, err) < 0)
            return -1;
    return 0;
}

int files_room_explain(struct os *os, const struct files_sides *sides, uint64_t needed,
                       struct error *err)
{
    struct error ignored = ERROR_INIT;
    if (err->code != ERROR_NO_SPACE && err->sys != ENOSPC && err->sys != EDQUOT)
        return -1;
    /* Which of several ran out is not known here: the fullest. */
    SCOPED(room) struct room fullest = {.free_bytes = UINT64_MAX};
    for (size_t i = 0; i < sides->count; i++) {
        SCOPED(room) struct room room = {0};
        if (look(os, sides->items[i].base, &room, &ignored) < 0 ||
            room.free_bytes >= fullest.free_bytes)
            continue;
        struct room before = fullest;
        fullest = room;
        room = before;
    }
    if (!fullest.top)
        return -1;
    char free_size[32], needed_size[32];
    text_format_size(fullest.free_bytes, free_size);
    text_format_size(needed, needed_size);
    return error_hint(err,
                      "the file system %s has %s free%s%s%s; the tree that is there now stays "
                      "until the restored one is complete",
                      fullest.top, free_size, needed ? ", and the restored files need " : "",
                      needed ? needed_size : "", needed ? " in all" : "");
}
