/*
 * Who is working on a row: "host/boot id/pid/start of the process", so that a row whose worker was
 * killed is told from one that is still being worked on, also after a restart of the machine and
 * when another process got the same pid.
 */
#ifndef KEDGE_CATALOG_WORKER_H
#define KEDGE_CATALOG_WORKER_H

#include <stdint.h>

struct os;

enum worker_state {
    WORKER_ALIVE,
    WORKER_DEAD,      /* it was on this machine and is gone */
    WORKER_REBOOTED,  /* it was on this machine before the last start */
    WORKER_ELSEWHERE, /* on another machine: only its heartbeat tells */
    WORKER_UNKNOWN,   /* on this one, but it could not be looked at: likewise */
};

/* This process, as the column worker_id takes it. To be freed. */
char *worker_self(struct os *os);

/* What became of `worker_id`; one that cannot be read is dead. */
enum worker_state worker_check(struct os *os, const char *worker_id);

/* As worker_check; one that cannot be seen is dead when it gave no sign for a day. Returns the
 * sentence for error_message, or NULL while it lives; to be freed. */
char *worker_epitaph(struct os *os, const char *worker_id, int64_t heartbeat_ns);

#endif
