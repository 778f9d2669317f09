/*
 * The catalogue's own schema: made when it is missing, brought up to date when it is older, refused
 * when it is newer than this kedge.
 */
#ifndef KEDGE_CATALOG_SCHEMA_H
#define KEDGE_CATALOG_SCHEMA_H

struct catalog;
struct error;

/* Apply the embedded migrations that are not recorded yet, each in one transaction with its record.
 * Two processes may do it at once. Touches nothing when there is nothing to do. */
int schema_update(struct catalog *catalog, struct error *err);

#endif
