#include "source/sqlite_hold.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/os.h"
#include "base/text.h"
#include "source/sqlite_connection.h"
#include "source/sqlite_header.h"
#include "source/sqlite_holders.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define ATTEMPTS 10

static const char *const sidecars[] = {"-wal", "-journal", "-shm"};

struct sqlite_hold {
    struct os *os;
    struct sqlite_connection *connection; /* or */
    int lease;                            /* a descriptor with a lease, -1 for none */
    bool was_wal;
    char *path;
    char *aside; /* where sidecars went, NULL when they did not */
};

/* ---- header and sidecars ---- */

static int read_header_bytes(struct os *os, int fd, const char *path, uint8_t *data,
                             size_t *ret_size, struct error *err)
{
    return file_pread(os, fd, data, SQLITE_HEADER_SIZE, 0, ret_size, path, err);
}

/* 1, 0, or -1. A file too short for a header says no. */
static int says_wal(struct os *os, const char *path, struct error *err)
{
    int fd = file_open(os, path, O_RDONLY | O_CLOEXEC, 0, err);
    if (fd < 0)
        return -1;
    uint8_t data[SQLITE_HEADER_SIZE];
    size_t size = 0;
    int result = read_header_bytes(os, fd, path, data, &size, err);
    file_close(os, &fd);
    if (result < 0)
        return -1;
    struct sqlite_header header;
    return size == sizeof data && sqlite_header_parse(data, path, &header, NULL) == 0 && header.wal;
}

int sqlite_file_set_wal(struct os *os, const char *path, bool wal, struct error *err)
{
    int is = says_wal(os, path, err);
    if (is < 0 || is == wal)
        return is < 0 ? -1 : 0;
    int fd = file_open(os, path, O_RDWR | O_CLOEXEC, 0, err);
    if (fd < 0)
        return -1;
    uint8_t data[SQLITE_HEADER_SIZE];
    size_t size = 0;
    int result = read_header_bytes(os, fd, path, data, &size, err);
    if (result == 0 && size == sizeof data) {
        sqlite_header_set_wal(data, wal);
        result = file_pwrite_all(os, fd, data + 18, 2, 18, path, err);
    }
    if (result == 0)
        result = file_sync(os, fd, path, err);
    file_close(os, &fd);
    return result;
}

int sqlite_sidecars_move(struct os *os, const char *from, const char *to, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(sidecars); i++) {
        SCOPED(string) char *old_path = mem_format("%s%s", from, sidecars[i]);
        SCOPED(string) char *new_path = mem_format("%s%s", to, sidecars[i]);
        struct stat there;
        int found = file_stat(os, old_path, &there, err);
        if (found < 0 || (found && file_rename(os, old_path, new_path, err) < 0))
            return -1;
    }
    return 0;
}

int sqlite_sidecars_remove(struct os *os, const char *path, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(sidecars); i++) {
        SCOPED(string) char *sidecar = mem_format("%s%s", path, sidecars[i]);
        if (file_remove(os, sidecar, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- with SQLite ---- */

static int sidecar_exists(struct sqlite_hold *hold, const char *suffix, struct error *err)
{
    SCOPED(string) char *path = mem_format("%s%s", hold->path, suffix);
    struct stat there;
    return file_stat(hold->os, path, &there, err);
}

static int leave_wal(struct sqlite_hold *hold, struct error *err)
{
    SCOPED(string) char *before = NULL;
    SCOPED(string) char *after = NULL;
    if (sqlite_connection_run(hold->connection, "PRAGMA locking_mode=NORMAL", err) < 0 ||
        sqlite_connection_text(hold->connection, "PRAGMA journal_mode", &before, err) < 0)
        return -1;
    hold->was_wal = hold->was_wal || text_equal(before, "wal");
    if (sqlite_connection_text(hold->connection, "PRAGMA journal_mode=DELETE", &after, err) < 0)
        return -1;
    if (text_equal(after, "wal"))
        return error_set(err, ERROR_LOCKED, "%s stays in WAL mode", hold->path);
    return 0;
}

/* Between leaving WAL mode and the exclusive lock somebody may have gone back to it: 1 alone and
 * without a WAL, 0 not. */
static int try_alone(struct sqlite_hold *hold, struct error *err)
{
    if (leave_wal(hold, err) < 0 ||
        sqlite_connection_run(hold->connection, "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE",
                              err) < 0)
        return -1;
    int wal = sidecar_exists(hold, "-wal", err);
    if (wal == 0)
        return 1;
    if (wal < 0 || sqlite_connection_run(hold->connection, "ROLLBACK", err) < 0)
        return -1;
    return 0;
}

/* Under the exclusive lock no journal is hot any more: what is left was kept by
 * journal_mode=PERSIST or TRUNCATE. */
static int remove_journal(struct sqlite_hold *hold, struct error *err)
{
    SCOPED(string) char *path = mem_format("%s-journal", hold->path);
    return file_remove(hold->os, path, err);
}

static int take_with_sqlite(struct sqlite_hold *hold, int64_t wait_ms, struct error *err)
{
    if (sqlite_connection_open(hold->os, hold->path, wait_ms, &hold->connection, err) < 0)
        return -1;
    /* A schema that does not parse is no reason to fail: it is being replaced. */
    if (sqlite_connection_run(hold->connection, "PRAGMA writable_schema=ON", err) < 0)
        return -1;
    for (int i = 0; i < ATTEMPTS; i++) {
        int alone = try_alone(hold, err);
        if (alone < 0)
            return -1;
        if (alone)
            return remove_journal(hold, err);
    }
    return error_set(err, ERROR_LOCKED, "%s goes back to WAL mode again and again", hold->path);
}

/* ---- without ---- */

static int take_raw(struct sqlite_hold *hold, const char *aside, struct error *err)
{
    hold->lease = file_open(hold->os, hold->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0, err);
    if (hold->lease < 0)
        return -1;
    /* Where there are no leases the look at the holders has to do. */
    hold->os->fcntl_lease(hold->os, hold->lease, F_WRLCK);
    hold->aside = mem_string(aside);
    return sqlite_sidecars_move(hold->os, hold->path, aside, err);
}

static bool is_unreadable(const struct error *err)
{
    return err->code == ERROR_CORRUPT;
}

/* ---- both ---- */

static void hold_free(struct sqlite_hold *hold)
{
    sqlite_connection_close(hold->connection);
    file_close(hold->os, &hold->lease);
    free(hold->aside);
    free(hold->path);
    free(hold);
}

int sqlite_hold_take(struct os *os, const char *path, const char *aside, int64_t wait_ms,
                     struct sqlite_hold **ret_hold, struct error *err)
{
    if (sqlite_holders_refuse(os, path, err) < 0)
        return -1;
    struct sqlite_hold *hold = MEM_NEW(struct sqlite_hold);
    hold->os = os;
    hold->lease = -1;
    hold->path = mem_string(path);
    struct error failed = ERROR_INIT;
    int result = take_with_sqlite(hold, wait_ms, &failed);
    if (result < 0 && is_unreadable(&failed)) {
        log_warning("%s; it is replaced as it is", failed.message);
        sqlite_connection_close(hold->connection);
        hold->connection = NULL;
        result = take_raw(hold, aside, &failed);
    }
    if (result < 0) {
        sqlite_hold_undo(hold);
        if (err)
            *err = failed;
        return -1;
    }
    *ret_hold = hold;
    return 0;
}

void sqlite_hold_release(struct sqlite_hold *hold)
{
    if (hold)
        hold_free(hold);
}

void sqlite_hold_undo(struct sqlite_hold *hold)
{
    if (!hold)
        return;
    struct error err = ERROR_INIT;
    int result = 0;
    if (hold->aside)
        result = sqlite_sidecars_move(hold->os, hold->aside, hold->path, &err);
    if (hold->connection && hold->was_wal) {
        if (!sqlite3_get_autocommit(hold->connection->handle))
            sqlite_connection_run(hold->connection, "ROLLBACK", NULL);
        result = sqlite_connection_run(hold->connection,
                                       "PRAGMA locking_mode=NORMAL; PRAGMA journal_mode=WAL", &err);
        /* The WAL is ours and empty. */
        sqlite3_db_config(hold->connection->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    }
    if (result < 0)
        log_warning("%s: not put back into WAL mode: %s", hold->path, err.message);
    hold_free(hold);
}
