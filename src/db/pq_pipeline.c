#include "db/pq_wire.h"

#include "base/error.h"

/* As much is sent before the answers are read: those to it fit into the buffers on the way, and
 * libpq holds no more than this. */
#define SLICE_BYTES ((size_t)256 << 10)
#define SLICE_STATEMENTS 500

struct pipeline {
    struct pq *pq;
    const struct pq_statement *statements;
    size_t count;
    size_t done;
    bool cut;
};

/* Send the statements from `done` on, as many as make a slice. */
static int send_slice(const struct pipeline *pipeline, struct error *err)
{
    struct pq *pq = pipeline->pq;
    size_t bytes = 0;
    for (size_t i = 0; i < SLICE_STATEMENTS && bytes < SLICE_BYTES; i++) {
        if (pipeline->done + i == pipeline->count)
            break;
        const struct pq_statement *next = &pipeline->statements[pipeline->done + i];
        if (!wire_send(pq, next->sql, next->parameters, next->parameter_count, false))
            return wire_lost(pq, err);
        bytes += next->size;
    }
    if (!pq_library.PQpipelineSync_(pq->connection))
        return wire_lost(pq, err);
    return 0;
}

/* Look at one result: 1 at the end of the slice, 0, or -1 for the failure that ended it. */
static int take_result(struct pipeline *pipeline, const PGresult *result, struct error *err)
{
    switch (pq_library.PQresultStatus_(result)) {
    case PGRES_PIPELINE_SYNC:
        return 1;
    case PGRES_PIPELINE_ABORTED:
        return 0;
    case PGRES_FATAL_ERROR:
    case PGRES_BAD_RESPONSE:
        return wire_refused(pipeline->pq, result, err);
    default:
        pipeline->done++;
        return 0;
    }
}

/* A wait was cut short: the statement is cancelled, and what has run is learnt all the same. Once
 * only, and not when nobody answers any more. */
static int cut(struct pipeline *pipeline)
{
    if (pipeline->cut || pipeline->pq->fault.connection_lost)
        return -1;
    pipeline->cut = true;
    wire_cancel(pipeline->pq->connection);
    wire_wait_for_end(pipeline->pq);
    return 0;
}

/* The answers to a slice, to its end. */
static int read_slice(struct pipeline *pipeline, struct error *err)
{
    int answer = 0;
    if (wire_flush(pipeline->pq, err) < 0) {
        answer = -1;
        if (cut(pipeline) < 0 || wire_flush(pipeline->pq, NULL) < 0)
            return -1;
    }
    for (;;) {
        SCOPED(pgresult) PGresult *result = NULL;
        struct error *first = answer < 0 ? NULL : err;
        int more = wire_next(pipeline->pq, &result, first);
        if (more < 0 && cut(pipeline) < 0)
            return -1;
        int taken = more > 0 ? take_result(pipeline, result, first) : more;
        if (taken > 0)
            return answer;
        answer = taken < 0 ? -1 : answer;
    }
}

static int run_slices(struct pipeline *pipeline, struct error *err)
{
    while (pipeline->done < pipeline->count) {
        if (send_slice(pipeline, err) < 0)
            return -1;
        if (read_slice(pipeline, err) < 0 && pipeline->done < pipeline->count)
            return -1;
    }
    error_clear(err);
    return 0;
}

int pq_pipeline(struct pq *pq, const struct pq_statement *statements, size_t count,
                size_t *ret_done, struct error *err)
{
    struct pipeline pipeline = {.pq = pq, .statements = statements, .count = count};
    bool ignored = pq->ignore_stop;
    wire_reset(pq);
    *ret_done = 0;
    if (!pq_library.PQenterPipelineMode_(pq->connection))
        return wire_lost(pq, err);
    int result = run_slices(&pipeline, err);
    pq->ignore_stop = ignored;
    *ret_done = pipeline.done;
    /* It stays in the mode when answers are missing: then nothing can be said to it any more. */
    if (!pq_library.PQexitPipelineMode_(pq->connection))
        pq->fault.connection_lost = true;
    return result;
}
