/*
 * What lies outside our own tables: the names under which readers from before kedge look, and a
 * table of that time.
 */
#ifndef KEDGE_CATALOG_OUTSIDE_H
#define KEDGE_CATALOG_OUTSIDE_H

struct catalog;
struct error;

/* The names that readers from before kedge look for, ended by NULL. */
extern const char *const catalog_views[];

/* The table database_backups that is there from before kedge has every column it needs, or -1
 * with "Required column X is missing from database_backups table". */
int catalog_check_foreign(struct catalog *catalog, struct error *err);

/* What has this name where readers look for it: 1 a table, 2 a view, 0 nothing, -1. */
enum catalog_outside { OUTSIDE_FREE, OUTSIDE_TABLE, OUTSIDE_VIEW };
int catalog_outside(struct catalog *catalog, const char *name, struct error *err);

#endif
