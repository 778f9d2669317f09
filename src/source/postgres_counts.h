/*
 * What a restore has loaded: rows and their digest for each table, held against what the artifact's
 * index says.
 */
#ifndef KEDGE_SOURCE_POSTGRES_COUNTS_H
#define KEDGE_SOURCE_POSTGRES_COUNTS_H

#include "source/row_digest.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct segment_source;
struct segment_table;

/* The rows each table has got so far, from all connections. */
struct postgres_count {
    char *schema;
    char *name;
    char *columns; /* as the COPY lists them; NULL when it does not */
    struct row_digest digest;
};

struct postgres_counts {
    pthread_mutex_t lock;
    struct postgres_count *items;
    size_t count;
    size_t capacity;
    size_t last; /* where the last one was found */
};

void postgres_counts_init(struct postgres_counts *counts);
void postgres_counts_clear(struct postgres_counts *counts);
/* From any thread. The list of columns may be NULL. */
void postgres_counts_add(struct postgres_counts *counts, const char *schema, const char *name,
                         const char *columns, const struct row_digest *digest);
uint64_t postgres_counts_rows(struct postgres_counts *counts);
/* In the order in which its rows came; borrowed. NULL: no rows came, or without a list. */
const char *postgres_counts_columns(struct postgres_counts *counts, const char *schema,
                                    const char *name);
int postgres_counts_check_table(struct postgres_counts *counts, const struct segment_table *table,
                                struct error *err);
/* Is every table that the artifact's index names as the index says? */
int postgres_counts_check(struct postgres_counts *counts, const struct segment_source *expected,
                          struct error *err);

#endif
