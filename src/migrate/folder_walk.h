/*
 * The files of a folder of migrations and, for tools that look there, of the folders within it:
 * editor droppings are left out, symbolic links followed, and none of them in a circle.
 */
#ifndef KEDGE_MIGRATE_FOLDER_WALK_H
#define KEDGE_MIGRATE_FOLDER_WALK_H

#include "base/text.h"

struct arena;
struct error;
struct os;

/* What is neither a file nor a folder to look into. */
enum folder_odd {
    FOLDER_ODD_NOWHERE, /* a link to nothing */
    FOLDER_ODD_ITSELF,  /* a link to itself */
    FOLDER_ODD_BACK,    /* a folder that holds the one it is in */
    FOLDER_ODD_NO_FILE, /* a pipe, a device */
};

struct folder_walk {
    struct os *os;
    const char *root;
    struct arena *memory; /* for the paths */
    /* `depth` is 0 in the folder itself. */
    int (*file)(void *context, const char *path, size_t depth, struct error *err);
    void (*odd)(void *context, const char *path, enum folder_odd odd);
    /* Asked when the files of a folder are through. */
    bool (*enters)(void *context, size_t depth);
    void *context;
    /* The walk's own. */
    const char *path; /* of the folder that is being listed */
    size_t depth;
    struct text_list folders; /* in it */
};

int folder_walk_run(struct folder_walk *walk, struct error *err);

/* Where the name begins that `path` has from the folder on. */
const char *folder_walk_inner(const struct folder_walk *walk, const char *path);

#endif
