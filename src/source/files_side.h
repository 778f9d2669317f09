/*
 * Side folders: where a restore puts a tree before it takes the live one's place, and where the
 * live one goes.
 *
 * A side folder lies beside the tree (".kedge-<id>-<n>", mode 0700, so that nobody else can get
 * into it), on the same file system, so that renaming is all that is left to do at the end. Where
 * the tree is a mount point or its parent is not ours to write, it lies inside the tree instead.
 *
 *     tree    what is restored, then what was there
 *     old/    what was moved out of the way without a successor
 *     plan    the renames that make the swap (files_plan)
 *     state   how far the swap is (of the first side folder only)
 *     later   notes of the extraction
 */
#ifndef KEDGE_SOURCE_FILES_SIDE_H
#define KEDGE_SOURCE_FILES_SIDE_H

#include "base/mem.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct error;
struct os;
struct files_root;
struct files_roots;

#define FILES_SIDE_TREE "tree"

struct files_side {
    char *live;      /* absolute: the tree that is replaced, links in its path resolved */
    char *base;      /* absolute: the folder that holds the side folder */
    char *container; /* its name in there */
    char *member;    /* of the archive: what this side holds; "" for everything */
    bool inside;     /* base is the live tree itself */
    bool existed;    /* something was there before */
    dev_t device;    /* of the restored top, known after the fill; 0 before */
    ino_t inode;
    int base_fd;
    int fd; /* of the side folder; -1 while it is not open */
};

struct files_sides {
    struct os *os;
    struct files_side *items;
    size_t count;
    struct text_list elsewhere; /* trees that are part of another one now: not restored */
};

/* The sides of a restore to where the trees were, or, with `to`, beneath that folder. Nothing is
 * made yet. */
int files_sides_make(struct os *os, const struct files_roots *roots, const char *to, const char *id,
                     struct files_sides *ret_sides, struct error *err);

/* Make the side folders, empty; ERROR_EXISTS when they are there. */
int files_sides_create(struct files_sides *sides, struct error *err);

/* Open those of an earlier run: 1, 0 when they are not there, -1 also when they are not ours. */
int files_sides_open(struct files_sides *sides, struct error *err);

/* Remove side folders and what they hold. */
int files_sides_remove(struct files_sides *sides, struct error *err);

void files_sides_clear(struct files_sides *sides);

/* The side a member belongs to and its path in the side folder ("tree/..."), to be freed; NULL when
 * it lies in none of the trees. `member` is clean. */
char *files_sides_place(const struct files_sides *sides, const char *member, size_t *ret_side);

/* Does a member belong to a tree whose place is, by a symbolic link, another tree of this restore?
 * That one is restored, and what the archive has of this one is passed over. */
bool files_sides_elsewhere(const struct files_sides *sides, const char *member);

/* What restore logs keep. `moment_ns` is the time of the swap. */
char *files_sides_format(const struct files_sides *sides, int64_t moment_ns);
int files_sides_parse(struct os *os, const char *json, struct files_sides *ret_sides,
                      int64_t *ret_moment_ns, struct error *err);

static inline void scoped_files_sides_cleanup(struct files_sides *sides)
{
    files_sides_clear(sides);
}

#endif
