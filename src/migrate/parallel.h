/*
 * A function called for every index, by as many threads as it is worth. For reading and cutting
 * thousands of migration files.
 */
#ifndef KEDGE_MIGRATE_PARALLEL_H
#define KEDGE_MIGRATE_PARALLEL_H

#include "base/mem.h"

#include <stddef.h>

struct error;

#define PARALLEL_THREADS 5 /* that take part in one, at most */

/* May be called by several threads at once, each with an index of its own. `thread`, below
 * PARALLEL_THREADS, is the same for no two of them: each can have memory of its own. */
typedef int parallel_fn(void *context, size_t index, size_t thread, struct error *err);

/* A place where a thread that has nothing else to do helps with what another one runs. */
struct parallel_helper;

struct parallel_helper *parallel_helper_new(void);
/* Take part in every parallel_each of `helper`, until parallel_helper_end. */
void parallel_helper_work(struct parallel_helper *helper);
/* No more will come. */
void parallel_helper_end(struct parallel_helper *helper);
void parallel_helper_free(struct parallel_helper *helper);

/* 0 when every call answered 0. Else -1 with the error of the lowest index that failed, as if they
 * had been called in order. `helper` may be NULL. */
int parallel_each(size_t count, parallel_fn *work, void *context, struct parallel_helper *helper,
                  struct error *err);

#endif
