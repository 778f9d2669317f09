/*
 * The first hundred bytes of a SQLite database, as its file format describes them.
 */
#ifndef KEDGE_SOURCE_SQLITE_HEADER_H
#define KEDGE_SOURCE_SQLITE_HEADER_H

#include <stdbool.h>
#include <stdint.h>

struct error;

#define SQLITE_HEADER_SIZE 100
#define SQLITE_LOCK_BYTE UINT64_C(0x40000000)

struct sqlite_header {
    uint32_t page_size;
    uint32_t page_count; /* 0: an old library wrote last and left it to the file's size */
    bool wal;
    int reserved;
    int encoding;    /* 0 (nothing stored yet), 1 UTF-8, 2 UTF-16le, 3 UTF-16be */
    int auto_vacuum; /* 0 none, 1 full, 2 incremental */
    int32_t user_version;
    uint32_t application_id;
};

/* -1 with ERROR_CORRUPT that names `path` when it is no header. */
int sqlite_header_parse(const uint8_t data[static SQLITE_HEADER_SIZE], const char *path,
                        struct sqlite_header *ret_header, struct error *err);

/* Make the header say rollback journal or WAL, and how many pages there are. */
void sqlite_header_set_wal(uint8_t data[static SQLITE_HEADER_SIZE], bool wal);
void sqlite_header_set_pages(uint8_t data[static SQLITE_HEADER_SIZE], uint32_t page_count);

#endif
