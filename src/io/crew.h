/*
 * A crew: threads that work on one thing under one lock, and fail together.
 *
 * What the threads share is guarded by the crew's lock; whoever changes it calls crew_wake, whoever
 * needs it changed loops over crew_wait. The first failure is kept and is everybody's failure; a
 * stop request (base/stop.h) becomes one within a tenth of a second.
 */
#ifndef KEDGE_IO_CREW_H
#define KEDGE_IO_CREW_H

#include "base/mem.h"

#include <stdbool.h>

struct crew;
struct error;

/* The life of one thread. A -1 is the failure of the whole crew. */
typedef int crew_fn(void *context, struct error *err);

struct crew *crew_new(void);

/* Start a thread. Signals stay with the threads that were there before. */
int crew_start(struct crew *crew, crew_fn *work, void *context, struct error *err);

/* Wait for every thread to return: 0, or -1 with the first failure. */
int crew_join(struct crew *crew, struct error *err);

/* All threads must have been joined. */
void crew_free(struct crew *crew);

void crew_lock(struct crew *crew);
void crew_unlock(struct crew *crew);

/* With the lock held: let it go until somebody wakes the crew or a moment has passed. */
void crew_wait(struct crew *crew);
/* With the lock held: everybody looks again. */
void crew_wake(struct crew *crew);

/* With the lock held: whether something failed. */
bool crew_failed(const struct crew *crew);

/* Note a failure, unless there is one already. */
void crew_fail(struct crew *crew, const struct error *failure);

/* 0, or -1 with the first failure. */
int crew_check(struct crew *crew, struct error *err);

#endif
