/*
 * What of an archive a restore takes: the patterns, and the trees they are matched in.
 */
#ifndef KEDGE_SOURCE_FILES_CHOICE_H
#define KEDGE_SOURCE_FILES_CHOICE_H

#include <stdbool.h>

/* The artifact writer's own member, at the end. */
#define FILES_INDEX_MEMBER ".kedge-index"

struct files_roots;
struct files_sides;
struct text_list;

/* Borrowed. */
struct files_choice {
    const struct files_sides *sides;
    const struct files_roots *roots; /* where patterns begin; may be empty */
    const struct text_list *include, *exclude;
    bool devices;
};

/* By the patterns. `path` is clean. */
bool files_choice_takes(const struct files_choice *choice, const char *path, bool folder);

/* Is a member of this type (as in a tar header) a device, and devices are not wanted? */
bool files_choice_leaves(const struct files_choice *choice, char type);

#endif
