/*
 * Rows that a PostgreSQL server refused at first and may take when they are sent again: what is
 * worth another try while a database is filled, and how.
 *
 * A COPY leaves nothing behind when it fails.
 */
#ifndef KEDGE_SOURCE_POSTGRES_AGAIN_H
#define KEDGE_SOURCE_POSTGRES_AGAIN_H

#include <stdbool.h>

struct error;
struct os;
struct pq;

struct postgres_again {
    struct os *os;
    struct pq *pq;
    const char *settings;  /* of the session, for afterwards; "" is none */
    const char **in_force; /* likewise as later_run has them: NULL when they are no more */
    const char *schema;    /* of the table, or NULL */
    int (*once)(void *context, struct error *err); /* send the rows */
    void *context;
};

/* Send the rows: with patience when the server ended it for a deadlock, and when a function looked
 * for something in vain, once more with the table's schema and public in its search_path. The first
 * error of that kind is the one that is told. */
int postgres_again_rows(const struct postgres_again *rows, struct error *err);

/* Did the server refuse the rows for what a check or a generated column may find in other tables,
 * which may not have theirs yet? */
bool postgres_again_after_others(const struct pq *pq);

#endif
