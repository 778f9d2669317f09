/*
 * One walk over the trees of a target, in one thread, with bounded memory and descriptors for any
 * number of entries, any depth and any width.
 *
 * Everything is opened relative to the folder it lies in and never through a symbolic link (the
 * roots apart, which people name). Entries come parents first; a hard link after the file it
 * points at, which the walker has opened by then, so that the link will have a target. Entries are
 * gathered into units that fill a segment; a file larger than a segment makes units of its own, one
 * a part.
 */
#ifndef KEDGE_SOURCE_FILES_WALK_H
#define KEDGE_SOURCE_FILES_WALK_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct error;
struct os;
struct files_report;
struct files_roots;
struct files_unit;

/* Takes the unit over. -1 stops the walk. */
typedef int files_emit_fn(void *context, struct files_unit *unit, struct error *err);

struct files_walk_options {
    struct os *os;
    const struct files_roots *roots;
    const struct text_list *exclude; /* globs on the path within the root, or from "/" */
    bool one_file_system;
    bool exclude_caches;         /* what lies beside a CACHEDIR.TAG */
    size_t descriptors_per_unit; /* that a unit may keep open */
    size_t links_limit_bytes;    /* of the table of hard links */
    struct files_report *report;
    files_emit_fn *emit;
    void *context;
};

/* -1 when a root is not there, emit failed or a stop was requested; anything that is wrong with a
 * single entry goes into the report. */
int files_walk(const struct files_walk_options *options, struct error *err);

#endif
