/*
 * Which members a list of patterns means, on the way out and on the way back.
 *
 * A pattern is matched against the path within its root; one that begins with '/' against the whole
 * path; one that ends in '/' against folders only. What lies beneath a match is matched with it.
 */
#ifndef KEDGE_SOURCE_FILES_GLOB_H
#define KEDGE_SOURCE_FILES_GLOB_H

#include <stdbool.h>

struct files_root;
struct text_list;

/* This very member; the walk does not come to what lies beneath. `root` may be NULL for the top. */
bool files_glob_matches(const struct text_list *patterns, const struct files_root *root,
                        const char *member, bool folder);

/* This member or a folder above it. */
bool files_glob_covers(const struct text_list *patterns, const struct files_root *root,
                       const char *member, bool folder);

#endif
