/*
 * The catalogue's own schema: made when it is missing, brought up to date when it is older, refused
 * when it is newer than this kedge.
 */
#ifndef KEDGE_CATALOG_SCHEMA_H
#define KEDGE_CATALOG_SCHEMA_H

#include <stdbool.h>

struct catalog;
struct error;

/* Does the database have all of it? 1, 0 when something (or everything) is missing, -1 when a newer
 * kedge made it. *ret_any (may be NULL): the table in which applied ones are recorded is there. */
int schema_complete(struct catalog *catalog, bool *ret_any, struct error *err);

/* Apply the embedded migrations that are not recorded yet, each in one transaction with its record.
 * Two processes may do it at once. Touches nothing when there is nothing to do. */
int schema_update(struct catalog *catalog, struct error *err);

/* Apply what is missing inside the transaction that the caller has open: all of it is there when
 * that is committed, and nothing otherwise. Only where the engine can undo such statements. */
int schema_apply_within(struct catalog *catalog, struct error *err);

/* The tables and columns that there should be, in order, as the embedded files say. Non-zero from
 * `visit` stops and comes back. */
typedef int schema_column_fn(void *context, const char *table, const char *column,
                             struct error *err);
int schema_each_column(const struct catalog *catalog, schema_column_fn *visit, void *context,
                       struct error *err);

#endif
