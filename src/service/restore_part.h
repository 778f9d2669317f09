/*
 * One file of a backup on its way into its target. A full backup has two: everything up to the
 * check is done for both before either is swapped in.
 */
#ifndef KEDGE_SERVICE_RESTORE_PART_H
#define KEDGE_SERVICE_RESTORE_PART_H

#include "service/kept.h"
#include "service/restore_target.h"
#include "source/source.h"

struct artifact_reader;
struct catalog;
struct error;
struct located;
struct restore_request;
struct service;
struct target_lock;

struct restore_part {
    const char *file; /* borrowed */
    struct artifact_reader *reader;
    struct restore_target target;
    char *argument;              /* names the target in locks and in the restore log */
    struct load_options options; /* borrowed by the load */
    struct load *load;
    struct target_lock *lock;
    bool swapped;
    bool trusted; /* it is one that the catalogue knows */
};

void restore_part_clear(struct restore_part *part);

/* Its artifact and its target; nothing of the target is touched. */
int restore_part_open(struct service *service, const struct restore_request *request,
                      const struct located *located, const char *file, struct restore_part *part,
                      struct error *err);

/* The way in. `id` names the side copies; `keep`: what was there is kept after the swap. */
int restore_part_load(struct service *service, const struct restore_request *request,
                      const char *id, bool keep, struct restore_part *part, struct error *err);

int restore_part_preview(struct restore_part *part, struct load_preview *ret_preview,
                         struct error *err);

/* "database" or "files". */
const char *restore_part_type(const struct restore_part *part);

int restore_part_lock(struct catalog *catalog, struct restore_part *part, struct error *err);

/* Fill and check. */
int restore_part_fill(struct restore_part *part, struct error *err);

int restore_part_swap(struct restore_part *part, struct error *err);

/* After the swap, and because another part's failed: the target is as before, and what was
 * restored is gone. */
int restore_part_put_back(struct service *service, struct restore_part *part, struct error *err);

/* What was there before the swap goes. */
int restore_part_discard(struct service *service, struct restore_part *part, struct error *err);

/* As it is written to the restore log. */
struct kept_line restore_part_line(const struct restore_part *part);

#endif
