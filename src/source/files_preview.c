#include "source/files_preview.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/segment.h"
#include "io/tar.h"
#include "source/files_beneath.h"
#include "source/files_count.h"
#include "source/files_room.h"
#include "source/files_side.h"
#include "source/files_table.h"
#include "source/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- conflicts ---- */

/* As the kernel writes it: blanks, newlines and backslashes as "\\040". */
static void unescape_mount(char *path)
{
    char *to = path;
    for (const char *from = path; *from; to++) {
        bool octal = from[0] == '\\' && from[1] && from[2] && from[3];
        *to = octal ? (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0')) : *from;
        from += octal ? 4 : 1;
    }
    *to = '\0';
}

static void conflict_mounts(const struct files_sides *sides, struct load_preview *preview)
{
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    char *line = NULL;
    size_t capacity = 0;
    while (mounts && getline(&line, &capacity, mounts) > 0) {
        char point[4096];
        if (sscanf(line, "%*d %*d %*s %*s %4095s", point) != 1)
            continue;
        unescape_mount(point);
        for (size_t i = 0; i < sides->count; i++) {
            const char *live = sides->items[i].live;
            size_t length = strlen(live);
            if (strncmp(point, live, length) == 0 && point[length] == '/')
                text_list_give(&preview->conflicts,
                               mem_format("%s is mounted beneath %s and would move away with it",
                                          point, live));
        }
    }
    free(line);
    if (mounts)
        fclose(mounts);
}

static void conflict_left_out(const struct text_list *left_out, struct load_preview *preview)
{
    struct buf patterns = BUF_INIT;
    for (size_t i = 0; i < left_out->count; i++)
        buf_append_format(&patterns, "%s%s", i ? ", " : "", left_out->items[i]);
    if (patterns.length)
        text_list_give(
            &preview->conflicts,
            mem_format("the backup left out %s: what matches is not in the restored tree",
                       patterns.data));
    buf_clear(&patterns);
}

/* A tree that is replaced as a whole would carry away the list of backups, or the backups. */
static int check_own(const struct files_preview_options *options, struct error *err)
{
    const struct text_list *own = options->own;
    const struct files_sides *sides = options->choice.sides;
    for (size_t i = 0; i < sides->count; i++)
        for (size_t k = 0; k < own->count; k++) {
            const char *live = sides->items[i].live;
            if (!path_holds(live, own->items[k]))
                continue;
            error_set(err, ERROR_RESTORE,
                      "kedge's own %s lies in %s, which would be replaced as a whole",
                      own->items[k], live);
            return error_hint(err, "--include '**' replaces file by file and leaves it where it "
                                   "is; --to FOLDER restores beside");
        }
    return 0;
}

/* ---- what comes, and what it replaces ---- */

struct survey {
    const struct files_preview_options *options;
    struct load_preview *preview;
    uint64_t *needed;             /* bytes, by side */
    struct buf path;              /* scratch */
    struct files_table *replaced; /* of the live trees, what may stand in the way of several */
    uint64_t seen;
};

static void add(uint64_t *sum, uint64_t number)
{
    if (__builtin_add_overflow(*sum, number, sum))
        *sum = UINT64_MAX;
}

/* kedge's own stays where it is. */
static bool stays(const struct survey *survey, const struct files_side *side, const char *within)
{
    const struct text_list *own = survey->options->own;
    SCOPED(string) char *path = *within ? path_join(side->live, within) : mem_string(side->live);
    for (size_t i = 0; i < own->count; i++)
        if (path_holds(own->items[i], path))
            return true;
    return false;
}

/* What is no folder, or is to become none, gives way as a whole. */
static int count_replaced(struct survey *survey, const struct files_side *side, const char *path,
                          const struct stat *there, struct error *err)
{
    struct load_preview *preview = survey->preview;
    SCOPED(string) char *live = path_join(side->base, path);
    int fresh = files_table_add(survey->replaced, live, 0, "", err);
    if (fresh <= 0)
        return fresh;
    struct files_count count = {.entries = 1};
    if (S_ISREG(there->st_mode))
        count.bytes = (uint64_t)there->st_size;
    if (S_ISDIR(there->st_mode)) {
        count.entries = 0;
        if (files_count_tree(survey->options->os, live, INT64_MAX, &count, err) < 0)
            return -1;
    }
    add(&preview->objects, count.entries);
    add(&preview->bytes, count.bytes);
    return 0;
}

/* What stands where a folder is wanted: the first on the way that is none. */
static int find_in_the_way(struct survey *survey, const struct files_side *side, int base,
                           const char *path, struct error *err)
{
    struct os *os = survey->options->os;
    SCOPED(string) char *above = mem_string(path);
    for (char *slash = strrchr(above, '/'); slash; slash = strrchr(above, '/')) {
        *slash = '\0';
        struct stat there;
        int fd = files_beneath_open(os, base, above, O_PATH | O_NOFOLLOW, 0);
        if (fd < 0)
            continue;
        int result = os->fstat(os, fd, &there);
        file_close(os, &fd);
        return result < 0 ? error_set_errno(err, ERROR_FAILED, errno, "look at %s", above)
                          : count_replaced(survey, side, above, &there, err);
    }
    return 0;
}

static int look_at(struct survey *survey, const struct files_side *side, int base, const char *path,
                   bool folder, struct error *err)
{
    struct os *os = survey->options->os;
    struct stat there;
    int fd = files_beneath_open(os, base, path, O_PATH | O_NOFOLLOW, 0);
    if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
        return find_in_the_way(survey, side, base, path, err);
    if (fd < 0 && errno == ENOENT)
        return 0;
    int result = fd < 0 ? -1 : os->fstat(os, fd, &there);
    file_close(os, &fd);
    if (result < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "look at %s/%s", side->base, path);
    if (folder && S_ISDIR(there.st_mode))
        return 0;
    return count_replaced(survey, side, path, &there, err);
}

static int look_for_live(struct survey *survey, const struct files_side *side, const char *within,
                         bool folder, struct error *err)
{
    struct os *os = survey->options->os;
    int base = files_beneath_top(os, side->base, O_PATH | O_DIRECTORY);
    if (base < 0)
        return 0; /* nothing can be there */
    const char *top = side->inside ? "" : path_base(side->live);
    SCOPED(string)
    char *path = mem_format("%s%s%s", top, *top && *within ? "/" : "", within);
    int result = look_at(survey, side, base, path, folder, err);
    file_close(os, &base);
    return result;
}

static int visit_member(void *context, const char *path, char type, uint64_t size,
                        struct error *err)
{
    struct survey *survey = context;
    const struct files_choice *choice = &survey->options->choice;
    bool folder = type == TAR_FOLDER;
    size_t number = 0;
    survey->seen++;
    if (tar_path_clean(path, &survey->path, err) < 0)
        return error_prefix(err, "member %s", path);
    SCOPED(string) char *place = files_sides_place(choice->sides, survey->path.data, &number);
    if (!place || !files_choice_takes(choice, survey->path.data, folder) ||
        files_choice_leaves(choice, type) || strcmp(survey->path.data, FILES_INDEX_MEMBER) == 0)
        return 0;
    const struct files_side *side = &choice->sides->items[number];
    const char *within = place + strlen(FILES_SIDE_TREE);
    within += *within == '/';
    if (stays(survey, side, within))
        return 0;
    survey->preview->restored_objects++;
    if (type == TAR_FILE) {
        add(&survey->preview->restored_bytes, size);
        add(&survey->needed[number], size);
    }
    return survey->options->merges && side->existed
               ? look_for_live(survey, side, within, folder, err)
               : 0;
}

/* 1; 0 when there is nothing to tell it from. */
static int survey_members(const struct files_preview_options *options,
                          struct segment_source *segments, struct load_preview *preview,
                          uint64_t *needed, struct error *err)
{
    bool indexed = segments && segments->ops->count(segments);
    if (!segments || (!indexed && !options->thorough))
        return 0;
    struct survey survey = {.options = options,
                            .preview = preview,
                            .needed = needed,
                            .path = BUF_INIT,
                            .replaced = files_table_new()};
    int result = segments->ops->members(segments, visit_member, &survey, err);
    files_table_free(survey.replaced);
    buf_clear(&survey.path);
    return result < 0 ? -1 : survey.seen > 0;
}

/* What the backup says of itself. */
static void take_facts(const struct files_preview_options *options, struct load_preview *preview,
                       uint64_t *needed)
{
    if (options->chooses)
        return;
    preview->restored_objects = options->facts.members;
    preview->restored_bytes = options->facts.bytes;
    if (options->choice.sides->count == 1)
        needed[0] = options->facts.bytes;
}

static int count_live(const struct files_preview_options *options, struct load_preview *preview,
                      struct error *err)
{
    const struct files_sides *sides = options->choice.sides;
    for (size_t i = 0; i < sides->count; i++) {
        struct files_count count = {0};
        if (files_count_tree(options->os, sides->items[i].live, INT64_MAX, &count, err) < 0)
            return -1;
        preview->objects += count.entries;
        preview->bytes += count.bytes;
    }
    return 0;
}

/* Into a place of its own goes what the backup says, and nothing is in its way. Who only asks wants
 * to know it exactly. */
static bool knows_already(const struct files_preview_options *options)
{
    const struct files_sides *sides = options->choice.sides;
    return sides->count == 1 && !sides->items[0].existed && !options->chooses &&
           !options->thorough && options->facts.members;
}

static int count(const struct files_preview_options *options, struct segment_source *segments,
                 struct load_preview *preview, struct error *err)
{
    const struct files_sides *sides = options->choice.sides;
    SCOPED(memory) void *memory = mem_alloc(sides->count + 1, sizeof(uint64_t));
    uint64_t *needed = memory;
    int told = 0;
    bool known = knows_already(options);
    if ((options->merges || sides->count > 1) && !known)
        told = survey_members(options, segments, preview, needed, err);
    if (told < 0)
        return -1;
    if (told && !preview->restored_objects)
        return error_set(err, ERROR_NOT_FOUND, "nothing in the backup matches the patterns");
    if (!told)
        take_facts(options, preview, needed);
    if (options->merges && !told && !known)
        preview->objects = preview->bytes = UINT64_MAX;
    if (!options->merges && count_live(options, preview, err) < 0)
        return -1;
    return files_room_check(options->os, sides, needed, err);
}

int files_preview(const struct files_preview_options *options, struct segment_source *segments,
                  struct load_preview *ret_preview, struct error *err)
{
    const struct files_sides *sides = options->choice.sides;
    struct load_preview preview = {.rows = UINT64_MAX, .merges = options->merges};
    struct buf target = BUF_INIT;
    if (!options->merges && check_own(options, err) < 0)
        return -1;
    for (size_t i = 0; i < sides->count; i++) {
        buf_append_format(&target, "%s%s", i ? ", " : "", sides->items[i].live);
        text_list_add(&preview.places, sides->items[i].live);
        preview.exists |= sides->items[i].existed;
    }
    preview.target = buf_steal(&target);
    if (count(options, segments, &preview, err) < 0) {
        load_preview_clear(&preview);
        return -1;
    }
    if (!options->merges)
        conflict_mounts(sides, &preview);
    if (!options->merges && preview.exists)
        conflict_left_out(options->left_out, &preview);
    *ret_preview = preview;
    return 0;
}
