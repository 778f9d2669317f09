/*
 * One consistent state of a SQLite database, held still and read page by page.
 *
 * A read transaction pins the state; the pages are then read in long runs through SQLite's own file
 * handles, past its page cache, which is several times faster than asking for them one by one. How
 * the state is known exactly, and stays still:
 *
 * 1. Rollback journal: the shared lock keeps the file as it is until the snapshot is closed.
 *    Commits of others wait for that long.
 * 2. WAL: the header of the shared index is read before and after the transaction begins. If both
 *    are the same, that header (its last frame, its page count) is what the transaction reads.
 *    Writers append behind that frame and never wait.
 * 3. If by then all frames were checkpointed, the reader may hold the lock that lets the WAL be
 *    overwritten, but the database file is then complete and may not be written: only it is read.
 * 4. Otherwise the reader's mark keeps the WAL from being restarted, and a page's newest frame up
 *    to the last one counts; pages without a frame are in the database file and no checkpoint
 *    changes them.
 *
 * A snapshot belongs to one thread. Memory is bounded whatever the size of database and WAL.
 */
#ifndef KEDGE_SOURCE_SQLITE_SNAPSHOT_H
#define KEDGE_SOURCE_SQLITE_SNAPSHOT_H

#include "base/mem.h"
#include "source/sqlite_header.h"

#include <stdbool.h>
#include <stdint.h>

struct error;
struct os;
struct sqlite_connection;
struct sqlite_snapshot;

/* Pin the state of the database at `path`. Waits at most wait_ms for locks of others. */
int sqlite_snapshot_open(struct os *os, const char *path, int64_t wait_ms,
                         struct sqlite_snapshot **ret_snapshot, struct error *err);

/* All zero for a file of no bytes, which is an empty database. */
const struct sqlite_header *sqlite_snapshot_header(const struct sqlite_snapshot *snapshot);
uint32_t sqlite_snapshot_page_count(const struct sqlite_snapshot *snapshot);

/* Does holding it make others' commits wait? */
bool sqlite_snapshot_blocks_writers(const struct sqlite_snapshot *snapshot);

/* -1 with ERROR_TIMEOUT once somebody else's commit has been kept waiting for wait_ms. To be asked
 * between reads. */
int sqlite_snapshot_check_writers(struct sqlite_snapshot *snapshot, struct error *err);

/* Read `count` pages from number `first` (from 1) into data[count * page_size]. */
int sqlite_snapshot_read(struct sqlite_snapshot *snapshot, uint32_t first, uint32_t count,
                         uint8_t *data, struct error *err);

/* The connection within the pinned transaction, for reading by SQL. Borrowed. */
struct sqlite_connection *sqlite_snapshot_connection(struct sqlite_snapshot *snapshot);

void sqlite_snapshot_close(struct sqlite_snapshot *snapshot);

DEFINE_SCOPED(sqlite_snapshot, struct sqlite_snapshot *, sqlite_snapshot_close);

#endif
