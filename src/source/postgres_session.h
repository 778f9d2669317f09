/*
 * Sessions of the PostgreSQL source: connections whose settings make what the server says
 * independent of who asks, and that no time-out of the server's configuration can end.
 *
 * A snapshot is what several sessions read at once: one session lists all tables and locks them
 * ACCESS SHARE, and only then another takes and exports the snapshot. The other way round, a
 * TRUNCATE between the two would dump an empty table.
 */
#ifndef KEDGE_SOURCE_POSTGRES_SESSION_H
#define KEDGE_SOURCE_POSTGRES_SESSION_H

#include "source/postgres_catalog.h"

#include <stdint.h>

struct error;
struct os;
struct db_url;
struct dump_options;
struct pq;

/* Every server takes this as a client's encoding and converts nothing. What a role or database has
 * set for its sessions may be one that the server cannot convert to: then it lets nobody in. */
#define POSTGRES_ANY_ENCODING "SQL_ASCII"

/* A connection for reading or loading. `database`: instead of the URL's, or NULL. Waits for a lock
 * end after `lock_timeout_ms` (0: never). */
int postgres_connect(struct os *os, const struct db_url *url, const char *database,
                     int64_t lock_timeout_ms, struct pq **ret_pq, struct error *err);

/* A part of the work has failed for the reason in `err`. When `holder`, on which it stood, has lost
 * its server, that is the cause, and `err` tells it instead: 1. Else 0, and `err` is as it was.
 * `what` it holds is for the message. NULL holds nothing. */
int postgres_blame_holder(struct pq *holder, const char *what, struct error *err);

/* Begin a transaction that reads one state; *ret_id, to be freed, is what others of its server give
 * to read the same, as long as it lasts. */
int postgres_export_snapshot(struct pq *pq, char **ret_id, struct error *err);

struct postgres_snapshot {
    struct pq *locks;  /* holds ACCESS SHARE on every table; reads what is committed now */
    struct pq *reader; /* holds the snapshot */
    bool lost;         /* one of the two has lost its server, and that was told */
    char *id;          /* as pg_export_snapshot told it */
    struct postgres_tables tables;
};

#define POSTGRES_SNAPSHOT_INIT ((struct postgres_snapshot){0})

/* 1 opened, 0 when tables changed on the way and it is worth another try, -1. */
int postgres_snapshot_open(const struct db_url *url, const struct dump_options *options,
                           struct postgres_snapshot *ret_snapshot, struct error *err);
void postgres_snapshot_close(struct postgres_snapshot *snapshot);

/* The longest that a session may wait for locks which `locks` holds already. */
int64_t postgres_following_timeout_ms(const struct dump_options *options);

/* One more session in the snapshot, every table locked by it too: so that it never queues behind
 * somebody who waits for us. ERROR_CHANGED: somebody waits for one of our locks already. */
int postgres_snapshot_join(const struct postgres_snapshot *snapshot, const struct db_url *url,
                           const struct dump_options *options, struct pq **ret_pq,
                           struct error *err);

/* As postgres_blame_holder, for the two sessions of a snapshot. */
int postgres_snapshot_blame(struct postgres_snapshot *snapshot, struct error *err);

/* 1 when somebody waits for a lock that we hold, who would change a table, and *ret_who says which
 * process for which table, to be freed; 0, -1. */
int postgres_snapshot_is_awaited(const struct postgres_snapshot *snapshot, char **ret_who,
                                 struct error *err);

#endif
