/*
 * What the rules for PostgreSQL ask its catalogue. Only system tables are read; nothing waits
 * for a lock on a table.
 */
#ifndef KEDGE_MIGRATE_EFFECTS_CATALOG_H
#define KEDGE_MIGRATE_EFFECTS_CATALOG_H

#include "db/db.h"
#include "migrate/effects_core.h"

/* Subqueries that answer oids, each with one `?` for a name as it is written. */
#define CATALOG_SELF "SELECT to_regclass(?)::oid"
#define CATALOG_TREE                                                                               \
    "WITH RECURSIVE t(oid) AS (SELECT to_regclass(?)::oid UNION SELECT i.inhrelid "                \
    "FROM pg_inherits i JOIN t ON i.inhparent = t.oid) SELECT oid FROM t"
/* What a view reads, through other views. */
#define CATALOG_READ                                                                               \
    "WITH RECURSIVE v(oid) AS (SELECT to_regclass(?)::oid UNION SELECT d.refobjid FROM v "         \
    "JOIN pg_class c ON c.oid = v.oid AND c.relkind IN ('v', 'm') "                                \
    "JOIN pg_rewrite r ON r.ev_class = v.oid AND r.ev_type = '1' "                                 \
    "JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid "                  \
    "AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'n') SELECT oid FROM v"

/* Add every relation whose oid is in the answer of `oids`, a subquery with text parameters; `b`
 * NULL: it has one. Without a connection nothing is added. */
int catalog_touch(struct effect_work *work, enum effect_lock lock, unsigned flags, const char *oids,
                  const char *a, const char *b, struct error *err);

/* Add the relation of that name, with its children unless EFFECT_ONLY. One that nobody knows is
 * added as it is written, unless EFFECT_IF_KNOWN. */
int catalog_touch_name(struct effect_work *work, const char *name, enum effect_lock lock,
                       unsigned flags, struct error *err);

/* The first value of a query with text parameters: 1, 0 when there is none, -1. Without a
 * connection 0. *ret_text is to be freed. */
int catalog_text(struct effect_work *work, const char *sql, const char *a, const char *b,
                 char **ret_text, struct error *err);
/* Does the query answer true? 1, 0, -1; 0 without a connection. */
int catalog_is(struct effect_work *work, const char *sql, const char *a, const char *b,
               struct error *err);

/* A partitioned table? 1, 0, -1. */
int catalog_is_partitioned(struct effect_work *work, const char *name, struct error *err);

/* Ask something that the statement's own text is part of: what the server refuses is no error. The
 * whole answer, lines with newlines; NULL when it was refused. To be freed. */
int catalog_probe(struct effect_work *work, const char *sql, char **ret_text, struct error *err);

/* Everything that goes with an object: pg_depend, from "SELECT classid, objid, objsubid" with one
 * `?`. Adds the locks and what is lost. How many relations were added, or -1. */
int catalog_drop(struct effect_work *work, const char *start, const char *name, bool cascade,
                 struct error *err);

#endif
