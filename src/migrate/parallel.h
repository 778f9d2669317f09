/*
 * The same work for many things, on all processors: reading and parsing thousands of files.
 */
#ifndef KEDGE_MIGRATE_PARALLEL_H
#define KEDGE_MIGRATE_PARALLEL_H

#include <stddef.h>

struct error;

/* Called for one index; indexes are worked on in any order, by several threads. */
typedef int parallel_fn(void *context, size_t index, struct error *err);

/* Call `work` for 0 to count - 1. A failure is that of the lowest index that fails, as if they had
 * been called in order; some above it may have been called or not. */
int parallel_each(size_t count, parallel_fn *work, void *context, struct error *err);

#endif
