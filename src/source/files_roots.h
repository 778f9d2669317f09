/*
 * The trees of a target: absolute paths, cleaned, each with the name its members have in the
 * archive (the path without the leading slash).
 *
 * They travel to the restore in the manifest's metadata, as JSON. A path there is UTF-8: '%' and
 * bytes that are none are written as %XX.
 */
#ifndef KEDGE_SOURCE_FILES_ROOTS_H
#define KEDGE_SOURCE_FILES_ROOTS_H

#include "base/buf.h"
#include "base/text.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct error;

/* The longest path of a member, which a restore takes. */
#define FILES_PATH_MAXIMUM ((size_t)256 << 10)

struct files_root {
    char *path;   /* absolute: "/srv/shop", "/" */
    char *member; /* "srv/shop", "" for "/" */
};

struct files_roots {
    struct files_root *items; /* parents before what is beneath them */
    size_t count, capacity;
};

/* Relative paths are taken from the working folder; ".", doubled slashes and repetitions go away. A
 * path with ".." is resolved by the file system. ERROR_USAGE for none at all. */
int files_roots_make(const struct text_list *paths, struct files_roots *ret_roots,
                     struct error *err);
void files_roots_clear(struct files_roots *roots);

static inline void scoped_files_roots_cleanup(struct files_roots *roots)
{
    files_roots_clear(roots);
}

/* The root whose member name is exactly this, or NULL. */
const struct files_root *files_roots_find(const struct files_roots *roots, const char *member);

/* True when `member` is `root` itself or beneath it. */
bool files_root_holds(const struct files_root *root, const char *member);

/* What the archive should hold, for the check after a restore; 0 when not said. */
struct files_facts {
    uint64_t members;
    uint64_t bytes;
};

/* The manifest's metadata: roots, facts, and what was left out on purpose. To be freed. */
char *files_metadata_format(const struct files_roots *roots, const struct files_facts *facts,
                            const struct text_list *exclude, bool one_file_system);

/* 1 and the roots, 0 when `json` is NULL or names none, -1 with ERROR_CORRUPT. */
int files_metadata_parse(const char *json, struct files_roots *ret_roots,
                         struct files_facts *ret_facts, struct text_list *ret_exclude,
                         struct error *err);

/* A path as JSON and messages can hold it, and back. */
void files_path_escape(struct buf *out, const char *path);
/* The same as a new JSON text. */
json_t *files_path_json(const char *path);
char *files_path_unescape(const char *text);

#endif
