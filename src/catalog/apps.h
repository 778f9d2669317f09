/*
 * Apps: what belongs together and is restored together.
 */
#ifndef KEDGE_CATALOG_APPS_H
#define KEDGE_CATALOG_APPS_H

struct catalog;
struct error;

/* The id of the app of that name, which is made when it is not there. */
int apps_upsert(struct catalog *catalog, const char *name, char ret_id[static 27],
                struct error *err);

/* 1 and the id, 0 when there is none. */
int apps_find(struct catalog *catalog, const char *name, char ret_id[static 27], struct error *err);

/* With all its backups' rows, connections and schedules. 1 done, 0 there was none. Files at
 * destinations are not touched. */
int apps_remove(struct catalog *catalog, const char *name, struct error *err);

#endif
