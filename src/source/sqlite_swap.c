#include "source/sqlite_swap.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/moment.h"
#include "base/os.h"
#include "source/sqlite_connection.h"
#include "source/sqlite_hold.h"
#include "source/sqlite_kept.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>

#define LOCK_WAIT_MS 5000

/* ---- the exchange ---- */

/* The old file's second name while there is no RENAME_EXCHANGE. */
static char *second_name(const char *side)
{
    return mem_format("%s-old", side);
}

static int link_and_rename(struct os *os, const char *target, const char *side, struct error *err)
{
    SCOPED(string) char *second = second_name(side);
    if (file_remove(os, second, err) < 0)
        return -1;
    if (os->linkat(os, AT_FDCWD, target, AT_FDCWD, second, 0) < 0) {
        error_set_errno(err, ERROR_FAILED, errno, "link %s to %s", target, second);
        return error_hint(err, "this file system can neither exchange nor link files; restore to a "
                               "path on another one with --to");
    }
    if (file_rename(os, side, target, err) < 0) {
        os->unlinkat(os, AT_FDCWD, second, 0);
        return -1;
    }
    /* Done; if the second name stays, recover and undo know it. */
    if (file_rename(os, second, side, err) < 0)
        log_warning("the old database stays at %s: %s", second, err ? err->message : "");
    return 0;
}

static int exchange(struct os *os, const char *target, const char *side, struct error *err)
{
    if (os->renameat2(os, AT_FDCWD, side, AT_FDCWD, target, RENAME_EXCHANGE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
        return error_set_errno(err, ERROR_FAILED, errno, "exchange %s and %s", side, target);
    return link_and_rename(os, target, side, err);
}

static int sync_folder_of(struct os *os, const char *path, struct error *err)
{
    SCOPED(string) char *folder = path_folder(path);
    return folder_sync(os, folder, err);
}

/* ---- where things are ---- */

/* The inode under `path`, 0 when there is nothing. */
static int inode_of(struct os *os, const char *path, uint64_t *ret_inode, struct error *err)
{
    struct stat there;
    int found = file_stat(os, path, &there, err);
    if (found < 0)
        return -1;
    *ret_inode = found ? (uint64_t)there.st_ino : 0;
    return 0;
}

struct places {
    uint64_t target;
    uint64_t side;
    uint64_t second;
};

static int find_places(struct os *os, const struct sqlite_kept *kept, struct places *ret_places,
                       struct error *err)
{
    SCOPED(string) char *second = second_name(kept->side);
    struct places places = {0};
    if (inode_of(os, kept->target, &places.target, err) < 0 ||
        inode_of(os, kept->side, &places.side, err) < 0 ||
        inode_of(os, second, &places.second, err) < 0)
        return -1;
    *ret_places = places;
    return 0;
}

/* ---- commit ---- */

static int take_free_name(struct os *os, const struct sqlite_kept *kept, struct error *err)
{
    int taken = file_rename_noreplace(os, kept->side, kept->target, err);
    if (taken == 0)
        return error_set(err, ERROR_RESTORE, "%s has come into being since the restore began",
                         kept->target);
    if (taken < 0 || sync_folder_of(os, kept->target, err) == 0)
        return taken < 0 ? error_recode(err, ERROR_RESTORE) : 0;
    file_rename_noreplace(os, kept->target, kept->side, NULL);
    return error_recode(err, ERROR_RESTORE);
}

/* The names were exchanged but it is not certain that this lasts. */
static int take_back(struct os *os, const struct sqlite_kept *kept, struct sqlite_hold *hold,
                     struct error *err)
{
    struct error back = ERROR_INIT;
    if (exchange(os, kept->target, kept->side, &back) == 0) {
        sqlite_hold_undo(hold);
        return error_recode(err, ERROR_RESTORE);
    }
    sqlite_hold_release(hold);
    error_prefix(err, "%s holds the restored database, %s the old one; the way back failed (%s)",
                 kept->target, kept->side, back.message);
    return error_recode(err, ERROR_STRANDED);
}

static int swap_held(struct os *os, const struct sqlite_kept *kept, struct sqlite_hold *hold,
                     struct error *err)
{
    if (exchange(os, kept->target, kept->side, err) < 0) {
        sqlite_hold_undo(hold);
        return error_recode(err, ERROR_RESTORE);
    }
    if (sync_folder_of(os, kept->target, err) < 0)
        return take_back(os, kept, hold, err);
    sqlite_hold_release(hold);
    return 0;
}

int sqlite_swap_commit(struct os *os, const struct sqlite_kept *kept, struct error *err)
{
    if (!kept->existed)
        return take_free_name(os, kept, err);
    struct places places;
    if (find_places(os, kept, &places, err) < 0)
        return error_recode(err, ERROR_RESTORE);
    if (places.target != kept->old_inode)
        return error_set(err, ERROR_RESTORE,
                         "%s was replaced by another file since the restore "
                         "began",
                         kept->target);
    struct sqlite_hold *hold = NULL;
    if (sqlite_hold_take(os, kept->target, kept->side, LOCK_WAIT_MS, &hold, err) < 0)
        return error_recode(err, ERROR_RESTORE);
    return swap_held(os, kept, hold, err);
}

/* ---- recover ---- */

/* The old database is in place. It may have left WAL mode, and its sidecars may lie aside. */
static int put_old_right(struct os *os, const struct sqlite_kept *kept, struct error *err)
{
    if (sqlite_sidecars_move(os, kept->side, kept->target, err) < 0)
        return -1;
    if (!kept->old_wal)
        return 0;
    SCOPED(sqlite_connection) struct sqlite_connection *connection = NULL;
    struct error back = ERROR_INIT;
    if (sqlite_connection_open(os, kept->target, LOCK_WAIT_MS, &connection, &back) < 0 ||
        sqlite_connection_run(connection, "PRAGMA journal_mode=WAL", &back) < 0)
        log_warning("%s: not put back into WAL mode: %s", kept->target, back.message);
    return 0;
}

static int recover_before(struct os *os, const struct sqlite_kept *kept,
                          const struct places *places, struct error *err)
{
    SCOPED(string) char *second = second_name(kept->side);
    if (places->target && put_old_right(os, kept, err) < 0)
        return -1;
    if (places->second == kept->old_inode && places->second && file_remove(os, second, err) < 0)
        return -1;
    if (places->side && places->side != kept->old_inode) {
        if (file_remove(os, kept->side, err) < 0)
            return -1;
        log_info("removed the unfinished copy %s", kept->side);
    }
    return sync_folder_of(os, kept->target, err);
}

static int recover_after(struct os *os, const struct sqlite_kept *kept, const struct places *places,
                         struct error *err)
{
    SCOPED(string) char *second = second_name(kept->side);
    if (places->second && !places->side && file_rename(os, second, kept->side, err) < 0)
        return -1;
    return sync_folder_of(os, kept->target, err);
}

/* 1 and the side, by the inodes; 0 when none of them is known any more, as after a move to another
 * disk. */
static int tell_side(const struct sqlite_kept *kept, const struct places *places,
                     enum load_state *ret_state)
{
    bool before = kept->existed ? places->target == kept->old_inode : !places->target;
    if (!kept->new_inode || before || (places->side && places->side == kept->new_inode)) {
        *ret_state = LOAD_BEFORE;
        return 1;
    }
    /* Somebody may have put a third file under the name since: then the kept copy tells. */
    if (places->target == kept->new_inode || (kept->old_inode && places->side == kept->old_inode)) {
        *ret_state = LOAD_AFTER;
        return 1;
    }
    return 0;
}

int sqlite_swap_side(struct os *os, const struct sqlite_kept *kept, enum load_state *ret_state,
                     struct error *err)
{
    struct places places;
    if (find_places(os, kept, &places, err) < 0)
        return -1;
    return tell_side(kept, &places, ret_state);
}

int sqlite_swap_recover(struct os *os, const struct sqlite_kept *kept, enum load_state *ret_state,
                        struct error *err)
{
    struct places places;
    enum load_state state = LOAD_BEFORE;
    if (find_places(os, kept, &places, err) < 0)
        return -1;
    if (!tell_side(kept, &places, &state)) {
        error_set(err, ERROR_FAILED, "cannot tell whether %s is the old or the restored database",
                  kept->target);
        return error_hint(err,
                          "both files were moved; compare it with %s and remove the one that "
                          "is not wanted",
                          kept->side);
    }
    int result = state == LOAD_AFTER ? recover_after(os, kept, &places, err)
                                     : recover_before(os, kept, &places, err);
    if (result == 0)
        *ret_state = state;
    return result;
}

/* ---- undo ---- */

char *sqlite_swap_changed(struct os *os, const struct sqlite_kept *kept)
{
    SCOPED(string) char *wal = mem_format("%s-wal", kept->target);
    struct stat there;
    struct stat log;
    if (file_stat(os, kept->target, &there, NULL) <= 0 || (uint64_t)there.st_ino != kept->new_inode)
        return NULL;
    if (file_stat(os, wal, &log, NULL) > 0 && log.st_size > 0)
        there = log;
    int64_t modified_ns = (int64_t)there.st_mtim.tv_sec * MOMENT_SECOND + there.st_mtim.tv_nsec;
    if (modified_ns == kept->new_modified_ns)
        return NULL;
    char when[32];
    moment_format_local(modified_ns, when);
    return mem_format("%s was written to since the restore, last at %s", kept->target, when);
}

/* What comes back is in the journal mode it had. What SQLite could not read has its sidecars beside
 * it and is left alone. */
static int prepare_return(struct os *os, const struct sqlite_kept *kept,
                          const struct places *places, struct error *err)
{
    SCOPED(string) char *log = mem_format("%s-wal", kept->side);
    struct stat there;
    int found = file_stat(os, log, &there, err);
    if (found)
        return found < 0 ? -1 : 0;
    bool wal = places->side == kept->new_inode ? kept->new_wal : kept->old_wal;
    return sqlite_file_set_wal(os, kept->side, wal, err);
}

/* Exchange, sidecars of unreadable files included. */
static int undo_exchange(struct os *os, const struct sqlite_kept *kept, struct error *err)
{
    SCOPED(string) char *aside = mem_format("%s-now", kept->side);
    struct sqlite_hold *hold = NULL;
    if (sqlite_hold_take(os, kept->target, aside, LOCK_WAIT_MS, &hold, err) < 0)
        return -1;
    if (swap_held(os, kept, hold, err) < 0)
        return -1;
    if (sqlite_sidecars_move(os, kept->side, kept->target, err) < 0)
        return -1;
    return sqlite_sidecars_move(os, aside, kept->side, err);
}

/* There was nothing before: the restored file steps aside, or back. */
static int undo_to_nothing(struct os *os, const struct sqlite_kept *kept, struct error *err)
{
    struct sqlite_hold *hold = NULL;
    if (sqlite_hold_take(os, kept->target, kept->side, LOCK_WAIT_MS, &hold, err) < 0)
        return -1;
    int moved = file_rename_noreplace(os, kept->target, kept->side, err);
    if (moved <= 0) {
        sqlite_hold_undo(hold);
        return moved < 0 ? -1 : error_set(err, ERROR_EXISTS, "%s is in the way", kept->side);
    }
    sqlite_hold_release(hold);
    return sync_folder_of(os, kept->target, err);
}

int sqlite_swap_undo(struct os *os, const struct sqlite_kept *kept, struct error *err)
{
    enum load_state state = LOAD_BEFORE;
    struct places places;
    if (find_places(os, kept, &places, err) < 0)
        return -1;
    if (places.second && !places.side &&
        (sqlite_swap_recover(os, kept, &state, err) < 0 || find_places(os, kept, &places, err) < 0))
        return -1;
    if (places.target && !places.side && !kept->existed && places.target == kept->new_inode)
        return undo_to_nothing(os, kept, err);
    if (!places.side)
        return error_set(err, ERROR_NOT_FOUND, "the kept copy %s is gone", kept->side);
    if (prepare_return(os, kept, &places, err) < 0)
        return -1;
    return places.target ? undo_exchange(os, kept, err) : take_free_name(os, kept, err);
}

int sqlite_swap_discard(struct os *os, const struct sqlite_kept *kept, struct error *err)
{
    SCOPED(string) char *second = second_name(kept->side);
    if (file_remove(os, kept->side, err) < 0 || sqlite_sidecars_remove(os, kept->side, err) < 0 ||
        file_remove(os, second, err) < 0)
        return -1;
    return 0;
}
