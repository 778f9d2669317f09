/*
 * What the walker hands to the readers: entries of a tree, gathered into units of one segment each.
 *
 * An entry holds references, not descriptors of its own: the open folder it lies in is shared with
 * its neighbours, the open content of a big file with the file's other parts. The last one to let
 * go closes.
 */
#ifndef KEDGE_SOURCE_FILES_ENTRY_H
#define KEDGE_SOURCE_FILES_ENTRY_H

#include "io/tar.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct os;

struct files_folder {
    struct os *os;
    int fd;
    atomic_int references;
};

struct files_folder *files_folder_new(struct os *os, int fd); /* takes the descriptor */
struct files_folder *files_folder_share(struct files_folder *folder);
void files_folder_release(struct files_folder *folder); /* NULL is fine */

/* A regular file that the walker had to open itself: one in parts, one with holes, or one that hard
 * links will point at. */
struct files_content {
    struct os *os;
    int fd;
    atomic_int references;
    struct stat stat; /* when it was opened */
    struct tar_extent *extents;
    size_t extent_count;
    bool sparse;
    uint64_t size;        /* of the data: all of it, or the extents */
    atomic_bool reported; /* somebody said that it changed */
};

/* Takes the descriptor. */
struct files_content *files_content_new(struct os *os, int fd, const struct stat *stat);
/* Ask the file system for holes, where the file takes less room than it is long. */
void files_content_find_holes(struct files_content *content);
struct files_content *files_content_share(struct files_content *content);
void files_content_release(struct files_content *content); /* NULL is fine */

static inline bool files_stat_has_holes(const struct stat *stat)
{
    return (uint64_t)stat->st_blocks * 512 < (uint64_t)stat->st_size;
}

struct files_entry {
    char *member;                /* "" for the top of everything */
    char *root_path;             /* of a root: how to open it; NULL for what lies in `folder` */
    struct files_folder *folder; /* it lies in; NULL for a root */
    struct files_folder *self;   /* a folder: itself, open; NULL when it could not be opened */
    struct stat stat;
    char *link; /* of a symbolic link its content, of a hard link its target */
    bool hard_link;
    struct files_content *content; /* NULL: the reader opens it */
    uint64_t begin, end;           /* with content: the part of the data */
};

void files_entry_clear(struct files_entry *entry);

/* What openat takes, together with the descriptor. */
const char *files_entry_name(const struct files_entry *entry);
int files_entry_at(const struct files_entry *entry);

struct files_unit {
    struct files_entry *entries;
    size_t count, capacity;
    size_t estimate;    /* bytes it will take in the archive */
    size_t descriptors; /* it keeps open */
    uint64_t number;    /* its turn, from 0 */
};

struct files_unit *files_unit_new(void);
void files_unit_free(struct files_unit *unit);

static inline void scoped_files_unit_cleanup(struct files_unit **unit)
{
    files_unit_free(*unit);
}

#endif
