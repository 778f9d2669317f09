/*
 * What a restore kept for the way back, found again later: the restore log's line of JSON, the
 * source that wrote it, and its target.
 */
#ifndef KEDGE_SERVICE_KEPT_H
#define KEDGE_SERVICE_KEPT_H

#include "source/source.h"

struct error;
struct restore_row;
struct service;

struct kept {
    const struct source_ops *source;
    struct source_target what; /* owned */
    const char *json;          /* borrowed from the row */
};

void kept_clear(struct kept *kept);

/* 1, or 0 when the row keeps nothing (no swap had begun), or -1. */
int kept_open(struct service *service, const struct restore_row *row, struct kept *ret_kept,
              struct error *err);

static inline void scoped_kept_cleanup(struct kept *kept)
{
    kept_clear(kept);
}

/* The id of the safety backup that leads back instead, or NULL; to be freed. */
char *kept_backup(const struct restore_row *row);

#endif
