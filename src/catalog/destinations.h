/*
 * Destinations: where backups go. The rows are kept up to date from the configuration by name;
 * secrets from there are never stored.
 */
#ifndef KEDGE_CATALOG_DESTINATIONS_H
#define KEDGE_CATALOG_DESTINATIONS_H

#include <stdbool.h>
#include <stdint.h>

struct catalog;
struct error;

/* Begin with {0} and set what is known; is_active is wanted true as a rule. */
struct destination_row {
    char id[27];
    const char *name;
    const char *kind; /* "local", "s3", "sftp", "repository"; NULL: as the URL says */
    const char *url;  /* a password in it is left out of the row */
    const char *region;
    const char *bucket;
    const char *options; /* JSON object */
    bool is_default;     /* at most one is: setting it takes it from the others */
    bool is_active;
    int64_t created_ns, updated_ns;
    void *memory; /* private: what the texts live in */
};

void destination_row_clear(struct destination_row *row);

/* Make `row` the row of its name and set row->id. Nothing is written when it is so already. */
int destinations_upsert(struct catalog *catalog, struct destination_row *row, struct error *err);

/* 1 and the row (clear it), 0 when there is none. */
int destinations_get(struct catalog *catalog, const char *name, struct destination_row *ret_row,
                     struct error *err);

/* In the order of their names; `row` lives until `visit` returns. Non-zero from it stops and comes
 * back. */
typedef int destination_visit_fn(void *context, const struct destination_row *row,
                                 struct error *err);
int destinations_list(struct catalog *catalog, destination_visit_fn *visit, void *context,
                      struct error *err);

static inline void scoped_destination_row_cleanup(struct destination_row *row)
{
    destination_row_clear(row);
}

#endif
