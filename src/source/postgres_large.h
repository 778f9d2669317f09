/*
 * Large objects of PostgreSQL: their content, owner, grants and comment, as statements that stand
 * alone.
 *
 * pg_dump is told to leave them out: its script opens descriptors that live as long as a
 * transaction, which no frame may depend on. Here each object is created by name and filled by
 * offset.
 */
#ifndef KEDGE_SOURCE_POSTGRES_LARGE_H
#define KEDGE_SOURCE_POSTGRES_LARGE_H

#include <stdbool.h>

struct error;
struct pq;
struct progress;
struct segment_frame;
struct segment_sink;

/* The name that segments with large objects carry instead of a table's. */
#define POSTGRES_LARGE_SCHEMA "pg_catalog"
#define POSTGRES_LARGE_TABLE "pg_largeobject"

bool postgres_large_is_frame(const struct segment_frame *frame);

/* Push all that `pq` sees, in the section after the data. */
int postgres_large_dump(struct pq *pq, struct segment_sink *sink, struct progress *progress,
                        struct error *err);

#endif
