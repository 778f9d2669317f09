/*
 * One run at a time on one target.
 *
 * With a catalogue in a file the lock is held by the operating system on a file beside it, so that
 * a process that dies, however it dies, frees it. That file stays; what it says about its holder
 * means nothing while nobody holds the lock. With a catalogue on a server, which several machines
 * share, the server holds it for our session.
 */
#ifndef KEDGE_CATALOG_LOCK_H
#define KEDGE_CATALOG_LOCK_H

#include "base/mem.h"

struct catalog;
struct error;
struct target_lock;

/* Does not wait: ERROR_LOCKED names the process that holds it and since when. `purpose`: "backup",
 * "restore", ... */
int catalog_lock_target(struct catalog *catalog, const char *target, const char *purpose,
                        struct target_lock **ret_lock, struct error *err);
void target_lock_free(struct target_lock *lock);

DEFINE_SCOPED(target_lock, struct target_lock *, target_lock_free);

#endif
