#include "source/files_swap.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/os.h"
#include "source/files_plan.h"
#include "source/files_side.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define STATE "state"
#define STATE_NEW "state.new"

static const char *const words[] = {
    [FILES_STATE_NONE] = "none",     [FILES_STATE_TO_AFTER] = "to-after",
    [FILES_STATE_AFTER] = "after",   [FILES_STATE_TO_BEFORE] = "to-before",
    [FILES_STATE_BEFORE] = "before", [FILES_STATE_REDO] = "redo",
};

int files_swap_state(const struct files_sides *sides, enum files_state *ret_state,
                     int64_t *ret_moment_ns, struct error *err)
{
    struct os *os = sides->os;
    *ret_state = FILES_STATE_NONE;
    int fd = sides->items[0].fd < 0
                 ? -1
                 : os->openat(os, sides->items[0].fd, STATE, O_RDONLY | O_NOFOLLOW, 0);
    if (fd < 0 && (sides->items[0].fd < 0 || errno == ENOENT))
        return 0;
    if (fd < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "read the state of a restore");
    char word[16] = "";
    size_t size = 0;
    struct stat stat = {0};
    int result = file_pread(os, fd, word, sizeof word - 1, 0, &size, "state of a restore", err);
    if (result == 0 && os->fstat(os, fd, &stat) < 0)
        result = error_set_errno(err, ERROR_FAILED, errno, "read the state of a restore");
    file_close(os, &fd);
    if (result < 0)
        return -1;
    *ret_moment_ns = (int64_t)stat.st_mtim.tv_sec * 1000000000 + stat.st_mtim.tv_nsec;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(word, words[i]) == 0) {
            *ret_state = (enum files_state)i;
            return 0;
        }
    return error_set(err, ERROR_CORRUPT, "the state of a restore cannot be read");
}

static int write_state(const struct files_sides *sides, enum files_state state, struct error *err)
{
    struct os *os = sides->os;
    int folder = sides->items[0].fd;
    int fd = os->openat(os, folder, STATE_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "note the state of a restore");
    const char *word = words[state];
    int result = file_write_all(os, fd, word, strlen(word), "state of a restore", err);
    if (result == 0)
        result = file_sync(os, fd, "state of a restore", err);
    file_close(os, &fd);
    if (result == 0 && os->renameat2(os, folder, STATE_NEW, folder, STATE, 0) < 0)
        result = error_set_errno(err, ERROR_FAILED, errno, "note the state of a restore");
    return result == 0 ? file_sync(os, folder, "state of a restore", err) : -1;
}

/* The renames are on the medium before the state says so. */
static int sync_all(const struct files_sides *sides, struct error *err)
{
    for (size_t i = 0; i < sides->count; i++) {
        const struct files_side *side = &sides->items[i];
        if (file_sync(sides->os, side->fd, side->container, err) < 0 ||
            file_sync(sides->os, side->base_fd, side->base, err) < 0 ||
            sides->os->syncfs(sides->os, side->fd) < 0)
            return error_set_errno(err, ERROR_FAILED, errno, "sync %s", side->base);
    }
    return 0;
}

static int go_back(const struct files_sides *sides, struct error *err)
{
    for (size_t i = sides->count; i-- > 0;)
        if (files_plan_backwards(sides->os, &sides->items[i], err) < 0)
            return -1;
    return 0;
}

int files_swap_forwards(const struct files_sides *sides, enum files_state state, struct error *err)
{
    struct error problem = ERROR_INIT;
    if (write_state(sides, state, err) < 0)
        return -1;
    for (size_t i = 0; i < sides->count; i++)
        if (files_plan_forwards(sides->os, &sides->items[i], err) < 0)
            return -1;
    if (sync_all(sides, err) < 0)
        return -1;
    /* Everything is in place and stays there: "on the way" leads everybody to the same end. */
    if (write_state(sides, FILES_STATE_AFTER, &problem) < 0)
        log_warning("%s", problem.message);
    return 0;
}

int files_swap_roll_back(const struct files_sides *sides, struct error *err)
{
    /* No note of it: what made the swap fail may be a full disk. Killed on the way, it is finished
     * forwards, which is as whole. */
    struct error problem = ERROR_INIT;
    if (go_back(sides, err) < 0)
        return -1;
    if (sync_all(sides, &problem) < 0)
        log_warning("%s", problem.message);
    struct os *os = sides->os;
    os->unlinkat(os, sides->items[0].fd, STATE_NEW, 0);
    if (os->unlinkat(os, sides->items[0].fd, STATE, 0) < 0 && errno != ENOENT)
        return error_set_errno(err, ERROR_FAILED, errno, "forget the state of a restore");
    return 0;
}

int files_swap_backwards(const struct files_sides *sides, struct error *err)
{
    if (write_state(sides, FILES_STATE_TO_BEFORE, err) < 0)
        return -1;
    if (go_back(sides, err) < 0 || sync_all(sides, err) < 0)
        return -1;
    return write_state(sides, FILES_STATE_BEFORE, err);
}
