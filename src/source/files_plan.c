#include "source/files_plan.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/os.h"
#include "source/files_beneath.h"
#include "source/files_records.h"
#include "source/files_side.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>

#define PLAN "plan"
#define OLD "old"
#define HELD "held"
/* Folders within folders that a merge follows with open descriptors. */
#define DEPTH_MAXIMUM 200

enum kind {
    EXCHANGE = 'x', /* live and restored change places */
    CREATE = 'c',   /* nothing was there */
    RETIRE = 'd',   /* the backup does not hold it: moved out of the way */
    DRESS = 'm',    /* owner, mode and time of the live top itself */
};

/* What a record begins with; the live path, NUL, and the path in the side folder follow. */
struct step {
    uint64_t device, inode; /* of what was restored */
    uint64_t live_length;
    char kind;
    char unused[7];
};

struct dress {
    uint32_t mode, uid, gid, unused;
    int64_t seconds, nanoseconds;
};

/* ---- making ---- */

struct making {
    struct os *os;
    struct files_side *side;
    struct files_records *records;
    const struct text_list *own;
};

/* Is kedge's own at this path of the live tree, or beneath it? */
static bool holds_own(const struct making *making, const char *live, bool *ret_itself)
{
    SCOPED(string) char *path = path_join(making->side->base, live);
    size_t length = strlen(path);
    bool holds = false;
    *ret_itself = false;
    for (size_t i = 0; i < making->own->count; i++) {
        const char *own = making->own->items[i];
        bool within = strncmp(own, path, length) == 0;
        holds |= within && (own[length] == '/' || !own[length]);
        *ret_itself |= within && !own[length];
    }
    return holds;
}

static int add_step(struct making *making, enum kind kind, const struct stat *restored,
                    const char *live, const char *in_side, struct error *err)
{
    struct step step = {.kind = (char)kind, .live_length = strlen(live)};
    if (restored) {
        step.device = restored->st_dev;
        step.inode = restored->st_ino;
    }
    struct buf record = BUF_INIT;
    buf_append(&record, &step, sizeof step);
    buf_append(&record, live, strlen(live) + 1);
    buf_append(&record, in_side, strlen(in_side));
    int result = files_records_add(making->records, record.data, record.length, err);
    buf_clear(&record);
    return result;
}

static char *join(const char *folder, const char *name)
{
    return folder[0] ? path_join(folder, name) : mem_string(name);
}

struct pair {
    struct making *making;
    int restored_fd, live_fd;
    const char *live, *in_side; /* the folders that are compared */
    bool deep;                  /* folders on both sides are compared in turn */
    int depth;
};

static int compare_folders(struct pair *pair, struct error *err);

static int compare_below(struct pair *pair, const char *name, const char *live, const char *in_side,
                         struct error *err)
{
    struct os *os = pair->making->os;
    if (pair->depth == DEPTH_MAXIMUM)
        return error_set(err, ERROR_FAILED, "%s: more than %d folders deep", live, DEPTH_MAXIMUM);
    struct pair below = {.making = pair->making,
                         .live = live,
                         .in_side = in_side,
                         .deep = true,
                         .depth = pair->depth + 1};
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
    below.restored_fd = os->openat(os, pair->restored_fd, name, flags, 0);
    below.live_fd = os->openat(os, pair->live_fd, name, flags, 0);
    int result = below.restored_fd < 0 || below.live_fd < 0
                     ? error_set_errno(err, ERROR_FAILED, errno, "open %s", live)
                     : compare_folders(&below, err);
    file_close(os, &below.restored_fd);
    file_close(os, &below.live_fd);
    return result;
}

static int compare_name(void *context, const char *name, unsigned char type, struct error *err)
{
    struct pair *pair = context;
    (void)type;
    struct os *os = pair->making->os;
    SCOPED(string) char *live = join(pair->live, name);
    SCOPED(string) char *in_side = join(pair->in_side, name);
    struct stat restored, there;
    if (os->fstatat(os, pair->restored_fd, name, &restored, AT_SYMLINK_NOFOLLOW) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "look at %s", name);
    if (os->fstatat(os, pair->live_fd, name, &there, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno != ENOENT)
            return error_set_errno(err, ERROR_FAILED, errno, "look at %s", live);
        return add_step(pair->making, CREATE, &restored, live, in_side, err);
    }
    if (there.st_dev != restored.st_dev) {
        error_set(err, ERROR_FAILED, "%s is on another file system than the folder around it",
                  live);
        return error_hint(err, "restore to an empty folder with --to, and copy from there");
    }
    bool itself = false;
    bool own = holds_own(pair->making, live, &itself);
    if (itself) {
        log_info("%s is kedge's own and stays as it is", live);
        return 0;
    }
    if (pair->deep && S_ISDIR(restored.st_mode) && S_ISDIR(there.st_mode))
        return compare_below(pair, name, live, in_side, err);
    if (own)
        return error_set(err, ERROR_RESTORE,
                         "kedge's own catalogue or backups lie in %s, which would be replaced",
                         live);
    return add_step(pair->making, EXCHANGE, &restored, live, in_side, err);
}

static int compare_folders(struct pair *pair, struct error *err)
{
    return folder_entries_at(pair->making->os, pair->restored_fd, pair->in_side, compare_name, pair,
                             err);
}

/* What lives and was not restored. */
static int retire_name(void *context, const char *name, unsigned char type, struct error *err)
{
    struct pair *pair = context;
    (void)type;
    struct os *os = pair->making->os;
    struct stat stat;
    if (strncmp(name, ".kedge-", 7) == 0 ||
        os->fstatat(os, pair->restored_fd, name, &stat, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    if (errno != ENOENT)
        return error_set_errno(err, ERROR_FAILED, errno, "look at %s", name);
    SCOPED(string) char *in_side = join(OLD, name);
    return add_step(pair->making, RETIRE, NULL, name, in_side, err);
}

static struct dress dress_of(const struct stat *stat)
{
    return (struct dress){.mode = stat->st_mode & 07777,
                          .uid = stat->st_uid,
                          .gid = stat->st_gid,
                          .seconds = stat->st_mtim.tv_sec,
                          .nanoseconds = stat->st_mtim.tv_nsec};
}

static int add_dress(struct making *making, const struct stat *live, const struct stat *restored,
                     struct error *err)
{
    struct step step = {.kind = DRESS};
    struct dress before = dress_of(live), after = dress_of(restored);
    struct buf record = BUF_INIT;
    buf_append(&record, &step, sizeof step);
    buf_append(&record, &before, sizeof before);
    buf_append(&record, &after, sizeof after);
    int result = files_records_add(making->records, record.data, record.length, err);
    buf_clear(&record);
    return result;
}

/* The folders on both sides, open. */
static int compare_tops(struct making *making, const char *live, bool deep, struct error *err)
{
    struct os *os = making->os;
    const struct files_side *side = making->side;
    struct pair pair = {.making = making, .live = live, .in_side = FILES_SIDE_TREE, .deep = deep};
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
    struct stat now, restored;
    pair.restored_fd = os->openat(os, side->fd, FILES_SIDE_TREE, flags, 0);
    pair.live_fd = files_beneath_open(os, side->base_fd, live, O_RDONLY | O_DIRECTORY, 0);
    int result = 0;
    if (pair.restored_fd < 0 || pair.live_fd < 0 || os->fstat(os, pair.live_fd, &now) < 0 ||
        os->fstat(os, pair.restored_fd, &restored) < 0)
        result =
            error_set_errno(err, ERROR_FAILED, errno, "open %s and what replaces it", side->live);
    if (result == 0)
        result = compare_folders(&pair, err);
    if (result == 0 && !deep && os->mkdirat(os, side->fd, OLD, 0700) < 0)
        result = error_set_errno(err, ERROR_FAILED, errno, "make a side folder");
    if (result == 0 && !deep)
        result = folder_entries_at(os, pair.live_fd, side->live, retire_name, &pair, err);
    if (result == 0 && !deep)
        result = add_dress(making, &now, &restored, err);
    file_close(os, &pair.restored_fd);
    file_close(os, &pair.live_fd);
    return result;
}

static int make_steps(struct making *making, enum files_swap swap, struct error *err)
{
    struct os *os = making->os;
    const struct files_side *side = making->side;
    const char *name = side->inside ? "" : path_base(side->live);
    struct stat restored, live;
    if (os->fstatat(os, side->fd, FILES_SIDE_TREE, &restored, AT_SYMLINK_NOFOLLOW) < 0) {
        error_set_errno(err, ERROR_NOT_FOUND, errno, "nothing was restored for %s", side->live);
        return -1;
    }
    making->side->device = restored.st_dev;
    making->side->inode = restored.st_ino;
    bool there =
        side->inside || os->fstatat(os, side->base_fd, name, &live, AT_SYMLINK_NOFOLLOW) == 0;
    if (!there)
        return add_step(making, CREATE, &restored, name, FILES_SIDE_TREE, err);
    if (side->inside && !S_ISDIR(restored.st_mode))
        return error_set(err, ERROR_FAILED, "%s is a mount point and cannot become a file",
                         side->live);
    bool folders = S_ISDIR(restored.st_mode) && (side->inside || S_ISDIR(live.st_mode));
    if (swap == FILES_SWAP_MERGE && folders)
        return compare_tops(making, name, true, err);
    if (side->inside)
        return compare_tops(making, name, false, err);
    return add_step(making, EXCHANGE, &restored, name, FILES_SIDE_TREE, err);
}

int files_plan_make(struct os *os, struct files_side *side, enum files_swap swap,
                    const struct text_list *own, struct error *err)
{
    SCOPED(files_records) struct files_records *records = NULL;
    if (files_records_create(os, side->fd, PLAN, &records, err) < 0)
        return -1;
    struct making making = {.os = os, .side = side, .records = records, .own = own};
    if (make_steps(&making, swap, err) < 0)
        return error_prefix(err, "%s", side->live);
    return files_records_sync(records, err);
}

/* ---- running ---- */

struct run {
    struct os *os;
    const struct files_side *side;
    bool back;
};

/* One step with its two names resolved to folder and name. */
struct move {
    struct run *run;
    char kind;
    uint64_t device, inode;
    const char *live;
    const char *in_side;
    int live_folder, side_folder;
    const char *live_name, *side_name;
};

static int failed(const struct move *move, const char *what, struct error *err)
{
    return error_set_errno(err, ERROR_FAILED, errno, "%s %s in %s", what, move->live,
                           move->run->side->base);
}

enum side_content { SIDE_EMPTY, SIDE_RESTORED, SIDE_OTHER };

static int look(const struct move *move, enum side_content *ret_content, struct error *err)
{
    struct os *os = move->run->os;
    struct stat stat;
    *ret_content = SIDE_EMPTY;
    if (os->fstatat(os, move->side_folder, move->side_name, &stat, AT_SYMLINK_NOFOLLOW) == 0)
        *ret_content =
            stat.st_dev == move->device && stat.st_ino == move->inode ? SIDE_RESTORED : SIDE_OTHER;
    else if (errno != ENOENT)
        return failed(move, "look at the side of", err);
    return 0;
}

static int rename_to(struct os *os, int from, const char *name, int to, const char *to_name)
{
    int result = os->renameat2(os, from, name, to, to_name, RENAME_NOREPLACE);
    if (result == 0 || (errno != EINVAL && errno != ENOSYS))
        return result;
    /* A file system without the flag; the look comes first instead. */
    struct stat stat;
    if (os->fstatat(os, to, to_name, &stat, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return os->renameat2(os, from, name, to, to_name, 0);
}

static int side_to_live(const struct move *move)
{
    return rename_to(move->run->os, move->side_folder, move->side_name, move->live_folder,
                     move->live_name);
}

static int live_to_side(const struct move *move)
{
    return rename_to(move->run->os, move->live_folder, move->live_name, move->side_folder,
                     move->side_name);
}

/* Three renames where the file system cannot exchange; what is under HELD tells how far they got.
 */
static int exchange_slowly(const struct move *move)
{
    struct os *os = move->run->os;
    int fd = move->run->side->fd;
    if (rename_to(os, move->live_folder, move->live_name, fd, HELD) < 0)
        return -1;
    if (side_to_live(move) < 0)
        return -1;
    return rename_to(os, fd, HELD, move->side_folder, move->side_name);
}

static int exchange(const struct move *move)
{
    struct os *os = move->run->os;
    int result = os->renameat2(os, move->side_folder, move->side_name, move->live_folder,
                               move->live_name, RENAME_EXCHANGE);
    if (result < 0 && errno == ENOENT)
        /* The live one is gone: what is kept takes its place alone. */
        return side_to_live(move);
    if (result < 0 && (errno == EINVAL || errno == ENOSYS))
        return exchange_slowly(move);
    return result;
}

/* A slow exchange was cut short here: put what is held where it belongs. 1 when that was so. */
static int settle_held(const struct move *move)
{
    struct os *os = move->run->os;
    struct stat stat;
    int fd = move->run->side->fd;
    if (os->fstatat(os, fd, HELD, &stat, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    bool live =
        os->fstatat(os, move->live_folder, move->live_name, &stat, AT_SYMLINK_NOFOLLOW) == 0;
    bool side =
        os->fstatat(os, move->side_folder, move->side_name, &stat, AT_SYMLINK_NOFOLLOW) == 0;
    /* The step before this one is whole, so exactly one of the two names is free. */
    if (!live && rename_to(os, fd, HELD, move->live_folder, move->live_name) < 0)
        return -1;
    if (live && !side && rename_to(os, fd, HELD, move->side_folder, move->side_name) < 0)
        return -1;
    return 1;
}

static int run_exchange(const struct move *move, struct error *err)
{
    enum side_content content = SIDE_EMPTY;
    if (settle_held(move) < 0)
        return failed(move, "exchange", err);
    if (look(move, &content, err) < 0)
        return -1;
    bool pending = move->run->back ? content == SIDE_OTHER : content == SIDE_RESTORED;
    if (pending && exchange(move) < 0)
        return failed(move, move->run->back ? "put back" : "exchange", err);
    return 0;
}

static int run_create(const struct move *move, struct error *err)
{
    enum side_content content = SIDE_EMPTY;
    if (look(move, &content, err) < 0)
        return -1;
    if (!move->run->back && content != SIDE_EMPTY && side_to_live(move) < 0)
        return failed(move, "put in place", err);
    /* What somebody removed since needs no removing. */
    if (move->run->back && content == SIDE_EMPTY && live_to_side(move) < 0 && errno != ENOENT)
        return failed(move, "take back", err);
    return 0;
}

static int run_retire(const struct move *move, struct error *err)
{
    enum side_content content = SIDE_EMPTY;
    if (look(move, &content, err) < 0)
        return -1;
    if (!move->run->back && content == SIDE_EMPTY && live_to_side(move) < 0 && errno != ENOENT)
        return failed(move, "move away", err);
    if (move->run->back && content != SIDE_EMPTY && side_to_live(move) < 0 &&
        (errno != EEXIST || exchange(move) < 0))
        return failed(move, "put back", err);
    return 0;
}

static int run_dress(struct run *run, const void *data, size_t size, struct error *err)
{
    struct os *os = run->os;
    struct dress dress[2];
    if (size != sizeof dress)
        return error_set(err, ERROR_CORRUPT, "the plan of a restore is damaged");
    memcpy(dress, data, sizeof dress);
    const struct dress *now = &dress[run->back ? 0 : 1];
    /* Ownership is for those who may give things away. */
    os->fchownat(os, run->side->base_fd, "", now->uid, now->gid, AT_EMPTY_PATH);
    if (os->fchmod(os, run->side->base_fd, (mode_t)now->mode) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "set the mode of %s", run->side->live);
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                {.tv_sec = now->seconds, .tv_nsec = now->nanoseconds}};
    if (os->utimensat(os, run->side->base_fd, NULL, times, 0) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "set the time of %s", run->side->live);
    return 0;
}

static int open_parent(struct os *os, int folder, const char *path)
{
    SCOPED(string) char *above = path_folder(path);
    return files_beneath_open(os, folder, strcmp(above, ".") == 0 ? "" : above,
                              O_RDONLY | O_DIRECTORY, 0);
}

static int run_move(struct move *move, struct error *err)
{
    struct os *os = move->run->os;
    move->live_folder = open_parent(os, move->run->side->base_fd, move->live);
    if (move->live_folder < 0)
        return failed(move, "open the folder of", err);
    move->side_folder = open_parent(os, move->run->side->fd, move->in_side);
    move->live_name = path_base(move->live);
    move->side_name = path_base(move->in_side);
    int result = -1;
    if (move->side_folder < 0)
        failed(move, "open the side of", err);
    else if (move->kind == EXCHANGE)
        result = run_exchange(move, err);
    else if (move->kind == CREATE)
        result = run_create(move, err);
    else
        result = run_retire(move, err);
    file_close(os, &move->live_folder);
    file_close(os, &move->side_folder);
    return result;
}

static int run_step(void *context, const void *data, size_t size, struct error *err)
{
    struct run *run = context;
    struct step step;
    if (size < sizeof step)
        return error_set(err, ERROR_CORRUPT, "the plan of a restore is damaged");
    memcpy(&step, data, sizeof step);
    const char *rest = (const char *)data + sizeof step;
    if (step.kind == DRESS)
        return run_dress(run, rest, size - sizeof step, err);
    if (step.live_length >= size - sizeof step || rest[step.live_length] != '\0')
        return error_set(err, ERROR_CORRUPT, "the plan of a restore is damaged");
    struct move move = {.run = run,
                        .kind = step.kind,
                        .device = step.device,
                        .inode = step.inode,
                        .live = rest,
                        .in_side = rest + step.live_length + 1};
    return run_move(&move, err);
}

static int run_plan(struct os *os, const struct files_side *side, bool back, struct error *err)
{
    SCOPED(files_records) struct files_records *records = NULL;
    int found = files_records_open(os, side->fd, PLAN, &records, err);
    if (found == 0)
        return error_set(err, ERROR_FAILED, "%s/%s holds no plan", side->base, side->container);
    if (found < 0)
        return -1;
    struct run run = {.os = os, .side = side, .back = back};
    return back ? files_records_backwards(records, run_step, &run, err)
                : files_records_forwards(records, run_step, &run, err);
}

int files_plan_forwards(struct os *os, const struct files_side *side, struct error *err)
{
    return run_plan(os, side, false, err);
}

int files_plan_backwards(struct os *os, const struct files_side *side, struct error *err)
{
    return run_plan(os, side, true, err);
}
