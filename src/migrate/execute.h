/*
 * One statement of a migration, and what both ways of running share.
 */
#ifndef KEDGE_MIGRATE_EXECUTE_H
#define KEDGE_MIGRATE_EXECUTE_H

#include "migrate/history_entry.h"
#include "migrate/plan.h"

struct db;
struct error;
struct migrate_lock;

enum run_result {
    RUN_FAILED = -1,
    RUN_DONE = 0,
    RUN_NOT_NEEDED = 1,
    RUN_CHANGED = 2, /* of one attempt: the history is not as it was planned with; nothing ran */
};

struct run {
    struct db *db;
    struct history *history;
    struct migrate_lock *lock; /* that has to be ours; NULL: there is none */
    int64_t batch;
    int64_t lock_timeout_ms; /* for one statement to wait for others' locks */
    int64_t wait_ms;         /* for another process that migrates the same SQLite file */
    const char *by;          /* who, and from where, for the row */
    const char *from;
    const char *backup_id;
    bool owns_session; /* what a file has set in it is forgotten after it */
    size_t attempts;   /* 0: five, when a lock is not to be had */
    bool *timeout_set; /* the session has the lock timeout already; NULL: it is set each time */
};

/* Run statement `index`; an error says where it stands, which it is, and what the server said. */
int execute_statement(struct db *db, const struct migrate_step *step, size_t index,
                      struct error *err);

/* Put where `text` of statement `index` stands, which it is, before the server's words. -1. */
int execute_tell(struct db *db, const struct migrate_step *step, size_t index,
                 const struct statement *text, struct error *err);

/* Each single statement of one that is a block: with its place in the file, on the way to where it
 * runs. */
typedef int execute_each_fn(void *context, const struct statement *statement, struct error *err);
int execute_each(enum db_engine engine, const struct migration_statement *statement,
                 execute_each_fn *each, void *context, struct error *err);

/* Has the part one BEGIN and one COMMIT after it, and nothing else of the kind? What stands before
 * and after them shares their fate then. */
bool execute_wrapped(const struct migration_part *part, enum db_engine engine);

/* Is the statement left out: SQLite's PRAGMA foreign_keys, which is obeyed outside, and a file's
 * one BEGIN and COMMIT, which say what is done anyway? */
bool execute_skips(const struct migration_part *part, size_t index, enum db_engine engine);
/* How many statements of a part stand first and say what its transaction is to be: the server takes
 * SET TRANSACTION on PostgreSQL before anything else in it, on MySQL just before it. */
size_t execute_opening(const struct migration_part *part, enum db_engine engine);

/* Begin a transaction that writes; on SQLite wait as long as for another migrating process. */
int execute_begin(const struct run *run, struct error *err);

/* Let no statement wait longer than the lock timeout for others, so that nobody waits behind us.
 * `local`: for this transaction only, where the engine can; else for as long as no file touches the
 * session. */
int execute_lock_timeout(const struct run *run, bool local, struct error *err);

/* After attempt number `attempt` (from 0) failed: true, after a pause, when it was for a lock and
 * there is an attempt left. */
bool execute_again(const struct run *run, size_t attempt);

/* The row, as far as it is the same in every case. */
struct history_entry execute_entry(const struct run *run, const struct migrate_step *step);
/* The statements themselves, unless they are very long; `buf` has to live as long as the entry. */
void execute_entry_source(const struct migrate_step *step, struct buf *buf,
                          struct history_entry *entry);
/* The row of a migration that shares one transaction with it, all of the above in it. */
struct history_entry execute_row(const struct run *run, const struct migrate_step *step,
                                 struct buf *source);

/* Add to an error what is left in the database: the first `done` statements, or nothing. -1. */
int execute_left(struct error *err, size_t done);
/* The same where a COMMIT was on its way when the connection was lost. -1. */
int execute_left_unknown(struct error *err);

/* Put the step's file before an error that does not begin with it. -1. */
int execute_name(const struct migrate_step *step, struct error *err);

#endif
