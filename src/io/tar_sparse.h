/*
 * Maps of sparse files that stand in headers, as GNU tar has written them over the years: the
 * records of pax forms 0.0 and 0.1, and the header of type 'S' with the blocks that go on with it.
 * Form 1.0 keeps its map in the content (tar_map_read); only its name and size are in records.
 */
#ifndef KEDGE_IO_TAR_SPARSE_H
#define KEDGE_IO_TAR_SPARSE_H

#include "io/tar.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tar_header;

/* What the headers of one member have said so far; all zero at first. */
struct tar_sparse {
    bool any;
    bool has_version, has_size, half; /* half: an offset whose length comes next */
    int major, minor;
    uint64_t real_size;
    const char *path; /* borrowed from the record */
    struct tar_extent *extents;
    size_t count, capacity;
};

void tar_sparse_reset(struct tar_sparse *sparse); /* for the next member; keeps its memory */
void tar_sparse_clear(struct tar_sparse *sparse);

static inline bool tar_sparse_any(const struct tar_sparse *sparse)
{
    return sparse->any;
}

/* A record "GNU.sparse.KEY=VALUE". 0, or -1 when it makes no sense. */
int tar_sparse_record(struct tar_sparse *sparse, const char *key, const char *value);

/* A header of type 'S', and each block of its map after that: 1 when another such block follows,
 * 0, or -1 when it makes no sense. */
int tar_sparse_old_header(struct tar_sparse *sparse, const struct tar_header *header);
int tar_sparse_old_block(struct tar_sparse *sparse, const uint8_t *block);

/* All headers were read: fill in what the member is to know, with extents that stay valid until the
 * reset. -1 when they do not add up to a file. */
int tar_sparse_finish(struct tar_sparse *sparse, struct tar_member *member);

#endif
