/*
 * What a restore kept for the way back, found again later: the restore log's line of JSON, and for
 * each part of it the source that wrote it and its target.
 *
 * A restore of one file has the line of its source. A restore of a full backup has two swaps and
 * one line for both:
 *
 *     {"parts": [{"engine": "sqlite", "target": "sqlite:/srv/shop.db", "kept": {...}},
 *                {"engine": "files", "target": "files:shop", "kept": {...}}],
 *      "undo": "before"}
 *
 * in the order in which they are swapped. "undo" is there while an undo is on its way, and names
 * the side that it leads to.
 */
#ifndef KEDGE_SERVICE_KEPT_H
#define KEDGE_SERVICE_KEPT_H

#include "source/source.h"

#define KEPT_MAXIMUM 2

struct error;
struct restore_row;
struct service;

struct kept_part {
    const struct source_ops *source;
    struct source_target what; /* owned */
    char *target;              /* for people and locks; owned */
    char *json;                /* owned */
};

struct kept {
    struct kept_part parts[KEPT_MAXIMUM];
    size_t count;
    bool undoing;            /* an undo is on its way */
    enum load_state undo_to; /* where to */
};

void kept_clear(struct kept *kept);

/* 1, or 0 when the row keeps nothing (no swap had begun), or -1. */
int kept_open(struct service *service, const struct restore_row *row, struct kept *ret_kept,
              struct error *err);

/* The same of a line that is in no log: kept_line_format's. 1 or -1. */
int kept_open_line(struct service *service, const char *text, struct kept *ret_kept,
                   struct error *err);

/* Swap the part back, or forth again, and remove nothing. */
int kept_undo(struct service *service, const struct kept_part *part, struct error *err);

/* Remove what is kept of all parts: there is no way back any more. */
int kept_discard(struct service *service, const struct kept *kept, struct error *err);

/* On which side is it now? Changes nothing; -1 when that cannot be told. */
int kept_side(struct service *service, const struct kept_part *part, enum load_state *ret_state,
              struct error *err);

static inline void scoped_kept_cleanup(struct kept *kept)
{
    kept_clear(kept);
}

/* One part as a restore has it: borrowed texts. */
struct kept_line {
    const char *engine, *target, *json;
};

/* All that is needed to find one part again, to be freed. */
char *kept_line_format(const struct kept_line *line);

/* The line for the log, to be freed. */
char *kept_join(const struct kept_line *lines, size_t count);

/* The same line with a note that an undo is on its way, to be freed. */
char *kept_mark_undo(const struct kept *kept, enum load_state to);

/* And without it, to be freed. */
char *kept_unmark(const struct kept *kept);

/* The id of the safety backup that leads back instead, or NULL; to be freed. */
char *kept_backup(const struct restore_row *row);

#endif
