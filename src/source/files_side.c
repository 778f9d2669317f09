#include "source/files_side.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/os.h"
#include "base/text.h"
#include "source/files_beneath.h"
#include "source/files_roots.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPEN_FOLDER (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)

/* ---- where ---- */

/* `path` with the links in it resolved as far as it exists. */
static char *resolve(const char *path)
{
    char *real = realpath(path, NULL);
    if (real || strcmp(path, "/") == 0)
        return real ? real : mem_string(path);
    SCOPED(string) char *folder = path_folder(path);
    SCOPED(string) char *above = resolve(folder);
    return path_join(above, path_base(path));
}

static void side_init(struct os *os, struct files_side *side, const char *path, const char *member,
                      const char *id, size_t number)
{
    struct stat stat;
    *side = (struct files_side){.live = resolve(path),
                                .member = mem_string(member),
                                .container = mem_format(".kedge-%s-%zu", id, number),
                                .base_fd = -1,
                                .fd = -1};
    side->existed = os->fstatat(os, AT_FDCWD, side->live, &stat, AT_SYMLINK_NOFOLLOW) == 0;
    SCOPED(string) char *above = path_folder(side->live);
    int above_fd = files_beneath_top(os, above, O_PATH | O_DIRECTORY);
    side->inside = strcmp(side->live, "/") == 0 ||
                   (side->existed && above_fd >= 0 &&
                    files_beneath_mounted(os, above_fd, path_base(side->live)));
    side->base = mem_string(side->inside ? side->live : above);
    file_close(os, &above_fd);
}

/* A root beneath another one comes and goes with it. */
static bool covered(const struct files_roots *roots, size_t number)
{
    for (size_t i = 0; i < number; i++)
        if (files_root_holds(&roots->items[i], roots->items[number].member))
            return true;
    return false;
}

static void side_clear(struct files_sides *sides, struct files_side *side)
{
    file_close(sides->os, &side->fd);
    file_close(sides->os, &side->base_fd);
    free(side->live);
    free(side->base);
    free(side->container);
    free(side->member);
}

/* Two trees of a target can be one on the disk, or one in the other, by a symbolic link on the way.
 * Only the outer one can be swapped. */
static void drop_nested(struct files_sides *sides)
{
    for (size_t i = sides->count; i-- > 0;) {
        struct files_side *side = &sides->items[i];
        size_t k = 0;
        while (k < sides->count && (k == i || !path_holds(sides->items[k].live, side->live)))
            k++;
        if (k == sides->count)
            continue;
        log_warning("/%s is %s, which is restored as %s is", side->member, side->live,
                    sides->items[k].live);
        text_list_add(&sides->elsewhere, side->member);
        side_clear(sides, side);
        memmove(side, side + 1, (--sides->count - i) * sizeof *side);
    }
}

bool files_sides_elsewhere(const struct files_sides *sides, const char *member)
{
    for (size_t i = 0; i < sides->elsewhere.count; i++) {
        const char *tree = sides->elsewhere.items[i];
        size_t length = strlen(tree);
        if (strncmp(member, tree, length) == 0 && (member[length] == '/' || !member[length]))
            return true;
    }
    return false;
}

int files_sides_make(struct os *os, const struct files_roots *roots, const char *to, const char *id,
                     struct files_sides *ret_sides, struct error *err)
{
    if (!to && !roots->count) {
        error_set(err, ERROR_USAGE, "the backup does not say where its files were");
        return error_hint(err, "--to FOLDER puts them beneath a folder");
    }
    struct files_sides sides = {.os = os,
                                .items = mem_alloc(roots->count + 1, sizeof *sides.items)};
    if (to) {
        SCOPED(string) char *absolute = path_absolute(to);
        side_init(os, &sides.items[sides.count++], absolute, "", id, 0);
    }
    for (size_t i = 0; !to && i < roots->count; i++) {
        if (covered(roots, i))
            continue;
        side_init(os, &sides.items[sides.count], roots->items[i].path, roots->items[i].member, id,
                  sides.count);
        sides.count++;
    }
    drop_nested(&sides);
    *ret_sides = sides;
    return 0;
}

void files_sides_clear(struct files_sides *sides)
{
    for (size_t i = 0; i < sides->count; i++)
        side_clear(sides, &sides->items[i]);
    text_list_clear(&sides->elsewhere);
    free(sides->items);
    *sides = (struct files_sides){0};
}

char *files_sides_place(const struct files_sides *sides, const char *member, size_t *ret_side)
{
    for (size_t i = 0; i < sides->count; i++) {
        size_t length = strlen(sides->items[i].member);
        if (length && (strncmp(member, sides->items[i].member, length) != 0 ||
                       (member[length] && member[length] != '/')))
            continue;
        const char *within = member + length;
        within += *within == '/';
        *ret_side = i;
        return mem_format("%s%s%s", FILES_SIDE_TREE, *within ? "/" : "", within);
    }
    return NULL;
}

/* ---- making ---- */

static int make_container(struct os *os, struct files_side *side)
{
    side->base_fd = files_beneath_top(os, side->base, OPEN_FOLDER);
    if (side->base_fd < 0)
        return -1;
    return os->mkdirat(os, side->base_fd, side->container, 0700);
}

/* The parent is not ours to write: the tree itself may be. */
static void move_inside(struct os *os, struct files_side *side)
{
    file_close(os, &side->base_fd);
    free(side->base);
    side->base = mem_string(side->live);
    side->inside = true;
}

static int create_side(struct os *os, struct files_side *side, struct error *err)
{
    if (!side->existed && folder_make(os, side->base, 0755, err) < 0)
        return -1;
    int result = make_container(os, side);
    if (result < 0 && (errno == EACCES || errno == EPERM || errno == EROFS) && side->existed &&
        !side->inside) {
        move_inside(os, side);
        result = make_container(os, side);
    }
    if (result < 0)
        return error_set_errno(err, errno == EEXIST ? ERROR_EXISTS : ERROR_FAILED, errno,
                               "make a side folder for %s", side->live);
    side->fd = os->openat(os, side->base_fd, side->container, OPEN_FOLDER, 0);
    if (side->fd < 0 || os->fchmod(os, side->fd, 0700) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "open the side folder of %s", side->live);
    /* A default access list of the folder around would be inherited by everything that is restored.
     * An empty one (the kernel's version number alone) takes it away. */
    static const uint8_t none[] = {2, 0, 0, 0};
    os->setxattr(os, side->fd, "system.posix_acl_default", none, sizeof none);
    return 0;
}

int files_sides_create(struct files_sides *sides, struct error *err)
{
    for (size_t i = 0; i < sides->count; i++)
        if (create_side(sides->os, &sides->items[i], err) < 0)
            return -1;
    return 0;
}

/* ---- finding again ---- */

/* Whoever owns the folder around it could have put another one there. */
static int check_ours(struct os *os, const struct files_side *side, struct error *err)
{
    struct stat stat;
    if (os->fstat(os, side->fd, &stat) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "look at %s/%s", side->base,
                               side->container);
    if (stat.st_uid == geteuid() && (stat.st_mode & 077) == 0)
        return 0;
    return error_set(err, ERROR_PERMISSION, "%s/%s is not the side folder that was left there",
                     side->base, side->container);
}

/* 1, 0 when there is none. */
static int open_in_base(struct os *os, struct files_side *side, struct error *err)
{
    side->base_fd = files_beneath_top(os, side->base, OPEN_FOLDER);
    if (side->base_fd >= 0)
        side->fd = os->openat(os, side->base_fd, side->container, OPEN_FOLDER, 0);
    if (side->fd >= 0)
        return check_ours(os, side, err) < 0 ? -1 : 1;
    if (errno == ENOENT || errno == ENOTDIR)
        return 0;
    return error_set_errno(err, ERROR_FAILED, errno, "open %s/%s", side->base, side->container);
}

static int open_side(struct os *os, struct files_side *side, struct error *err)
{
    int found = open_in_base(os, side, err);
    if (found || side->inside)
        return found;
    /* A run that was killed early did not get to note where it had to go instead. */
    char *outside = mem_string(side->base);
    move_inside(os, side);
    found = open_in_base(os, side, err);
    if (!found) {
        file_close(os, &side->base_fd);
        free(side->base);
        side->base = STEAL(outside);
        side->inside = false;
        side->base_fd = files_beneath_top(os, side->base, OPEN_FOLDER);
    }
    free(outside);
    return found;
}

int files_sides_open(struct files_sides *sides, struct error *err)
{
    int found = 0;
    for (size_t i = 0; i < sides->count; i++) {
        int here = open_side(sides->os, &sides->items[i], err);
        if (here < 0)
            return -1;
        found |= here;
    }
    return found;
}

int files_sides_remove(struct files_sides *sides, struct error *err)
{
    int result = 0;
    /* The first holds the state and goes last. */
    for (size_t i = sides->count; i-- > 0;) {
        struct files_side *side = &sides->items[i];
        if (side->fd < 0)
            continue;
        file_close(sides->os, &side->fd);
        if (files_beneath_remove(sides->os, side->base_fd, side->container, err) < 0)
            result = error_prefix(err, "%s/%s", side->base, side->container);
    }
    return result;
}

/* ---- JSON ---- */

char *files_sides_format(const struct files_sides *sides, int64_t moment_ns)
{
    json_t *list = json_array();
    for (size_t i = 0; i < sides->count; i++) {
        const struct files_side *side = &sides->items[i];
        json_array_append_new(
            list,
            json_pack("{s:o, s:o, s:s, s:b, s:b, s:I, s:I}", "live", files_path_json(side->live),
                      "base", files_path_json(side->base), "folder", side->container, "inside",
                      (int)side->inside, "existed", (int)side->existed, "device",
                      (json_int_t)side->device, "inode", (json_int_t)side->inode));
    }
    json_t *all = json_pack("{s:s, s:I, s:o}", "engine", "files", "moment", (json_int_t)moment_ns,
                            "sides", list);
    char *text = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    return text;
}

static int parse_side(const json_t *item, struct files_side *side)
{
    const char *live = json_string_value(json_object_get(item, "live"));
    const char *base = json_string_value(json_object_get(item, "base"));
    const char *container = json_string_value(json_object_get(item, "folder"));
    if (!live || live[0] != '/' || !base || base[0] != '/' || !container ||
        !text_starts(container, ".kedge-") || strchr(container, '/'))
        return -1;
    *side = (struct files_side){
        .live = files_path_unescape(live),
        .base = files_path_unescape(base),
        .container = mem_string(container),
        .member = mem_string(""),
        .inside = json_is_true(json_object_get(item, "inside")),
        .existed = json_is_true(json_object_get(item, "existed")),
        .device = (dev_t)json_integer_value(json_object_get(item, "device")),
        .inode = (ino_t)json_integer_value(json_object_get(item, "inode")),
        .base_fd = -1,
        .fd = -1,
    };
    return 0;
}

int files_sides_parse(struct os *os, const char *json, struct files_sides *ret_sides,
                      int64_t *ret_moment_ns, struct error *err)
{
    json_error_t problem;
    json_t *all = json_loads(json, JSON_REJECT_DUPLICATES, &problem);
    const json_t *list = json_object_get(all, "sides");
    size_t count = json_array_size(list);
    struct files_sides sides = {.os = os, .items = mem_alloc(count + 1, sizeof *sides.items)};
    int result = count ? 0 : -1;
    for (size_t i = 0; i < count && result == 0; i++) {
        result = parse_side(json_array_get(list, i), &sides.items[i]);
        sides.count += result == 0;
    }
    *ret_moment_ns = json_integer_value(json_object_get(all, "moment"));
    json_decref(all);
    if (result < 0) {
        files_sides_clear(&sides);
        return error_set(err, ERROR_CORRUPT, "the note of what was kept cannot be read");
    }
    *ret_sides = sides;
    return 0;
}
