/*
 * Patience with a PostgreSQL server that ends one of two sessions which wait for each other, or
 * whose transactions cannot both be: what it ended is done again, with a rest before that is longer
 * each time.
 */
#ifndef KEDGE_SOURCE_POSTGRES_PATIENCE_H
#define KEDGE_SOURCE_POSTGRES_PATIENCE_H

struct error;
struct os;
struct pq;

struct postgres_patience {
    struct os *os;
    /* The session that does it; NULL as long as there is none. */
    struct pq *const *pq;
    /* When it fails nothing of it stays, and no transaction that was there before is open. */
    int (*once)(void *context, struct error *err);
    void *context;
};

/* Do it, up to six times. -1 with what the last one came to. */
int postgres_patiently(const struct postgres_patience *patience, struct error *err);

#endif
