/*
 * The rows of PostgreSQL tables, replaced in the tables where they are, in the transaction that the
 * caller has begun: delete, insert, and everything that would mind meanwhile put aside and back:
 * foreign keys on either side are dropped and made again (which checks them), triggers and rules
 * are off. A deadlock is tried again a few times.
 */
#ifndef KEDGE_SOURCE_POSTGRES_EXCHANGE_H
#define KEDGE_SOURCE_POSTGRES_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct pq;

/* Names are quoted and with their schema. */
struct postgres_exchange {
    const char *live;
    const char *from; /* a table with the new rows */
    const char *keep; /* a table to be made, with the rows that were there; NULL: none */
};

/* `cascade`: rows elsewhere that refer to rows which are gone are deleted; else they are an
 * error. */
int postgres_exchange_rows(struct pq *pq, const struct postgres_exchange *tables, size_t count,
                           bool cascade, struct error *err);

/* Sequences that belong to a column of `table` go on after its greatest value. */
int postgres_advance_sequences(struct pq *pq, const char *table, struct error *err);

#endif
