/*
 * The record of a restore of single PostgreSQL tables, and the schema of its own in which it keeps
 * what it replaced.
 *
 * The record is a line of JSON in the restore log; the schema's comment tells on which side of the
 * exchange the tables are.
 */
#ifndef KEDGE_SOURCE_POSTGRES_KEPT_H
#define KEDGE_SOURCE_POSTGRES_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct postgres_exchange;
struct pq;

/* Owned strings. */
struct postgres_kept_table {
    char *schema;
    char *name;
    char *live;   /* quoted */
    bool created; /* it was not there before */
};

struct postgres_kept {
    char *store;    /* the schema of this restore */
    char *encoding; /* of the names below; NULL: the database's */
    int64_t xid;
    bool keep;
    struct postgres_kept_table *items;
    size_t count;
    size_t capacity;
};

/* An entry for the table; borrowed until the next one is added. */
struct postgres_kept_table *postgres_kept_add(struct postgres_kept *kept, const char *schema,
                                              const char *name);
void postgres_kept_clear(struct postgres_kept *kept);

static inline void scoped_postgres_kept_cleanup(struct postgres_kept *kept)
{
    postgres_kept_clear(kept);
}

/* A line of JSON, to be freed, and back. ERROR_CORRUPT: not what a restore of tables writes. */
char *postgres_kept_format(const struct postgres_kept *kept);
int postgres_kept_parse(const char *text, struct postgres_kept *ret_kept, struct error *err);

/* The session speaks kept->encoding from here on. */
int postgres_kept_use_encoding(struct pq *pq, const struct postgres_kept *kept, struct error *err);

/* Is this record of a restore one of tables? */
bool postgres_kept_is_tables(const char *kept);

/* "store"."<what>_<number>": a table of this restore's own. To be freed. */
char *postgres_kept_store_name(const struct postgres_kept *kept, const char *what, size_t number);

struct postgres_exchanges {
    struct postgres_exchange *items;
    size_t count;
};

/* The rows of store.<from>_N go into each table that was there, its own into store.<keep>_N
 * (`keep` NULL: nowhere). Live names are borrowed from `kept`. */
struct postgres_exchanges postgres_kept_exchanges(const struct postgres_kept *kept,
                                                  const char *from, const char *keep);
void postgres_kept_exchanges_clear(struct postgres_exchanges *exchanges);

/* Note in the schema on which side the tables are: "before" or "after". */
int postgres_kept_mark(struct pq *pq, const struct postgres_kept *kept, const char *side,
                       struct error *err);

/* Remove store.<what>_N of each table that was there. */
int postgres_kept_drop_tables(struct pq *pq, const struct postgres_kept *kept, const char *what,
                              struct error *err);

/* Remove the schema with all that is in it. "Was not there" is success. */
int postgres_kept_drop_store(struct pq *pq, const struct postgres_kept *kept, struct error *err);

#endif
