/*
 * Databases as wholes on a PostgreSQL server: made beside the one that is to be replaced, put in
 * its place by renaming both in one transaction, taken back the same way.
 *
 * The names a restore uses are told by its ULID, so that another process finds them: NAME__kedge_ID
 * is filled, NAME__kedge_old_ID is what was there before. Which is which after a swap is told by
 * the OIDs that are kept.
 */
#ifndef KEDGE_SOURCE_POSTGRES_SWAP_H
#define KEDGE_SOURCE_POSTGRES_SWAP_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct error;
struct os;
struct db_url;
struct load_options;
struct pq;

/* Owned strings. */
struct postgres_swap {
    char *live;         /* the database's name */
    char *side;         /* what is filled */
    char *old;          /* what the live one is called afterwards */
    int64_t live_oid;   /* 0: there was none */
    int64_t side_oid;   /* 0: not made yet */
    int64_t written[3]; /* rows inserted, updated, deleted in the side one when it was ready */
    bool keep;          /* the old one */
};

void postgres_swap_clear(struct postgres_swap *swap);

static inline void scoped_postgres_swap_cleanup(struct postgres_swap *swap)
{
    postgres_swap_clear(swap);
}

/* `name` and `suffix`, the name cut (between characters) so that both fit an identifier. To be
 * freed. */
char *postgres_side_name(const char *name, const char *suffix);

void postgres_swap_name(struct postgres_swap *swap, const char *live, const char *id, bool keep);

/* A line of JSON, to be freed, and back. */
char *postgres_swap_format(const struct postgres_swap *swap);
int postgres_swap_parse(const char *json, struct postgres_swap *ret_swap, struct error *err);

/* A connection to a database of that server that is not `name`. */
int postgres_connect_beside(struct os *os, const struct db_url *url, const char *name,
                            struct pq **ret_pq, struct error *err);

/* The same for tidying up: it goes on although a stop was requested. */
int postgres_connect_tidy(struct os *os, const struct db_url *url, const char *name,
                          struct pq **ret_pq, struct error *err);

/* The OID, or 0. -1 on failure. */
int postgres_database_oid(struct pq *pq, const char *name, int64_t *ret_oid, struct error *err);

/* Make swap->side, as the live one is, or as the backup's metadata (JSON, may be NULL) says. */
int postgres_swap_create(struct pq *beside, struct postgres_swap *swap,
                         const struct load_options *options, struct error *err);

/* Put the side database in its place; kedge's own tables in the live one come with the name.
 * ERROR_RESTORE: nothing has changed. */
int postgres_swap_commit(struct os *os, const struct db_url *url, struct pq *beside,
                         struct postgres_swap *swap, struct error *err);

/* The live one and the old one change names, as above; again, and they change back. */
int postgres_swap_back(struct os *os, const struct db_url *url, struct pq *beside,
                       const struct postgres_swap *swap, struct error *err);

/* Remove; "was not there" is success. Sessions in it are ended, subscriptions go without touching
 * the slot that they read from. `beside` is a session in another database of that server. */
int postgres_database_drop(struct os *os, const struct db_url *url, struct pq *beside,
                           const char *name, struct error *err);

#endif
