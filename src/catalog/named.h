/*
 * What the tables with a unique name share: a row is found by its name, made or brought up to date
 * by it, and removed by it. And the names of all ids at once, for lists.
 *
 * The columns of such a table begin with id and name, and so does its struct.
 */
#ifndef KEDGE_CATALOG_NAMED_H
#define KEDGE_CATALOG_NAMED_H

#include "base/mem.h"

struct catalog;
struct columns;
struct error;

/* 1 and the id of the row of `table` with that name, 0 when there is none. */
int named_find(struct catalog *catalog, const char *table, const char *name, char ret_id[static 27],
               struct error *err);

/* 1 and the whole row with its texts in *ret_memory, 0 when there is none. */
int named_get(struct catalog *catalog, const struct columns *columns, const char *name, void *row,
              void **ret_memory, struct error *err);

/* Make `row` the row of its name. A new one gets an id when it has none; in an existing one all but
 * the columns marked COLUMN_ONCE change, and nothing is written when none differs. `scratch` is
 * another struct of the same kind. The id is set in `row`. */
int named_upsert(struct catalog *catalog, const struct columns *columns, void *row, void *scratch,
                 struct error *err);

/* 1 removed, 0 there was none. */
int named_remove(struct catalog *catalog, const char *table, const char *name, struct error *err);

/* ---- id -> name of a small table ---- */

struct names;

int names_load(struct catalog *catalog, const char *table, struct names **ret_names,
               struct error *err);
void names_free(struct names *names);
/* Borrowed; NULL when there is none. */
const char *names_get(const struct names *names, const char *id);

DEFINE_SCOPED(names, struct names *, names_free);

#endif
