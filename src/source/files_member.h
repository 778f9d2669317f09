/*
 * One member on its way into a side folder: a copy of its header, and the file that is being
 * written, perhaps by several threads.
 *
 * Every step that is still to come holds a reference; the last step to be done finishes the file.
 */
#ifndef KEDGE_SOURCE_FILES_MEMBER_H
#define KEDGE_SOURCE_FILES_MEMBER_H

#include "io/tar.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct os;

struct files_member {
    struct tar_member header; /* everything it points at is in `text` and `attributes` */
    size_t side;
    char *place; /* in the side folder */
    struct tar_map map;
    uint64_t seen; /* bytes of data that were handed out as steps */
    atomic_int references;
    _Atomic uint64_t left; /* bytes of content not dealt with, and one for the making */
    pthread_mutex_t lock;
    struct os *os;
    int fd;        /* -1 until it is made */
    int direct_fd; /* of a large file: past the page cache; or -1 */
    char *text;
    struct tar_attribute *attributes;
};

/* Takes `place`. */
struct files_member *files_member_new(struct os *os, const struct tar_member *header,
                                      const char *path, size_t side, char *place);
struct files_member *files_member_share(struct files_member *member);
void files_member_release(struct files_member *member); /* NULL is fine */

#endif
