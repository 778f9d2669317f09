/*
 * What lies at a destination and belongs to no backup: remains of runs that died, files of backups
 * that never succeeded, and orphans.
 */
#ifndef KEDGE_SERVICE_LEFTOVERS_H
#define KEDGE_SERVICE_LEFTOVERS_H

#include "service/cleanup_plan.h"

struct error;
struct service;
struct store;

/* Look through one destination; removes leftovers unless request->dry_run, tells request->item of
 * each, adds to the report. */
int leftovers_run(struct service *service, struct store *store,
                  const struct cleanup_request *request, struct cleanup_report *report,
                  struct error *err);

#endif
