/*
 * How much there is in a live tree, and how much of it is newer than a moment.
 */
#ifndef KEDGE_SOURCE_FILES_COUNT_H
#define KEDGE_SOURCE_FILES_COUNT_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct os;

struct files_count {
    uint64_t entries; /* the top included */
    uint64_t bytes;   /* of regular files, each inode once */
    uint64_t newer;   /* entries changed after the moment, the top left out */
    bool partial;     /* some could not be looked at */
};

/* Added to *count. Nothing at `path` counts nothing. */
int files_count_tree(struct os *os, const char *path, int64_t moment_ns, struct files_count *count,
                     struct error *err);

#endif
