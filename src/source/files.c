#include "source/files.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/os.h"
#include "source/files_count.h"
#include "source/files_dump.h"
#include "source/files_load.h"
#include "source/files_side.h"
#include "source/files_swap.h"
#include "source/source.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

/* With the side folders gone, the live tree itself tells: the restored one has its inode. */
static enum load_state state_of_live(const struct files_sides *sides)
{
    struct stat stat;
    const struct files_side *side = &sides->items[0];
    bool there =
        sides->os->fstatat(sides->os, AT_FDCWD, side->live, &stat, AT_SYMLINK_NOFOLLOW) == 0;
    bool restored =
        there && side->inode && stat.st_ino == side->inode && stat.st_dev == side->device;
    return restored ? LOAD_AFTER : LOAD_BEFORE;
}

static int recover_opened(struct files_sides *sides, enum load_state *ret_state, struct error *err)
{
    enum files_state state = FILES_STATE_NONE;
    int64_t moment_ns = 0;
    if (files_swap_state(sides, &state, &moment_ns, err) < 0)
        return -1;
    bool before =
        state == FILES_STATE_NONE || state == FILES_STATE_BEFORE || state == FILES_STATE_TO_BEFORE;
    *ret_state = before ? LOAD_BEFORE : LOAD_AFTER;
    if (state == FILES_STATE_TO_AFTER || state == FILES_STATE_REDO)
        return files_swap_forwards(sides, state, err);
    if (state == FILES_STATE_TO_BEFORE)
        return files_swap_backwards(sides, err);
    return state == FILES_STATE_NONE ? files_sides_remove(sides, err) : 0;
}

static int files_recover(struct os *os, const char *kept, const struct source_target *target,
                         enum load_state *ret_state, struct error *err)
{
    (void)target;
    SCOPED(files_sides) struct files_sides sides = {0};
    int64_t moment_ns = 0;
    if (files_sides_parse(os, kept, &sides, &moment_ns, err) < 0)
        return -1;
    int found = files_sides_open(&sides, err);
    if (found < 0)
        return -1;
    if (found)
        return recover_opened(&sides, ret_state, err);
    *ret_state = state_of_live(&sides);
    return 0;
}

/* An undo or redo that was killed on its way counts as not done: the next one finishes it. */
static int files_side_now(struct os *os, const char *kept, const struct source_target *target,
                          enum load_state *ret_state, struct error *err)
{
    (void)target;
    SCOPED(files_sides) struct files_sides sides = {0};
    int64_t moment_ns = 0;
    enum files_state state = FILES_STATE_NONE;
    if (files_sides_parse(os, kept, &sides, &moment_ns, err) < 0)
        return -1;
    if (files_sides_open(&sides, err) < 0 || files_swap_state(&sides, &state, &moment_ns, err) < 0)
        return -1;
    bool before = state == FILES_STATE_BEFORE || state == FILES_STATE_REDO;
    *ret_state = before ? LOAD_BEFORE : LOAD_AFTER;
    return state != FILES_STATE_NONE;
}

static int describe_changes(const struct files_sides *sides, int64_t moment_ns, char **ret_changed,
                            struct error *err)
{
    struct files_count count = {0};
    for (size_t i = 0; i < sides->count; i++)
        if (files_count_tree(sides->os, sides->items[i].live, moment_ns, &count, err) < 0)
            return -1;
    *ret_changed = count.newer
                       ? mem_format("%" PRIu64 " files and folders were changed since", count.newer)
                       : NULL;
    return 0;
}

static int files_undo(struct os *os, const char *kept, const struct source_target *target,
                      bool dry_run, char **ret_changed, struct error *err)
{
    (void)target;
    SCOPED(files_sides) struct files_sides sides = {0};
    int64_t moment_ns = 0;
    if (files_sides_parse(os, kept, &sides, &moment_ns, err) < 0)
        return -1;
    int found = files_sides_open(&sides, err);
    if (found < 0)
        return -1;
    if (!found)
        return error_set(err, ERROR_NOT_FOUND, "%s: what was there before is no longer kept",
                         sides.items[0].live);
    enum files_state state = FILES_STATE_NONE;
    if (files_swap_state(&sides, &state, &moment_ns, err) < 0)
        return -1;
    if (state == FILES_STATE_NONE)
        return error_set(err, ERROR_FAILED, "%s: this restore never came to its swap",
                         sides.items[0].live);
    if (ret_changed && describe_changes(&sides, moment_ns, ret_changed, err) < 0)
        return -1;
    if (dry_run)
        return 0;
    bool forth = state == FILES_STATE_BEFORE || state == FILES_STATE_REDO;
    return forth ? files_swap_forwards(&sides, FILES_STATE_REDO, err)
                 : files_swap_backwards(&sides, err);
}

static int files_discard(struct os *os, const char *kept, const struct source_target *target,
                         struct error *err)
{
    (void)target;
    SCOPED(files_sides) struct files_sides sides = {0};
    int64_t moment_ns = 0;
    if (files_sides_parse(os, kept, &sides, &moment_ns, err) < 0)
        return -1;
    int found = files_sides_open(&sides, err);
    return found <= 0 ? found : files_sides_remove(&sides, err);
}

const struct source_ops source_files = {
    .engine = "files",
    .kind = "tar",
    .capabilities = SOURCE_FILES,
    .dump = files_dump,
    .load = files_load,
    .recover = files_recover,
    .side = files_side_now,
    .undo = files_undo,
    .discard = files_discard,
};
