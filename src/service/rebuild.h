/*
 * Make the catalogue anew from the manifests at a destination.
 */
#ifndef KEDGE_SERVICE_REBUILD_H
#define KEDGE_SERVICE_REBUILD_H

#include <stdint.h>

struct error;
struct service;

struct rebuild_report {
    uint64_t added, known, damaged;
};

/* `note` (may be NULL) is told of each manifest that could not be used and why. */
int rebuild_run(struct service *service, const char *from,
                void (*note)(void *context, const char *text), void *context,
                struct rebuild_report *ret_report, struct error *err);

#endif
