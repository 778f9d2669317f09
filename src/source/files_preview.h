/*
 * What a restore of files would bring and replace, before anything is touched: the answer of
 * `restore --dry-run` and of the confirmation.
 *
 * Of chosen files, and of those that go among others (--to), the archive's index is gone through
 * with the live tree beside it, member by member; of whole trees the live ones are counted.
 */
#ifndef KEDGE_SOURCE_FILES_PREVIEW_H
#define KEDGE_SOURCE_FILES_PREVIEW_H

#include "source/files_choice.h"
#include "source/files_roots.h"

#include <stdbool.h>

struct error;
struct load_preview;
struct os;
struct segment_source;
struct text_list;

struct files_preview_options {
    struct os *os;
    struct files_choice choice;
    struct files_facts facts;         /* what the archive should hold */
    const struct text_list *left_out; /* patterns of the backup */
    const struct text_list *own;      /* absolute paths that stay as they are */
    bool merges;                      /* file by file; else each tree as a whole */
    bool chooses;                     /* the patterns leave something out */
    bool thorough;                    /* an archive without an index is read for it */
};

/* Refuses what cannot work, with nothing touched. `segments` may be NULL. */
int files_preview(const struct files_preview_options *options, struct segment_source *segments,
                  struct load_preview *ret_preview, struct error *err);

#endif
