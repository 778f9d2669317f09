/*
 * Rows of a table database_backups from before kedge, taken over once, when the catalogue is made
 * beside it. The table itself is left alone.
 */
#ifndef KEDGE_CATALOG_FOREIGN_H
#define KEDGE_CATALOG_FOREIGN_H

struct db;
struct error;

/* The migration of that name; `context` is the catalogue. */
#define FOREIGN_VERSION "20260101000004"
#define FOREIGN_NAME "take_over_database_backups"
int foreign_take_over(struct db *db, void *context, struct error *err);

#endif
