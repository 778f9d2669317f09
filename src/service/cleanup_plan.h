/*
 * What a cleanup is asked, tells and counts: shared by the pass over the catalogue and the one over
 * destinations.
 */
#ifndef KEDGE_SERVICE_CLEANUP_PLAN_H
#define KEDGE_SERVICE_CLEANUP_PLAN_H

#include <stdbool.h>
#include <stdint.h>

enum cleanup_action {
    CLEANUP_KEEP,     /* and `reason` says by which rule, until when */
    CLEANUP_EXPIRED,  /* a backup past its date */
    CLEANUP_LEFTOVER, /* a temporary name, a file of a failed run */
    CLEANUP_OLD_COPY, /* what a restore replaced, past its date */
    CLEANUP_ORPHAN,   /* finished file without manifest or row: shown, never removed */
};

struct cleanup_item {
    enum cleanup_action action;
    int64_t number;     /* of the backup or restore, 0 for none */
    const char *name;   /* file or key */
    const char *target; /* or NULL */
    uint64_t bytes;
    const char *reason; /* a sentence */
};

struct cleanup_request {
    bool dry_run;
    bool explain;       /* call `item` for what is kept too */
    const char *target; /* only this one; NULL: all */
    void (*item)(void *context, const struct cleanup_item *item);
    void *context;
};

struct cleanup_report {
    uint64_t backups, leftovers, old_copies, bytes;
};

#endif
