/*
 * One migration of plain statements in one round trip: BEGIN, its row in the history, its
 * statements, how long it took and COMMIT go to the server together.
 *
 * The guarantees are those of the way with a round trip for each: the row comes first, and nothing
 * is committed unless the lock and the history are as they were planned with.
 */
#ifndef KEDGE_MIGRATE_PIPELINED_H
#define KEDGE_MIGRATE_PIPELINED_H

#include "migrate/execute.h"

/* Can the step run so? Rows for COPY and C functions cannot. */
bool pipelined_can(const struct run *run, const struct migrate_step *step);

/* Run it, without a second attempt. On a failure the transaction is undone. */
enum run_result pipelined_run(const struct run *run, const struct migrate_step *step,
                              int64_t *ret_ms, struct error *err);

#endif
