/*
 * The definitions of a PostgreSQL database, as its own pg_dump writes them on our snapshot.
 *
 * pg_dump is asked for what stands before the data and what follows it, and for nothing else. What
 * it says is read statement by statement: client commands and settings that an older server would
 * refuse are dropped, and everything from the first index, key, rule or grant on goes into the
 * second part, with the settings it needs to be read alone.
 */
#ifndef KEDGE_SOURCE_POSTGRES_DDL_H
#define KEDGE_SOURCE_POSTGRES_DDL_H

#include "base/buf.h"
#include "base/text.h"

#include <stdint.h>

struct error;
struct os;
struct postgres_tables;
struct pq;

struct postgres_ddl {
    struct buf pre;
    struct buf post;
    size_t head;                  /* of `pre`: the settings, before the first definition */
    struct text_list tablespaces; /* that definitions ask for by name */
};

#define POSTGRES_DDL_INIT ((struct postgres_ddl){BUF_INIT, BUF_INIT, 0, TEXT_LIST_INIT})

/* `pq` is a connection to the same database; only asked how it was made and set. Foreign
 * keys to tables whose rows are left out become NOT VALID, so that the rest can be loaded; those of
 * partitioned tables, which cannot, are left out with a warning. ERROR_CHANGED: somebody waits for
 * a table's lock, who will change it. */
int postgres_ddl_read(struct os *os, struct pq *pq, const char *snapshot,
                      const struct postgres_tables *tables, int64_t lock_timeout_ms,
                      struct postgres_ddl *ddl, struct error *err);
/* Of kedge's own tables alone. */
int postgres_ddl_read_own(struct os *os, struct pq *pq, const char *snapshot,
                          struct postgres_ddl *ddl, struct error *err);
void postgres_ddl_clear(struct postgres_ddl *ddl);

/* The parts of a script as pg_dump writes it. */
int postgres_ddl_split(const char *script, size_t size, const struct postgres_tables *tables,
                       struct postgres_ddl *ddl, struct error *err);

#endif
