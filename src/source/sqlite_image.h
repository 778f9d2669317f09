/*
 * The way back of a page image: frames written where they belong, by several threads.
 */
#ifndef KEDGE_SOURCE_SQLITE_IMAGE_H
#define KEDGE_SOURCE_SQLITE_IMAGE_H

#include <stdint.h>

struct error;
struct os;
struct progress;
struct segment_source;

struct sqlite_image_options {
    struct os *os;
    struct progress *progress; /* may be NULL */
    int jobs;
    uint64_t size;    /* of the whole image, 0 when not known */
    const char *path; /* of fd, for errors */
    int fd;           /* an empty file */
};

/* Write all of `segments`; *ret_size is what it came to. */
int sqlite_image_write(const struct sqlite_image_options *options, struct segment_source *segments,
                       uint64_t *ret_size, struct error *err);

#endif
