/*
 * Go back to before a restore, and forth again: what was kept beside is swapped in, or the backup
 * that --safety backup made is restored.
 */
#ifndef KEDGE_SERVICE_UNDO_H
#define KEDGE_SERVICE_UNDO_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct service;

struct undo_report {
    bool forth;     /* an undo was undone: the target is as restored again */
    int64_t number; /* of the restore that was undone */
    char *target;
    char *changed; /* what was written since, a sentence; NULL when not known */
};

void undo_report_clear(struct undo_report *report);

/* `restore`: a number or ULID, NULL for the newest that can be undone. `confirm` (may be NULL) sees
 * the plan before anything is touched; negative, with the error, says no. The report is to be
 * cleared. */
int undo_run(struct service *service, const char *restore,
             int (*confirm)(void *context, const struct undo_report *plan, struct error *err),
             void *context, struct undo_report *ret_report, struct error *err);

#endif
