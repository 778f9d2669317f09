#include "source/sqlite_holders.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/os.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define WHO_MAXIMUM 400
#define OURSELVES "kedge itself"

struct search {
    struct os *os;
    struct stat wanted;
    const char *process; /* the one that is looked at: digits or "self" */
    char *folder;        /* its descriptors */
    bool found;          /* it has the file open */
    bool blind;          /* some process did not let us look */
    struct buf who;
};

static int look_at_descriptor(void *context, const char *name, struct error *err)
{
    (void)err;
    struct search *search = context;
    SCOPED(string) char *path = path_join(search->folder, name);
    struct stat there;
    if (search->os->fstatat(search->os, AT_FDCWD, path, &there, 0) < 0)
        return 0;
    search->found = there.st_dev == search->wanted.st_dev && there.st_ino == search->wanted.st_ino;
    return search->found ? 1 : 0;
}

static void note_process(struct search *search)
{
    SCOPED(string) char *path = mem_format("/proc/%s/comm", search->process);
    SCOPED(buf) struct buf name = BUF_INIT_MAX(64);
    file_read_all(search->os, path, &name, NULL);
    while (name.length && name.data[name.length - 1] == '\n')
        name.data[--name.length] = '\0';
    buf_append_format(&search->who, "%s%s (%s)", search->who.length ? ", " : "", search->process,
                      name.length ? name.data : "?");
}

static void look_at_process(struct search *search, const char *process)
{
    search->process = process;
    search->folder = mem_format("/proc/%s/fd", process);
    search->found = false;
    struct error err = ERROR_INIT;
    /* A process that ended while we looked is none of the blind spots. */
    if (folder_list(search->os, search->folder, look_at_descriptor, search, &err) < 0 &&
        err.sys != ENOENT && err.sys != ESRCH)
        search->blind = true;
    if (search->found)
        note_process(search);
    free(search->folder);
}

static int look_at_entry(void *context, const char *name, struct error *err)
{
    (void)err;
    if (name[0] >= '0' && name[0] <= '9')
        look_at_process(context, name);
    return 0;
}

static int search_processes(struct os *os, const struct stat *wanted,
                            enum sqlite_holders *ret_holders, char **ret_who)
{
    struct search search = {.os = os, .wanted = *wanted, .who = BUF_INIT_MAX(WHO_MAXIMUM)};
    if (folder_list(os, "/proc", look_at_entry, &search, NULL) < 0)
        search.blind = true;
    *ret_holders = search.who.length || search.who.overflowed ? SQLITE_HOLDERS_SOME
                   : search.blind                             ? SQLITE_HOLDERS_UNKNOWN
                                                              : SQLITE_HOLDERS_NONE;
    *ret_who = search.who.length ? buf_steal(&search.who) : NULL;
    buf_clear(&search.who);
    return 0;
}

/* Opening and closing the file here would drop the locks that this very process has on it. */
static bool is_ours(struct os *os, const struct stat *wanted)
{
    struct search search = {.os = os, .wanted = *wanted, .who = BUF_INIT_MAX(WHO_MAXIMUM)};
    look_at_process(&search, "self");
    buf_clear(&search.who);
    return search.found;
}

/* 1 nobody else has it open, 0 somebody has, -1 the kernel grants us no lease here. */
static int ask_for_lease(struct os *os, const char *path)
{
    int fd = file_open(os, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW, 0, NULL);
    if (fd < 0)
        return -1;
    int result = os->fcntl_lease(os, fd, F_WRLCK);
    int failed = errno;
    if (result == 0)
        os->fcntl_lease(os, fd, F_UNLCK);
    file_close(os, &fd);
    if (result == 0)
        return 1;
    return failed == EAGAIN || failed == EBUSY ? 0 : -1;
}

int sqlite_holders(struct os *os, const char *path, enum sqlite_holders *ret_holders,
                   char **ret_who, struct error *err)
{
    struct stat wanted;
    if (os->fstatat(os, AT_FDCWD, path, &wanted, 0) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "look at %s", path);
    *ret_who = NULL;
    *ret_holders = SQLITE_HOLDERS_NONE;
    if (is_ours(os, &wanted)) {
        *ret_holders = SQLITE_HOLDERS_SOME;
        *ret_who = mem_string(OURSELVES);
        return 0;
    }
    int lease = ask_for_lease(os, path);
    if (lease == 1)
        return 0;
    search_processes(os, &wanted, ret_holders, ret_who);
    if (lease == 0)
        *ret_holders = SQLITE_HOLDERS_SOME;
    return 0;
}

int sqlite_holders_refuse(struct os *os, const char *path, struct error *err)
{
    enum sqlite_holders holders = SQLITE_HOLDERS_NONE;
    SCOPED(string) char *who = NULL;
    if (sqlite_holders(os, path, &holders, &who, err) < 0)
        return -1;
    if (holders == SQLITE_HOLDERS_UNKNOWN)
        log_warning("%s: it cannot be told whether other programs have it open; a connection that "
                    "stays open goes on with the old file",
                    path);
    if (holders != SQLITE_HOLDERS_SOME)
        return 0;
    error_set(err, ERROR_LOCKED, "%s is open in %s", path, who ? who : "another program");
    if (text_equal(who, OURSELVES))
        return error_hint(err, "kedge's catalogue is in it: restore to another path with --to, or "
                               "single tables with --table");
    return error_hint(err, "stop the programs that use it and restore again, restore to another "
                           "path with --to, or restore single tables with --table");
}
