/*
 * Prove that a backup is what it should be, to one of four levels, and remember the highest.
 */
#ifndef KEDGE_SERVICE_VERIFY_H
#define KEDGE_SERVICE_VERIFY_H

#include "base/text.h"

#include <stdint.h>

struct artifact_keys;
struct error;
struct progress;
struct service;

struct verify_request {
    const char *backup;
    const char *from;
    int level; /* 0 to 3 */
    int jobs;
    const struct artifact_keys *keys;
    struct progress *progress;
};

struct verify_report {
    char *id; /* NULL for a file that no catalogue knows */
    int64_t number;
    char *file;
    char *location;
    int level; /* passed; -1 for none */
    uint64_t stored_bytes, plain_bytes;
    uint64_t rows; /* UINT64_MAX: not counted */
    int64_t duration_ms;
    struct text_list warnings;
};

void verify_report_clear(struct verify_report *report);

/* ERROR_CORRUPT when a check failed; the report says which level still held. */
int verify_run(struct service *service, const struct verify_request *request,
               struct verify_report *ret_report, struct error *err);

/* Every successful backup in turn. `done` is called after each with its error (code ERROR_NONE when
 * it passed). Returns -1 with ERROR_CORRUPT after the last when any failed. */
int verify_all(struct service *service, const struct verify_request *request,
               void (*done)(void *context, const struct verify_report *report,
                            const struct error *failure),
               void *context, struct error *err);

#endif
