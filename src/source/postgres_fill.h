/*
 * Filling an empty PostgreSQL database from an artifact: the definitions first, then rows, indexes,
 * keys and the rest in the order of postgres_plan.h, over several connections.
 *
 * An artifact whose frames cannot be read by number is played front to back over one.
 */
#ifndef KEDGE_SOURCE_POSTGRES_FILL_H
#define KEDGE_SOURCE_POSTGRES_FILL_H

struct error;
struct db_url;
struct load_options;
struct postgres_counts;
struct postgres_rules;
struct segment_source;

struct postgres_fill {
    const struct db_url *url;
    const char *database; /* the empty one */
    const struct load_options *options;
    const struct postgres_rules *rules;
    struct postgres_counts *counts;
};

int postgres_fill(const struct postgres_fill *fill, struct segment_source *segments,
                  struct error *err);

#endif
