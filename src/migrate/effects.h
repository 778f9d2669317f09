/*
 * What a statement of a migration would do to the database: the locks it takes and on what, which
 * tables it rewrites or reads through, what data goes, and whether the other way brings it back.
 *
 * Nothing is run. The statement's words say what it is; the catalogue says what it meets: types of
 * columns, children of partitions, indexes, foreign keys, sizes. Without a connection the words
 * have to do, and sizes are unknown. What earlier statements of the same plan make is remembered,
 * so that a table that is not there yet is known to be new.
 *
 * One dialect each: effects_postgres.c, effects_mysql.c, effects_sqlite.c.
 */
#ifndef KEDGE_MIGRATE_EFFECTS_H
#define KEDGE_MIGRATE_EFFECTS_H

#include "migrate/effect.h"
#include "migrate/migration.h"

struct db;
struct error;

/* The plan so far. */
struct effects;

/* `db` is borrowed; NULL: without a connection. It must not be in a transaction. */
int effects_new(enum db_engine engine, struct db *db, struct effects **ret_effects,
                struct error *err);
void effects_free(struct effects *effects);

/* One statement of one way of the migration, in the order of the plan. `effect` is empty. -1 when
 * the database does not answer. */
int effects_of(struct effects *effects, const struct migration *migration, enum direction direction,
               size_t index, struct effect *effect, struct error *err);

DEFINE_SCOPED(effects, struct effects *, effects_free);

#endif
