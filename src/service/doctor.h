/*
 * Is everything in place? Each thing a backup needs is tried, for real, and told one by one.
 */
#ifndef KEDGE_SERVICE_DOCTOR_H
#define KEDGE_SERVICE_DOCTOR_H

#include <stdbool.h>

struct error;
struct service;
struct setup;
struct target;

struct doctor_item {
    const char *what; /* "destination local", "target shop" */
    bool good;
    const char *finding; /* "PostgreSQL 15.4", or what is wrong */
    const char *hint;    /* or "" */
};

typedef void doctor_fn(void *context, const struct doctor_item *item);

/* Tells `told` of everything. The number of things that are not good. `catalog_failure` is why the
 * service has no catalogue, when it has none. */
int doctor_run(struct service *service, const struct setup *setup,
               const struct error *catalog_failure, doctor_fn *told, void *context);

/* Can it be written to? A temporary file is made there and removed again. `name` NULL: the default
 * one. *ret_finding: where it is and how much room there is; to be freed. */
int doctor_try_destination(struct service *service, const char *name, char **ret_finding,
                           struct error *err);

#endif
