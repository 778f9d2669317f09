/*
 * How far a backup or restore has come: counters that workers bump and the door reads.
 */
#ifndef KEDGE_IO_PROGRESS_H
#define KEDGE_IO_PROGRESS_H

#include <stdatomic.h>
#include <stdint.h>

struct progress {
    _Atomic uint64_t done_bytes;  /* plain content handled so far */
    _Atomic uint64_t total_bytes; /* 0 when not known */
    _Atomic(const char *) phase;  /* static text: "reading", "verifying", ... */
};

static inline void progress_add(struct progress *progress, uint64_t bytes)
{
    if (progress)
        atomic_fetch_add_explicit(&progress->done_bytes, bytes, memory_order_relaxed);
}

static inline void progress_begin(struct progress *progress, const char *phase,
                                  uint64_t total_bytes)
{
    if (!progress)
        return;
    atomic_store(&progress->phase, phase);
    atomic_store(&progress->done_bytes, 0);
    atomic_store(&progress->total_bytes, total_bytes);
}

#endif
