/*
 * The catalogue: kedge's own tables of apps, destinations, backups, restores and schedules.
 *
 * One file (or header) per table stands beside this one; this one opens it. The rows are the only
 * memory that kedge has between two runs, but nothing that a restore needs is only here: manifests
 * are enough to make it anew (import.h).
 *
 * Several processes may use one catalogue at once. An open catalogue belongs to one thread at a
 * time; another thread opens its own. Times are int64_t nanoseconds since 1970 here and UTC with
 * microseconds in the database, so a time read back may be up to a microsecond earlier.
 */
#ifndef KEDGE_CATALOG_CATALOG_H
#define KEDGE_CATALOG_CATALOG_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

struct catalog;
struct error;
struct os;

struct catalog_options {
    const char *url;    /* "sqlite:path", a path, or a database URL */
    const char *folder; /* for lock files; NULL: the folder of the SQLite file */
    bool only_reads;    /* a file that cannot be written will do: it is opened to be read */
};

/* Opens it; on first use makes the folder (0700), the file (0600) and the schema. A schema that a
 * newer kedge made is refused, one that is older is brought up to date. */
int catalog_open(struct os *os, const struct catalog_options *options, struct catalog **ret_catalog,
                 struct error *err);
void catalog_close(struct catalog *catalog);

/* Whether it was only opened to be read: then nothing may be changed. */
bool catalog_is_read_only(const struct catalog *catalog);

/* Where a server may have ended our session (a restore of the database that the catalogue is in
 * ends all that are in it): begin a new one, if so. What the session held, target locks too, is
 * gone. Not inside a transaction. */
int catalog_refresh(struct catalog *catalog, struct error *err);

/* Where it is, for people. Borrowed. */
const char *catalog_name(const struct catalog *catalog);

/* Several changes as one: `body` runs inside a transaction that is committed when it returns 0 and
 * rolled back otherwise. Inside another one it joins that. On a server `body` may run again when
 * it lost a fight for locks. */
typedef int catalog_body_fn(struct catalog *catalog, void *context, struct error *err);
int catalog_transaction(struct catalog *catalog, catalog_body_fn *body, void *context,
                        struct error *err);

/* The wall clock as the catalogue keeps it: cut to microseconds. */
int64_t catalog_now(const struct catalog *catalog);

/* The next running number of "backups" or "restores"; inside a transaction. */
int catalog_next_number(struct catalog *catalog, const char *table, int64_t *ret_number,
                        struct error *err);

/* `items` as the JSON array that a column takes, to be freed; NULL when there are none. */
struct text_list;
char *catalog_json_of_list(const struct text_list *list);
/* The way back: 0, or -1 with ERROR_CORRUPT when it is no array of texts. NULL is an empty list. */
int catalog_list_of_json(const char *json, struct text_list *ret_list, struct error *err);

DEFINE_SCOPED(catalog, struct catalog *, catalog_close);

#endif
