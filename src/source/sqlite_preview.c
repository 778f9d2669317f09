#include "source/sqlite_preview.h"

#include "base/error.h"
#include "base/file.h"
#include "base/os.h"
#include "source/source.h"
#include "source/sqlite_connection.h"
#include "source/sqlite_holders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define COUNT_TIME_MS 300
#define STEPS_PER_LOOK 5000
#define LOCK_WAIT_MS 2000

/* ---- what is there ---- */

struct clock {
    struct os *os;
    int64_t deadline_ns;
};

static int out_of_time(void *context)
{
    struct clock *clock = context;
    return clock->os->clock_monotonic_ns(clock->os) > clock->deadline_ns;
}

/* Gives up with SQLITE_INTERRUPT once the clock has run out. */
static int count_rows_of(struct sqlite_connection *connection, const char *table,
                         struct clock *clock, uint64_t *rows)
{
    char *sql = sqlite3_mprintf("SELECT count(*) FROM \"%w\"", table);
    int64_t count = 0;
    sqlite3_progress_handler(connection->handle, STEPS_PER_LOOK, out_of_time, clock);
    int result = sqlite_connection_number(connection, sql, &count, NULL);
    sqlite3_progress_handler(connection->handle, 0, NULL, NULL);
    sqlite3_free(sql);
    *rows += (uint64_t)count;
    return result;
}

static bool is_replaced(const struct text_list *names, const char *table)
{
    if (!names->count)
        return true;
    for (size_t i = 0; i < names->count; i++)
        if (sqlite3_stricmp(names->items[i], table) == 0)
            return true;
    return false;
}

/* Rows of the tables that are replaced; UINT64_MAX when that takes too long to count. */
static int count_tables(const struct sqlite_preview_options *options,
                        struct sqlite_connection *connection, struct load_preview *preview,
                        struct error *err)
{
    struct clock clock = {.os = options->os};
    clock.deadline_ns =
        options->os->clock_monotonic_ns(options->os) + INT64_C(1000000) * COUNT_TIME_MS;
    SCOPED(sqlite_statement) sqlite3_stmt *tables = NULL;
    uint64_t rows = 0;
    bool counted = true;
    if (sqlite_connection_prepare(connection,
                                  "SELECT name FROM sqlite_schema WHERE type = 'table' "
                                  "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
                                  &tables, err) < 0)
        return -1;
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(tables)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(tables, 0);
        if (!is_replaced(options->tables, name))
            continue;
        preview->objects++;
        counted = counted && count_rows_of(connection, name, &clock, &rows) == 0;
    }
    if (code != SQLITE_DONE)
        return sqlite_connection_raise(connection, code, err);
    preview->rows = counted ? rows : UINT64_MAX;
    return 0;
}

static int look_inside(const struct sqlite_preview_options *options, struct load_preview *preview,
                       struct error *err)
{
    SCOPED(sqlite_connection) struct sqlite_connection *connection = NULL;
    if (sqlite_connection_open(options->os, options->target, LOCK_WAIT_MS, &connection, err) < 0 ||
        sqlite_connection_run(connection, "PRAGMA query_only=1", err) < 0)
        return -1;
    return count_tables(options, connection, preview, err);
}

/* A journal is rolled back by whoever reads first; a preview must not be the one. */
static bool has_journal(const struct sqlite_preview_options *options)
{
    SCOPED(string) char *path = mem_format("%s-journal", options->target);
    struct stat there;
    return file_stat(options->os, path, &there, NULL) > 0 && there.st_size > 0;
}

static void describe_target(const struct sqlite_preview_options *options,
                            struct load_preview *preview)
{
    struct error err = ERROR_INIT;
    preview->rows = UINT64_MAX;
    if (has_journal(options)) {
        text_list_give(&preview->conflicts,
                       mem_format("%s has an unfinished transaction in %s-journal, so what is in "
                                  "it was not counted",
                                  options->target, options->target));
        return;
    }
    if (look_inside(options, preview, &err) < 0)
        text_list_give(&preview->conflicts,
                       mem_format("what is there now cannot be read: %s", err.message));
}

/* ---- whether it can work ---- */

/* A nameless file shows whether the folder takes new files without leaving a trace. */
static int check_folder(const struct sqlite_preview_options *options, const char *folder,
                        struct error *err)
{
    struct os *os = options->os;
    int fd = os->openat(os, AT_FDCWD, folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    int failed = errno;
    file_close(os, &fd);
    if (fd < 0 && (failed == EACCES || failed == EPERM || failed == EROFS)) {
        error_set_errno(err, ERROR_PERMISSION, failed, "%s: no new file can be made in the folder",
                        options->target);
        return error_hint(err, "run kedge as the owner of %s, or restore to another path with --to",
                          folder);
    }
    struct stat there;
    int found = file_stat(os, folder, &there, err);
    if (found < 0)
        return -1;
    if (!found || !S_ISDIR(there.st_mode))
        return error_set(err, ERROR_NOT_FOUND, "%s: no such folder", folder);
    return 0;
}

static int check_room(const struct sqlite_preview_options *options, const char *folder,
                      struct error *err)
{
    uint64_t room = 0;
    if (file_free_space(options->os, folder, &room, err) < 0)
        return -1;
    if (room >= options->size)
        return 0;
    char have[32];
    char need[32];
    text_format_size(room, have);
    text_format_size(options->size, need);
    error_set(err, ERROR_NO_SPACE,
              "%s: the restored database needs %s beside the old one, %s are free", options->target,
              need, have);
    return error_hint(err,
                      "free some room in %s, or restore to a path on another disk with --to "
                      "and move it by hand",
                      folder);
}

static int check_owner(const struct sqlite_preview_options *options, const char *folder,
                       const struct stat *old, struct error *err)
{
    struct stat above;
    int found = file_stat(options->os, folder, &above, err);
    if (found <= 0)
        return found;
    if (above.st_dev != old->st_dev) {
        error_set(err, ERROR_PERMISSION, "%s is mounted by itself and cannot be exchanged",
                  options->target);
        return error_hint(err, "mount its folder instead, or restore single tables with --table");
    }
    uid_t me = geteuid();
    if (me == 0 || me == old->st_uid)
        return 0;
    if ((above.st_mode & S_ISVTX) && above.st_uid != me) {
        error_set(err, ERROR_PERMISSION,
                  "%s belongs to another user in a folder with the sticky bit", options->target);
        return error_hint(err, "run kedge as its owner or as root");
    }
    if (options->no_owner)
        return 0;
    error_set(err, ERROR_PERMISSION, "%s belongs to user %u, and the restored file could not",
              options->target, (unsigned)old->st_uid);
    return error_hint(err, "run kedge as that user or as root, or let the restored file be yours "
                           "with --no-owner");
}

static int check_target(const struct sqlite_preview_options *options, const char *folder,
                        const struct stat *old, struct load_preview *preview, struct error *err)
{
    if (!S_ISREG(old->st_mode))
        return error_set(err, ERROR_USAGE, "%s is not a regular file", options->target);
    if (check_owner(options, folder, old, err) < 0 ||
        sqlite_holders_refuse(options->os, options->target, err) < 0)
        return -1;
    if (old->st_nlink > 1)
        text_list_give(&preview->conflicts,
                       mem_format("%s has %lu names; only this one is replaced", options->target,
                                  (unsigned long)old->st_nlink));
    return 0;
}

int sqlite_preview(const struct sqlite_preview_options *options, struct load_preview *ret_preview,
                   struct error *err)
{
    struct load_preview preview = {.conflicts = TEXT_LIST_INIT};
    SCOPED(string) char *folder = path_folder(options->target);
    struct stat old;
    int exists = file_stat(options->os, options->target, &old, err);
    if (exists < 0 || check_folder(options, folder, err) < 0 ||
        check_room(options, folder, err) < 0)
        return -1;
    if (exists && !options->tables->count &&
        check_target(options, folder, &old, &preview, err) < 0) {
        load_preview_clear(&preview);
        return -1;
    }
    preview.target = mem_string(options->target);
    text_list_add(&preview.places, options->target);
    preview.exists = exists;
    preview.bytes = exists ? (uint64_t)old.st_size : 0;
    if (exists)
        describe_target(options, &preview);
    *ret_preview = preview;
    return 0;
}
