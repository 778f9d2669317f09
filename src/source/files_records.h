/*
 * A file of records that reads both ways, so that what has to be remembered about a tree of any
 * size needs no memory.
 *
 * Two of them live in a side folder: "later", what an extraction does when all content is there,
 * and "plan", the renames of the swap.
 */
#ifndef KEDGE_SOURCE_FILES_RECORDS_H
#define KEDGE_SOURCE_FILES_RECORDS_H

#include "base/mem.h"

#include <stddef.h>

struct error;
struct os;
struct files_records;

/* `name` in `folder`, which must not exist yet. */
int files_records_create(struct os *os, int folder, const char *name,
                         struct files_records **ret_records, struct error *err);
/* One that is there: 1, 0 when it is not, -1. */
int files_records_open(struct os *os, int folder, const char *name,
                       struct files_records **ret_records, struct error *err);
void files_records_close(struct files_records *records);

/* Any thread. */
int files_records_add(struct files_records *records, const void *data, size_t size,
                      struct error *err);

/* Everything added is on the medium. */
int files_records_sync(struct files_records *records, struct error *err);

typedef int files_record_fn(void *context, const void *data, size_t size, struct error *err);

/* `data` lies at an address fit for text only and is followed by a NUL. A negative answer of
 * `visit` stops. */
int files_records_forwards(struct files_records *records, files_record_fn *visit, void *context,
                           struct error *err);
int files_records_backwards(struct files_records *records, files_record_fn *visit, void *context,
                            struct error *err);

DEFINE_SCOPED(files_records, struct files_records *, files_records_close);

#endif
