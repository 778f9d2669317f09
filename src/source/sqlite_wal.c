#include "source/sqlite_wal.h"

#include "base/big_endian.h"
#include "base/error.h"
#include "base/mem.h"
#include "source/sqlite_header.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The index comes in blocks of 32 KiB: page numbers of 4096 frames, then a hash table that we do
 * not need. In the first block two copies of the header and the checkpoint's state stand before. */
#define BLOCK_SIZE 32768
#define BLOCK_FRAMES 4096
#define HEADER_SIZE 136
#define FIRST_FRAMES (BLOCK_FRAMES - HEADER_SIZE / 4)

#define LOG_HEADER_SIZE 32
#define FRAME_HEADER_SIZE 24

static_assert(sizeof(struct sqlite_wal_state) == 48, "as in the WAL-index");

static const volatile uint32_t *map_block(sqlite3_file *database, uint32_t number)
{
    void volatile *block = NULL;
    int code = database->pMethods->xShmMap(database, (int)number, BLOCK_SIZE, 0, &block);
    /* SQLITE_READONLY comes with a block that may be read. */
    return code == SQLITE_OK || code == SQLITE_READONLY ? block : NULL;
}

static void copy_words(const volatile uint32_t *from, size_t count, void *to)
{
    uint32_t words[16];
    for (size_t i = 0; i < count; i++)
        words[i] = from[i];
    memcpy(to, words, count * sizeof *words);
}

int sqlite_wal_state(sqlite3_file *database, struct sqlite_wal_state *ret_state)
{
    const volatile uint32_t *block = map_block(database, 0);
    if (!block)
        return 0;
    struct sqlite_wal_state copy;
    size_t words = sizeof copy / sizeof(uint32_t);
    copy_words(block, words, ret_state);
    atomic_thread_fence(memory_order_seq_cst);
    copy_words(block + words, words, &copy);
    return memcmp(ret_state, &copy, sizeof copy) == 0 && copy.initialised;
}

uint32_t sqlite_wal_backfilled(sqlite3_file *database)
{
    const volatile uint32_t *block = map_block(database, 0);
    uint32_t backfilled = block ? block[2 * sizeof(struct sqlite_wal_state) / sizeof(uint32_t)] : 0;
    atomic_thread_fence(memory_order_seq_cst);
    return backfilled;
}

void sqlite_wal_init(struct sqlite_wal *wal, sqlite3_file *database, sqlite3_file *log,
                     const struct sqlite_wal_state *state, uint32_t page_size)
{
    *wal = (struct sqlite_wal){
        .database = database,
        .log = log,
        .state = *state,
        .page_size = page_size,
        .newest = mem_alloc(SQLITE_WAL_WINDOW, sizeof(uint32_t)),
        .frame = mem_alloc(1, FRAME_HEADER_SIZE + page_size),
    };
}

void sqlite_wal_clear(struct sqlite_wal *wal)
{
    free(wal->newest);
    free(wal->frame);
    *wal = (struct sqlite_wal){0};
}

/* Note the frames of one block, in order, so that the newest one stays. */
static void look_at_block(struct sqlite_wal *wal, const volatile uint32_t *pages, uint32_t count,
                          uint32_t first_frame)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t page = pages[i];
        if (page >= wal->window_first && page - wal->window_first < SQLITE_WAL_WINDOW)
            wal->newest[page - wal->window_first] = first_frame + i;
    }
}

static int look_at_window(struct sqlite_wal *wal, uint32_t first, const char *path,
                          struct error *err)
{
    memset(wal->newest, 0, SQLITE_WAL_WINDOW * sizeof *wal->newest);
    wal->window_first = first;
    uint32_t frame = 1;
    for (uint32_t number = 0; frame <= wal->state.last_frame; number++) {
        const volatile uint32_t *block = map_block(wal->database, number);
        if (!block)
            return error_set(err, ERROR_SOURCE, "%s-shm: block %u is missing", path, number);
        uint32_t count = number ? BLOCK_FRAMES : FIRST_FRAMES;
        if (count > wal->state.last_frame - frame + 1)
            count = wal->state.last_frame - frame + 1;
        look_at_block(wal, number ? block : block + HEADER_SIZE / 4, count, frame);
        frame += count;
    }
    return 0;
}

int sqlite_wal_find(struct sqlite_wal *wal, uint32_t page, uint32_t *ret_frame, const char *path,
                    struct error *err)
{
    bool inside = wal->window_first && page >= wal->window_first &&
                  page - wal->window_first < SQLITE_WAL_WINDOW;
    if (!inside && look_at_window(wal, page, path, err) < 0)
        return -1;
    *ret_frame = wal->newest[page - wal->window_first];
    return 0;
}

int sqlite_wal_read(struct sqlite_wal *wal, uint32_t frame, uint32_t page, uint8_t *data,
                    const char *path, struct error *err)
{
    size_t size = FRAME_HEADER_SIZE + wal->page_size;
    sqlite3_int64 offset = LOG_HEADER_SIZE + (sqlite3_int64)(frame - 1) * (sqlite3_int64)size;
    int code = wal->log->pMethods->xRead(wal->log, wal->frame, (int)size, offset);
    if (code != SQLITE_OK)
        return error_set(err, ERROR_SOURCE, "%s-wal: read frame %u: %s", path, frame,
                         sqlite3_errstr(code));
    if (big_endian_32(wal->frame) != page ||
        memcmp(wal->frame + 8, wal->state.salt, sizeof wal->state.salt) != 0)
        return error_set(err, ERROR_SOURCE, "%s-wal: frame %u is not the one of page %u", path,
                         frame, page);
    memcpy(data, wal->frame + FRAME_HEADER_SIZE, wal->page_size);
    return 0;
}
