#include "source/sqlite_snapshot.h"

#include "base/error.h"
#include "base/os.h"
#include "base/stop.h"
#include "source/sqlite_connection.h"
#include "source/sqlite_wal.h"

#include <stdlib.h>
#include <string.h>

/* Beginning takes microseconds, so a second attempt is rare and a hundredth is not seen. */
#define FREE_ATTEMPTS 200

#define PIN "BEGIN; PRAGMA schema_version"

struct sqlite_snapshot {
    struct sqlite_connection *connection;
    sqlite3_file *file;
    struct sqlite_header header;
    uint32_t page_count;
    bool in_wal; /* some pages are in the WAL only */
    struct sqlite_wal wal;
    int64_t writer_since_ns; /* when somebody was first seen to hold the right to write; 0: no */
};

static int raise_file(struct sqlite_snapshot *snapshot, int code, const char *what,
                      struct error *err)
{
    return error_set(err, ERROR_SOURCE, "%s: %s: %s", snapshot->connection->path, what,
                     sqlite3_errstr(code));
}

static sqlite3_file *file_of(struct sqlite_snapshot *snapshot, int which)
{
    sqlite3_file *file = NULL;
    sqlite3_file_control(snapshot->connection->handle, "main", which, &file);
    return file && file->pMethods ? file : NULL;
}

/* Within the transaction: the header as the database file has it. */
static int read_header(struct sqlite_snapshot *snapshot, sqlite3_int64 *ret_size, struct error *err)
{
    uint8_t data[SQLITE_HEADER_SIZE];
    int code = snapshot->file->pMethods->xFileSize(snapshot->file, ret_size);
    if (code == SQLITE_OK && *ret_size == 0) {
        snapshot->header = (struct sqlite_header){0};
        return 0;
    }
    if (code == SQLITE_OK)
        code = snapshot->file->pMethods->xRead(snapshot->file, data, sizeof data, 0);
    if (code != SQLITE_OK)
        return raise_file(snapshot, code, "read the header", err);
    return sqlite_header_parse(data, snapshot->connection->path, &snapshot->header, err);
}

static int begin_rollback(struct sqlite_snapshot *snapshot, sqlite3_int64 size, struct error *err)
{
    uint32_t page_size = snapshot->header.page_size;
    if (!page_size)
        return 0;
    uint64_t there = (uint64_t)size / page_size;
    snapshot->page_count = snapshot->header.page_count ? snapshot->header.page_count
                                                       : (uint32_t)(there > UINT32_MAX ? 0 : there);
    if (!snapshot->page_count || there < snapshot->page_count)
        return error_set(err, ERROR_SOURCE, "%s is cut off: %llu of %u pages are there",
                         snapshot->connection->path, (unsigned long long)there,
                         snapshot->page_count);
    return 0;
}

/* The state that the transaction which has just begun reads is known only if the index says the
 * same before and after. */
static int try_wal(struct sqlite_snapshot *snapshot, struct error *err)
{
    struct sqlite_wal_state before;
    struct sqlite_wal_state after;
    if (sqlite_connection_run(snapshot->connection, "ROLLBACK", err) < 0)
        return -1;
    bool known = sqlite_wal_state(snapshot->file, &before);
    if (sqlite_connection_run(snapshot->connection, PIN, err) < 0)
        return -1;
    /* Before the header: had the WAL been restarted by then, the header would differ. */
    uint32_t backfilled = sqlite_wal_backfilled(snapshot->file);
    known = known && sqlite_wal_state(snapshot->file, &after) &&
            memcmp(&before, &after, sizeof before) == 0;
    if (!known)
        return 0;
    snapshot->wal.state = after;
    snapshot->in_wal = backfilled < after.last_frame;
    return 1;
}

/* Others write so often that the index never stands still: keep them out for the moment that it
 * takes. */
static int try_wal_alone(struct sqlite_snapshot *snapshot, struct error *err)
{
    SCOPED(sqlite_connection) struct sqlite_connection *guard = NULL;
    struct sqlite_connection *connection = snapshot->connection;
    if (sqlite_connection_open(connection->os, connection->path, connection->wait_ms, &guard, err) <
            0 ||
        sqlite_connection_run(guard, "BEGIN IMMEDIATE", err) < 0)
        return -1;
    return try_wal(snapshot, err);
}

static int pin_wal(struct sqlite_snapshot *snapshot, struct error *err)
{
    for (int i = 0; i < FREE_ATTEMPTS; i++) {
        int found = try_wal(snapshot, err);
        if (found)
            return found < 0 ? -1 : 0;
        if (stop_check(err) < 0)
            return -1;
    }
    int found = try_wal_alone(snapshot, err);
    if (found)
        return found < 0 ? -1 : 0;
    error_set(err, ERROR_SOURCE, "%s-shm cannot be read", snapshot->connection->path);
    return error_hint(err, "let kedge write in the folder of the database, or copy the database "
                           "with its -wal to a folder where it can");
}

/* Pages have to be looked for in the WAL too. */
static int open_wal(struct sqlite_snapshot *snapshot, struct error *err)
{
    struct sqlite_wal_state state = snapshot->wal.state;
    sqlite3_file *log = file_of(snapshot, SQLITE_FCNTL_JOURNAL_POINTER);
    uint32_t page_size = (state.page_size & 0xfe00U) + ((state.page_size & 1U) << 16);
    if (!log || page_size != snapshot->header.page_size)
        return error_set(err, ERROR_SOURCE, "%s-shm does not belong to this database",
                         snapshot->connection->path);
    sqlite_wal_init(&snapshot->wal, snapshot->file, log, &state, page_size);
    return 0;
}

static int begin_wal(struct sqlite_snapshot *snapshot, struct error *err)
{
    if (pin_wal(snapshot, err) < 0)
        return -1;
    snapshot->page_count = snapshot->wal.state.page_count;
    if (snapshot->in_wal && open_wal(snapshot, err) < 0)
        return -1;
    if (snapshot->page_count)
        return 0;
    /* A WAL that was never written to counts no pages. */
    sqlite3_int64 size = 0;
    if (read_header(snapshot, &size, err) < 0)
        return -1;
    return begin_rollback(snapshot, size, err);
}

static int begin(struct sqlite_snapshot *snapshot, struct error *err)
{
    struct sqlite_connection *connection = snapshot->connection;
    sqlite3_int64 size = 0;
    if (sqlite_connection_run(connection, "PRAGMA query_only=1; " PIN, err) < 0)
        return -1;
    snapshot->file = file_of(snapshot, SQLITE_FCNTL_FILE_POINTER);
    if (!snapshot->file || !snapshot->file->pMethods)
        return error_set(err, ERROR_SOURCE, "%s: SQLite has no file open", connection->path);
    if (read_header(snapshot, &size, err) < 0)
        return -1;
    return snapshot->header.wal ? begin_wal(snapshot, err) : begin_rollback(snapshot, size, err);
}

/* Page 1 may be newer in the WAL than what the file's own header says. */
static int refresh_header(struct sqlite_snapshot *snapshot, struct error *err)
{
    if (!snapshot->in_wal)
        return 0;
    SCOPED(memory) void *page = mem_alloc(1, snapshot->header.page_size);
    if (sqlite_snapshot_read(snapshot, 1, 1, page, err) < 0)
        return -1;
    return sqlite_header_parse(page, snapshot->connection->path, &snapshot->header, err);
}

int sqlite_snapshot_open(struct os *os, const char *path, int64_t wait_ms,
                         struct sqlite_snapshot **ret_snapshot, struct error *err)
{
    SCOPED(sqlite_snapshot)
    struct sqlite_snapshot *snapshot = MEM_NEW(struct sqlite_snapshot);
    if (sqlite_connection_open(os, path, wait_ms, &snapshot->connection, err) < 0 ||
        begin(snapshot, err) < 0 || refresh_header(snapshot, err) < 0)
        return -1;
    *ret_snapshot = STEAL(snapshot);
    return 0;
}

const struct sqlite_header *sqlite_snapshot_header(const struct sqlite_snapshot *snapshot)
{
    return &snapshot->header;
}

uint32_t sqlite_snapshot_page_count(const struct sqlite_snapshot *snapshot)
{
    return snapshot->page_count;
}

bool sqlite_snapshot_blocks_writers(const struct sqlite_snapshot *snapshot)
{
    return snapshot->page_count && !snapshot->header.wal;
}

int sqlite_snapshot_check_writers(struct sqlite_snapshot *snapshot, struct error *err)
{
    if (!sqlite_snapshot_blocks_writers(snapshot))
        return 0;
    struct os *os = snapshot->connection->os;
    int reserved = 0;
    snapshot->file->pMethods->xCheckReservedLock(snapshot->file, &reserved);
    int64_t now_ns = os->clock_monotonic_ns(os);
    if (!reserved)
        snapshot->writer_since_ns = 0;
    else if (!snapshot->writer_since_ns)
        snapshot->writer_since_ns = now_ns;
    int64_t wait_ms = snapshot->connection->wait_ms;
    if (!reserved || now_ns - snapshot->writer_since_ns <= wait_ms * 1000000)
        return 0;
    error_set(err, ERROR_TIMEOUT, "%s: a writer has waited %lld ms for the backup to end",
              snapshot->connection->path, (long long)wait_ms);
    return error_hint(err, "PRAGMA journal_mode=WAL lets writers go on during a backup; or raise "
                           "--max-wait");
}

static int read_file(struct sqlite_snapshot *snapshot, uint32_t first, uint32_t count,
                     uint8_t *data, struct error *err)
{
    uint64_t page_size = snapshot->header.page_size;
    int code = snapshot->file->pMethods->xRead(snapshot->file, data, (int)(count * page_size),
                                               (sqlite3_int64)((uint64_t)(first - 1) * page_size));
    if (code == SQLITE_IOERR_SHORT_READ)
        return error_set(err, ERROR_SOURCE,
                         "%s is cut off: of %u pages, some from number %u on are "
                         "missing",
                         snapshot->connection->path, snapshot->page_count, first);
    return code == SQLITE_OK ? 0 : raise_file(snapshot, code, "read", err);
}

/* Pages from `first` on that have no frame, at most `count`. */
static int count_without_frame(struct sqlite_snapshot *snapshot, uint32_t first, uint32_t count,
                               uint32_t *ret_count, uint32_t *ret_frame, struct error *err)
{
    uint32_t run = 0;
    *ret_frame = 0;
    while (run < count && !*ret_frame) {
        if (sqlite_wal_find(&snapshot->wal, first + run, ret_frame, snapshot->connection->path,
                            err) < 0)
            return -1;
        run += !*ret_frame;
    }
    *ret_count = run;
    return 0;
}

/* The page with SQLite's lock bytes is never written; if the file has not grown past it, it is not
 * even there. */
static int read_run(struct sqlite_snapshot *snapshot, uint32_t first, uint32_t count, uint8_t *data,
                    struct error *err)
{
    uint32_t page_size = snapshot->header.page_size;
    uint32_t lock_page = (uint32_t)(SQLITE_LOCK_BYTE / page_size) + 1;
    if (lock_page < first || lock_page - first >= count)
        return read_file(snapshot, first, count, data, err);
    uint32_t before = lock_page - first;
    memset(data + (size_t)before * page_size, 0, page_size);
    if (before && read_file(snapshot, first, before, data, err) < 0)
        return -1;
    uint32_t after = count - before - 1;
    return after ? read_file(snapshot, lock_page + 1, after,
                             data + (size_t)(before + 1) * page_size, err)
                 : 0;
}

int sqlite_snapshot_read(struct sqlite_snapshot *snapshot, uint32_t first, uint32_t count,
                         uint8_t *data, struct error *err)
{
    if (!snapshot->in_wal)
        return read_run(snapshot, first, count, data, err);
    uint32_t page_size = snapshot->header.page_size;
    while (count) {
        uint32_t run = 0;
        uint32_t frame = 0;
        if (count_without_frame(snapshot, first, count, &run, &frame, err) < 0 ||
            (run && read_run(snapshot, first, run, data, err) < 0))
            return -1;
        data += (size_t)run * page_size;
        if (frame && sqlite_wal_read(&snapshot->wal, frame, first + run, data,
                                     snapshot->connection->path, err) < 0)
            return -1;
        data += frame ? page_size : 0;
        uint32_t done = run + (frame ? 1 : 0);
        first += done;
        count -= done;
    }
    return 0;
}

struct sqlite_connection *sqlite_snapshot_connection(struct sqlite_snapshot *snapshot)
{
    return snapshot->connection;
}

void sqlite_snapshot_close(struct sqlite_snapshot *snapshot)
{
    if (!snapshot)
        return;
    sqlite_wal_clear(&snapshot->wal);
    if (snapshot->connection && !sqlite3_get_autocommit(snapshot->connection->handle))
        sqlite_connection_run(snapshot->connection, "ROLLBACK", NULL);
    sqlite_connection_close(snapshot->connection);
    free(snapshot);
}
