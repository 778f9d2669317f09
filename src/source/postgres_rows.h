/*
 * The rows of PostgreSQL tables, from COPY ... TO STDOUT into segments: in binary where we can make
 * the text of a table's columns (postgres_binary.h), else as text.
 *
 * The unit of work is a slice: a whole table, or the rows of a range of its blocks, so that several
 * sessions read one big table. Each segment holds one complete COPY block.
 */
#ifndef KEDGE_SOURCE_POSTGRES_ROWS_H
#define KEDGE_SOURCE_POSTGRES_ROWS_H

#include "source/row_digest.h"

#include <stdbool.h>

#include <stddef.h>
#include <stdint.h>

struct error;
struct postgres_table;
struct postgres_tables;
struct pq;
struct progress;
struct segment_sink;

struct postgres_slice {
    const struct postgres_table *table;
    size_t number;       /* of the table, in the list it came from */
    uint64_t first_page; /* 0: from the start */
    uint64_t end_page;   /* UINT64_MAX: to the end, however long it is by now */
    uint64_t bytes;      /* about */
};

struct postgres_slices {
    struct postgres_slice *items;
    size_t count;
    size_t capacity;
};

/* Cut what has rows into slices, the dearest tables first. `ranges`: the server reads ranges of
 * blocks without reading the rest (14 and later). Tables are borrowed. */
void postgres_slices_plan(const struct postgres_tables *tables, bool ranges,
                          struct postgres_slices *ret_slices);
void postgres_slices_clear(struct postgres_slices *slices);

/* Called before a segment is taken, so that a reader that must wait holds none: -1 to give up. */
typedef int postgres_gate_fn(void *context, struct error *err);

/* Read one slice and push it; its rows are added to *digest. */
int postgres_slice_dump(struct pq *pq, const struct postgres_slice *slice,
                        struct segment_sink *sink, struct progress *progress,
                        postgres_gate_fn *gate, void *context, struct row_digest *digest,
                        struct error *err);

/* Read one slice only for its digest, which is always of text that the server wrote. */
int postgres_slice_digest(struct pq *pq, const struct postgres_slice *slice,
                          struct row_digest *digest, struct error *err);

#endif
