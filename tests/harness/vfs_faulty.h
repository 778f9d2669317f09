/*
 * SQLite's own calls, counted and failing with os_faulty().
 *
 * SQLite does not go through struct os. This is a VFS of its interface that stands before the real
 * one: what changes something on the disk (and opening, and looking whether a file is there) asks
 * os_faulty_count() first, so one number counts the calls of both, in the order they happen.
 */
#ifndef KEDGE_TESTS_HARNESS_VFS_FAULTY_H
#define KEDGE_TESTS_HARNESS_VFS_FAULTY_H

#include <stdbool.h>

/* Make it the one that connections use from now on; os_faulty() must have been called. With
 * `count_reads`, reads count too: many more cases, each of which matters only for errors. */
void vfs_faulty_install(bool count_reads);

/* Back to the real one. */
void vfs_faulty_remove(void);

#endif
