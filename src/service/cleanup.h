/*
 * Remove what may go: expired backups, leftovers of interrupted runs, old copies past their date.
 * And one backup on purpose.
 */
#ifndef KEDGE_SERVICE_CLEANUP_H
#define KEDGE_SERVICE_CLEANUP_H

#include "service/cleanup_plan.h"

#include <stdbool.h>

struct error;
struct service;

int cleanup_run(struct service *service, const struct cleanup_request *request,
                struct cleanup_report *ret_report, struct error *err);

/* Delete one backup. The newest good one of a target only with `force`. `confirm` gets its file
 * name and whether it is the newest good one. */
int delete_run(struct service *service, const char *backup, bool force,
               int (*confirm)(void *context, const char *file, bool newest, struct error *err),
               void *context, char **ret_file, struct error *err);

#endif
