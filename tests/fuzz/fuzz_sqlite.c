/*
 * What is read of SQLite's own files byte by byte: the header of a database, the index of its
 * write-ahead log and the log, as hostile as a file can be; and the line that a restore left.
 */
#include "fuzz.h"

#include "base/text.h"
#include "source/sqlite_header.h"
#include "source/sqlite_kept.h"
#include "source/sqlite_wal.h"

/* ---- the header ---- */

static void try_header(struct input *input)
{
    uint8_t data[SQLITE_HEADER_SIZE] = "SQLite format 3";
    struct sqlite_header header;
    struct error err = ERROR_INIT;
    for (size_t i = 16; i < sizeof data; i++)
        data[i] = input_byte(input);
    if (sqlite_header_parse(data, "shop.db", &header, &err) < 0) {
        MUST(err.code == ERROR_CORRUPT);
        return;
    }
    MUST(header.page_size >= 512 && header.page_size <= 65536);
    sqlite_header_set_wal(data, true);
    sqlite_header_set_pages(data, 77);
    MUST(sqlite_header_parse(data, "shop.db", &header, &err) == 0);
    MUST(header.wal && header.page_count == 77);
}

/* ---- the log ---- */

#define BLOCK 32768

/* A file as SQLite hands it to us, whose index and content are the input. */
struct hostile_file {
    sqlite3_file base;
    const uint8_t *data;
    size_t size;
    void *blocks[3];
};

static int hostile_read(sqlite3_file *file, void *to, int amount, sqlite3_int64 offset)
{
    const struct hostile_file *self = (const struct hostile_file *)file;
    MUST(amount >= 0 && offset >= 0);
    if (offset > (sqlite3_int64)self->size || self->size - (size_t)offset < (size_t)amount)
        return SQLITE_IOERR_SHORT_READ;
    memcpy(to, self->data + offset, (size_t)amount);
    return SQLITE_OK;
}

static int hostile_map(sqlite3_file *file, int number, int size, int extend, void volatile **block)
{
    const struct hostile_file *self = (const struct hostile_file *)file;
    MUST(size == BLOCK && !extend && number >= 0);
    *block = (size_t)number < ARRAY_SIZE(self->blocks) ? self->blocks[number] : NULL;
    return SQLITE_OK;
}

static const sqlite3_io_methods hostile_methods = {
    .iVersion = 2, .xRead = hostile_read, .xShmMap = hostile_map};

/* Both copies of the index's header from the input, the frames' pages too, again and again. */
static void fill_blocks(struct hostile_file *file, struct input *input)
{
    const size_t header = sizeof(struct sqlite_wal_state);
    for (size_t i = 0; i < ARRAY_SIZE(file->blocks); i++) {
        uint8_t *block = file->blocks[i] = mem_alloc(1, BLOCK);
        for (size_t at = 0; at < BLOCK && input->size; at++)
            block[at] = input->data[at % input->size];
        if (i == 0)
            memcpy(block + header, block, header);
    }
}

static void look_up(struct hostile_file *file, const struct sqlite_wal_state *state,
                    uint32_t page_size, uint32_t page)
{
    struct error err = ERROR_INIT;
    struct sqlite_wal wal;
    uint32_t frame = 0;
    SCOPED(memory) void *data = mem_alloc(1, page_size);
    sqlite_wal_init(&wal, &file->base, &file->base, state, page_size);
    int result = sqlite_wal_find(&wal, page, &frame, "shop.db", &err);
    if (result == 0 && frame)
        result = sqlite_wal_read(&wal, frame, page, data, "shop.db", &err);
    if (result < 0)
        MUST_SAY(&err);
    sqlite_wal_clear(&wal);
}

static void try_log(struct input *input)
{
    uint32_t page_size = UINT32_C(512) << (input_byte(input) % 8);
    uint32_t page = input_byte(input);
    struct sqlite_wal_state state;
    struct hostile_file file = {
        .base.pMethods = &hostile_methods, .data = input->data, .size = input->size};
    fill_blocks(&file, input);
    sqlite_wal_backfilled(&file.base);
    if (sqlite_wal_state(&file.base, &state))
        look_up(&file, &state, page_size, page + 1);
    for (size_t i = 0; i < ARRAY_SIZE(file.blocks); i++)
        free(file.blocks[i]);
}

/* ---- the line ---- */

static void try_kept(struct input *input)
{
    SCOPED(string) char *line = input_text(input);
    struct error err = ERROR_INIT;
    SCOPED(sqlite_kept) struct sqlite_kept kept = SQLITE_KEPT_INIT;
    SCOPED(sqlite_kept) struct sqlite_kept again = SQLITE_KEPT_INIT;
    if (sqlite_kept_read(line, &kept, &err) < 0) {
        MUST(err.code == ERROR_CORRUPT);
        return;
    }
    MUST(kept.target[0] == '/' && kept.side[0] == '/');
    SCOPED(string) char *written = sqlite_kept_write(&kept);
    MUST(sqlite_kept_read(written, &again, &err) == 0);
    MUST(text_equal(kept.target, again.target) && text_equal(kept.side, again.side));
    MUST(kept.old_inode == again.old_inode && kept.new_modified_ns == again.new_modified_ns);
    MUST(kept.tables.count == again.tables.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    if (size && data[0] == '{')
        try_kept(&input);
    else if (input_byte(&input) & 1)
        try_header(&input);
    else
        try_log(&input);
    return 0;
}
