#include "source/sqlite_header.h"

#include "base/big_endian.h"
#include "base/error.h"

#include <string.h>

static bool is_page_size(uint32_t size)
{
    return size >= 512 && size <= 65536 && (size & (size - 1)) == 0;
}

int sqlite_header_parse(const uint8_t data[static SQLITE_HEADER_SIZE], const char *path,
                        struct sqlite_header *ret_header, struct error *err)
{
    if (memcmp(data, "SQLite format 3", 16) != 0)
        return error_set(err, ERROR_CORRUPT, "%s is not a SQLite database, or it is encrypted",
                         path);
    uint32_t size = (uint32_t)data[16] << 8 | data[17];
    if (size == 1)
        size = 65536;
    if (!is_page_size(size) || size - data[20] < 480)
        return error_set(err, ERROR_CORRUPT, "%s: the header names a page size of %u", path, size);
    /* The count is to be trusted only if whoever wrote the change counter wrote it too. */
    bool counted = memcmp(data + 24, data + 92, 4) == 0;
    *ret_header = (struct sqlite_header){
        .page_size = size,
        .page_count = counted ? big_endian_32(data + 28) : 0,
        .wal = data[18] == 2 || data[19] == 2,
        .reserved = data[20],
        .encoding = (int)big_endian_32(data + 56),
        .auto_vacuum = !big_endian_32(data + 52)  ? 0
                       : big_endian_32(data + 64) ? 2
                                                  : 1,
        .user_version = (int32_t)big_endian_32(data + 60),
        .application_id = big_endian_32(data + 68),
    };
    return 0;
}

void sqlite_header_set_wal(uint8_t data[static SQLITE_HEADER_SIZE], bool wal)
{
    data[18] = data[19] = wal ? 2 : 1;
}

void sqlite_header_set_pages(uint8_t data[static SQLITE_HEADER_SIZE], uint32_t page_count)
{
    for (int i = 0; i < 4; i++)
        data[28 + i] = (uint8_t)(page_count >> (24 - 8 * i));
    memcpy(data + 92, data + 24, 4);
}
