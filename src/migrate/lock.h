/*
 * The lock that lets one process migrate at a time: held by the server for our session and gone
 * with it, or, for SQLite, by the operating system on a file beside the database.
 */
#ifndef KEDGE_MIGRATE_LOCK_H
#define KEDGE_MIGRATE_LOCK_H

#include "db/db.h"
#include "migrate/filelock.h"

#include <stdint.h>

struct error;

/* Called once when the lock is held by somebody; `holder` says who, as far as it is known. */
typedef void migrate_wait_fn(void *context, const char *holder);

struct migrate_lock_options {
    const char *name; /* the history table: each has a lock of its own */
    int64_t wait_ms;
    migrate_wait_fn *on_wait; /* may be NULL */
    void *context;
};

struct migrate_lock {
    struct db *db;
    char name[64];
    int64_t key;
    int64_t session; /* PostgreSQL: the backend that holds it */
    struct db_value guard[2];
    struct filelock file; /* SQLite */
};

#define MIGRATE_LOCK_INIT ((struct migrate_lock){.file = FILELOCK_INIT})

/* Wait for the lock, never inside a transaction. ERROR_LOCKED with the holder when it was not free
 * in time; ERROR_FAILED behind a pooler, where a lock would not hold. */
int migrate_lock_take(struct migrate_lock *lock, struct db *db,
                      const struct migrate_lock_options *options, struct error *err);

/* After a file that may have let it go, by DISCARD ALL or pg_advisory_unlock_all: take it again.
 * ERROR_LOCKED when somebody else was there first. */
int migrate_lock_retake(struct migrate_lock *lock, struct error *err);
/* Is it still ours? 0 or -1. */
int migrate_lock_check(struct migrate_lock *lock, struct error *err);

/* The same question as a statement that fails with LOCK_GUARD_STATE when it is not, to stand in one
 * transaction with what the lock protects; it borrows from the lock. False: there is nothing to
 * ask. */
#define LOCK_GUARD_STATE "22012"
bool migrate_lock_guard(struct migrate_lock *lock, struct db_statement *ret_statement);
/* The error for a lock that is not ours any more. -1. */
int migrate_lock_lost(struct error *err);

/* Let go; a lock that is not held is left alone. A failure is of no consequence: the lock goes with
 * the session. */
void migrate_lock_release(struct migrate_lock *lock);

static inline void scoped_migrate_lock_cleanup(struct migrate_lock *lock)
{
    migrate_lock_release(lock);
}

#endif
