/*
 * What is known about a restore outside the process that runs it: the line of JSON in the restore
 * log, and the names of the files it speaks of.
 *
 * The side copy lies beside the target, `.<name>.kedge-<ulid>`; after the swap the same name holds
 * the old database. Inodes tell which of the two a name holds, whatever happened to the process.
 */
#ifndef KEDGE_SOURCE_SQLITE_KEPT_H
#define KEDGE_SOURCE_SQLITE_KEPT_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct error;
struct os;

struct sqlite_kept {
    char *target;
    char *side;
    bool existed;       /* the target was there before the restore */
    bool old_wal;       /* and it was in WAL mode */
    bool new_wal;       /* what was restored is */
    uint64_t old_inode; /* 0 when it was not there */
    uint64_t new_inode;
    int64_t new_modified_ns;
    struct text_list tables; /* --table: side holds only these, as they were */
};

#define SQLITE_KEPT_INIT ((struct sqlite_kept){0})

/* "<folder>/.<name>.kedge-<id>", to be freed. */
char *sqlite_side_path(const char *target, const char *id);

/* To be freed. */
char *sqlite_kept_write(const struct sqlite_kept *kept);

/* -1 with ERROR_CORRUPT when it is no such line, or when it names files that no restore makes. */
int sqlite_kept_read(const char *json, struct sqlite_kept *ret_kept, struct error *err);
void sqlite_kept_clear(struct sqlite_kept *kept);

static inline void scoped_sqlite_kept_cleanup(struct sqlite_kept *kept)
{
    sqlite_kept_clear(kept);
}

#endif
