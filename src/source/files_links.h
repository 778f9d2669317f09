/*
 * Which member stands for an inode that has several names.
 *
 * A name is remembered from its first appearance until all its links were seen, so that the table
 * holds what is open at the moment and not the whole tree. Past its limit in bytes it takes nothing
 * new: those links become files of their own, and the count tells how many.
 */
#ifndef KEDGE_SOURCE_FILES_LINKS_H
#define KEDGE_SOURCE_FILES_LINKS_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct files_links;

struct files_links *files_links_new(size_t limit_bytes);
void files_links_free(struct files_links *links);

/* The member that stands for this inode already, as a copy to be freed; NULL when this is the first
 * name. */
char *files_links_seen(struct files_links *links, const struct stat *stat);

/* From now on `member` stands for it. */
void files_links_remember(struct files_links *links, const struct stat *stat, const char *member);

/* Names that the table had no room for. */
uint64_t files_links_lost(const struct files_links *links);

DEFINE_SCOPED(files_links, struct files_links *, files_links_free);

#endif
