/*
 * Who works at one restore on a PostgreSQL server. A process that dies does not stop the server: a
 * statement that it sent runs to its end, and what it makes (a database, a renaming) appears after
 * its death. So each session that does such things claims the restore first, and who comes later,
 * to tidy up or to look, ends the session that has the claim and waits until it is gone.
 */
#ifndef KEDGE_SOURCE_POSTGRES_CLAIM_H
#define KEDGE_SOURCE_POSTGRES_CLAIM_H

#include <stdint.h>

struct error;
struct os;
struct pq;

/* From here to its end this session is the only one that works at what is called `name`, which has
 * a ULID in it: another one with the claim is that of a process that died, or was let go. -1 with
 * ERROR_LOCKED when it does not end. */
int postgres_claim(struct os *os, struct pq *pq, const char *name, struct error *err);

/* End the transaction of this number if it still runs, and wait until it is over. */
int postgres_end_transaction(struct os *os, struct pq *pq, int64_t xid, struct error *err);

#endif
