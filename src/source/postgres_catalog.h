/*
 * What the catalogue of a PostgreSQL database says: tables with their columns and sizes, and
 * sequences.
 */
#ifndef KEDGE_SOURCE_POSTGRES_CATALOG_H
#define KEDGE_SOURCE_POSTGRES_CATALOG_H

#include "base/text.h"
#include "source/postgres_binary.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct dump_options;
struct pq;

/* Schemas in which a restore of single tables keeps what it replaced: never part of a backup. A
 * pattern that the server and pg_dump read alike. */
#define POSTGRES_KEPT_SCHEMA "kedge_[0-7][0-9a-hjkmnp-tv-z]{25}"

struct postgres_table {
    char *schema;
    char *name;
    char *quoted;  /* "schema"."name" */
    char *columns; /* "a", "b": without generated ones; "" when there are none */
    char *where;   /* the condition of an extension's configuration table, or NULL */
    int64_t oid;
    bool has_rows; /* its rows belong in the backup: not a partitioned parent, not an extension's */
    bool configuration; /* belongs to an extension */
    bool routed;        /* a partitioned table that has them: they cannot name their partition */
    bool partitioned;
    bool left_out;               /* its rows would, but the options say no */
    struct binary_layout layout; /* of `columns` */
    uint64_t pages;
    uint64_t bytes; /* with what is stored out of line, without indexes */
};

struct postgres_tables {
    struct postgres_table *items;
    size_t count;
    size_t capacity;
    bool has_ours;         /* kedge's own tables are in the database, and not in this list */
    struct text_list ours; /* the names of our views in `public` */
};

/* All ordinary and partitioned tables, by schema and name. Sizes need locks that may have to be
 * waited for: only `with_sizes`. */
int postgres_tables_list(struct pq *pq, const struct dump_options *options, bool with_sizes,
                         struct postgres_tables *ret_tables, struct error *err);
/* ERROR_SOURCE when a table or schema that the options name is not among them. */
int postgres_tables_check(struct pq *pq, const struct postgres_tables *tables,
                          const struct dump_options *options, struct error *err);
void postgres_tables_clear(struct postgres_tables *tables);
bool postgres_tables_equal(const struct postgres_tables *a, const struct postgres_tables *b);

/* "schema"."name", to be freed. */
char *postgres_quote_name(const char *schema, const char *name);

/* Does a name or pattern of the options ("orders", "shop.orders", "log_*") mean this table, whose
 * name is in `encoding` (NULL: UTF-8)? Patterns may be in UTF-8 too. */
bool postgres_table_matches(const struct text_list *patterns, const char *encoding,
                            const char *schema, const char *name);

/* SELECT pg_catalog.setval(...) for each sequence, appended to `script`. */
int postgres_sequences_script(struct pq *pq, struct buf *script, struct error *err);

#endif
