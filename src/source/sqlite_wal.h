/*
 * The write-ahead log as others keep it: where each page's newest frame is.
 *
 * Reads the shared index (`-shm`) and the `-wal` through SQLite's own handles on them, so no lock
 * is taken or lost. See the file format's chapters on the WAL and on the WAL-index.
 */
#ifndef KEDGE_SOURCE_SQLITE_WAL_H
#define KEDGE_SOURCE_SQLITE_WAL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct error;

/* The index's header: what one state of the database is. Compared as bytes. */
struct sqlite_wal_state {
    uint32_t version;
    uint32_t unused;
    uint32_t change;
    uint8_t initialised;
    uint8_t big_endian;
    uint16_t page_size;
    uint32_t last_frame;
    uint32_t page_count;
    uint32_t frame_checksum[2];
    uint8_t salt[8];
    uint32_t checksum[2];
};

/* How many pages one look at the index covers, and the memory it takes (4 bytes each). */
#define SQLITE_WAL_WINDOW ((uint32_t)1 << 20)

struct sqlite_wal {
    sqlite3_file *database;
    sqlite3_file *log;
    struct sqlite_wal_state state;
    uint32_t page_size;
    uint32_t window_first; /* page of newest[0]; 0: none yet */
    uint32_t *newest;      /* SQLITE_WAL_WINDOW frame numbers, 0 for a page without one */
    uint8_t *frame;        /* one frame */
};

/* 1 and the state that readers see now, 0 when the index cannot be had or is being written. */
int sqlite_wal_state(sqlite3_file *database, struct sqlite_wal_state *ret_state);

/* Frames that are in the database file by now. */
uint32_t sqlite_wal_backfilled(sqlite3_file *database);

/* Ready to find pages of `state`, which a read transaction pins. `page_size` is the header's. */
void sqlite_wal_init(struct sqlite_wal *wal, sqlite3_file *database, sqlite3_file *log,
                     const struct sqlite_wal_state *state, uint32_t page_size);
void sqlite_wal_clear(struct sqlite_wal *wal);

/* The newest frame of `page` (0: it has none) in *ret_frame. */
int sqlite_wal_find(struct sqlite_wal *wal, uint32_t page, uint32_t *ret_frame, const char *path,
                    struct error *err);

/* Read a frame's page into data[page_size]. */
int sqlite_wal_read(struct sqlite_wal *wal, uint32_t frame, uint32_t page, uint8_t *data,
                    const char *path, struct error *err);

#endif
