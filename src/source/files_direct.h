/*
 * Content of large files, written past the page cache.
 *
 * A restore ends with a sync, which would have to wait for all that lies in the cache. Large files
 * go to the disk while the next segments are decoded, from the buffers they were decoded into. What
 * cannot go that way (an odd end, a file system without it) is written as usual.
 */
#ifndef KEDGE_SOURCE_FILES_DIRECT_H
#define KEDGE_SOURCE_FILES_DIRECT_H

#include <stddef.h>
#include <stdint.h>

struct os;

/* Smaller files are better off in the cache, where they are written together. */
#define FILES_DIRECT_FROM ((uint64_t)8 << 20)

/* A second descriptor for the file that was just made as `name`; -1 where there is no such thing.
 */
int files_direct_open(struct os *os, int folder, const char *name);

/* How much of the head of `data` was written, whole pages; the rest is the caller's to write. */
size_t files_direct_write(struct os *os, int fd, const void *data, size_t size, uint64_t offset);

#endif
