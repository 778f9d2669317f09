/*
 * The tar format: POSIX pax headers as GNU tar, libarchive and star read and write them.
 *
 * Two pure halves that touch no file. tar_append_header turns one member into header blocks; its
 * content and the padding after it are the caller's to write. A `struct tar_parser` is fed pieces
 * of an archive of any length and answers with members and with the pieces of their content; every
 * number and length in a header is checked before it is believed.
 *
 * Carried: paths and link targets of any length and any bytes, owners by number and name, modes,
 * times to the nanosecond, devices, extended attributes (SCHILY.xattr), ACLs (SCHILY.acl) and
 * sparse files (GNU.sparse 1.0). Read as well: GNU's long names, base-256 numbers, older sparse
 * files and incremental archives, libarchive's form of attributes, global headers.
 */
#ifndef KEDGE_IO_TAR_H
#define KEDGE_IO_TAR_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct error;

#define TAR_BLOCK ((size_t)512)
/* Longest list of pax records, path and link target that is read. */
#define TAR_EXTENDED_MAXIMUM ((size_t)4 << 20)

enum tar_type {
    TAR_FILE = '0',
    TAR_HARD_LINK = '1',
    TAR_SYMLINK = '2',
    TAR_CHARACTER_DEVICE = '3',
    TAR_BLOCK_DEVICE = '4',
    TAR_FOLDER = '5',
    TAR_FIFO = '6',
};

/* A run of bytes in a sparse file that is not a hole. */
struct tar_extent {
    uint64_t offset;
    uint64_t length;
};

struct tar_attribute {
    const char *name; /* "user.comment" */
    const void *value;
    size_t size;
};

/* Everything here is borrowed from whoever filled the struct. */
struct tar_member {
    const char *path; /* of a folder: without the slash at its end */
    const char *link; /* target of a link, NULL for everything else */
    enum tar_type type;
    uint32_t mode; /* permission bits and 07000 */
    uint32_t uid, gid;
    const char *user, *group; /* names, or NULL */
    struct timespec mtime;
    uint32_t major, minor;
    uint64_t size; /* bytes of content in the archive, a sparse file's map included */
    bool sparse;   /* content begins with a map (tar_append_map), unless ... */
    bool mapped;   /* ... the headers held it: these are its extents */
    const struct tar_extent *extents;
    size_t extent_count;
    uint64_t real_size; /* of a sparse file, holes included */
    const struct tar_attribute *attributes;
    size_t attribute_count;
    const char *acl, *default_acl; /* text, entries separated by ',' or newline; NULL for none */
};

/* ---- writing ---- */

/* Append a pax header, where one is needed, and the member's own header. */
void tar_append_header(struct buf *out, const struct tar_member *member);

/* Zero bytes that follow content of this size. */
static inline size_t tar_padding(uint64_t size)
{
    return (size_t)(-size & (TAR_BLOCK - 1));
}

/* The two blocks that end an archive. */
void tar_append_end(struct buf *out);

/* The map at the head of a sparse file's content, padded to whole blocks. Extents come in order,
 * do not overlap and end within real_size. */
void tar_append_map(struct buf *out, const struct tar_extent *extents, size_t count,
                    uint64_t real_size);

/* ---- reading ---- */

enum tar_event {
    TAR_MORE,    /* all that was given is used up */
    TAR_MEMBER,  /* tar_parser_member() tells which; content, if any, follows */
    TAR_CONTENT, /* a piece of its content */
    TAR_END,     /* the end blocks were seen; what follows them means nothing */
};

struct tar_piece {
    const uint8_t *data; /* within what was given */
    size_t size;
    uint64_t offset; /* in the member's content */
};

struct tar_parser;

struct tar_parser *tar_parser_new(void);
void tar_parser_free(struct tar_parser *parser);

/* Take the next event out of *data, *size, which move on by what was used. Ask again until
 * TAR_MORE. -1 with ERROR_CORRUPT that names the place. */
int tar_parser_next(struct tar_parser *parser, const uint8_t **data, size_t *size,
                    enum tar_event *ret_event, struct tar_piece *ret_piece, struct error *err);

/* The member the last TAR_MEMBER told of; valid until the next call of tar_parser_next. */
const struct tar_member *tar_parser_member(const struct tar_parser *parser);

/* No more bytes come: -1 with ERROR_CORRUPT when the archive stops in the middle of a member. */
int tar_parser_finish(struct tar_parser *parser, struct error *err);

/* A sparse file's map, read from the pieces of its content as they come. */
struct tar_map {
    struct tar_extent *extents;
    size_t count, capacity;
    uint64_t real_size;
    uint64_t data_size; /* content that must follow the map */
    uint64_t map_size;  /* bytes of content that were the map, once it is complete */
    bool complete;
    /* how far the reading has come */
    uint64_t read, number, announced;
    size_t numbers;
    bool digits;
};

/* Begin with {.real_size = ..., .data_size = member's size}. Uses up the head of *data, *size until
 * the map is complete. */
int tar_map_read(struct tar_map *map, const uint8_t **data, size_t *size, struct error *err);
void tar_map_clear(struct tar_map *map);

/* `path` without "." components, doubled slashes and the slash at its end, in `clean` (reset
 * first); "" for the top itself. -1 with ERROR_CORRUPT when it is absolute, climbs with "..", or
 * has a component no file system takes. */
int tar_path_clean(const char *path, struct buf *clean, struct error *err);

#endif
