/*
 * Members out of an archive and into side folders, by several threads.
 *
 * The archive is taken for hostile: a member's path is refused when it is absolute or climbs, every
 * folder is reached beneath the side folder with no symbolic link followed, nothing that exists is
 * opened again, devices are made on request only, and counts and sizes have limits. Content is
 * written first; links to it, and the folders' owners, modes and times, come last.
 */
#ifndef KEDGE_SOURCE_FILES_EXTRACT_H
#define KEDGE_SOURCE_FILES_EXTRACT_H

#include "source/files_choice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct os;
struct progress;
struct segment_source;

struct files_extract_options {
    struct os *os;
    struct progress *progress;
    int jobs;
    struct files_choice choice;
    bool no_owner;
    /* A member may come twice, the later one counts: archives of other programs. */
    bool repetitions;
};

struct files_extracted {
    uint64_t seen;    /* members of the archive */
    uint64_t made;    /* of them, what now lies in the side folders */
    uint64_t entries; /* that lie there now, folders around the members included */
    uint64_t bytes;   /* written */
};

int files_extract(const struct files_extract_options *options, struct segment_source *source,
                  struct files_extracted *ret_extracted, struct error *err);

#endif
