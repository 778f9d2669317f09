/*
 * ALTER TABLE of MySQL and MariaDB: the algorithm for the table as it is.
 */
#ifndef KEDGE_MIGRATE_EFFECTS_ALTER_MYSQL_H
#define KEDGE_MIGRATE_EFFECTS_ALTER_MYSQL_H

#include "migrate/effects_core.h"

/* The cursor is behind ALTER TABLE. */
int mysql_alter_table(struct effect_work *work, struct cursor *at, struct error *err);
/* The cursor is behind CREATE, at [UNIQUE | FULLTEXT | SPATIAL] INDEX. */
int mysql_create_index(struct effect_work *work, struct cursor *at, struct error *err);
/* The cursor is behind DROP INDEX. */
int mysql_drop_index(struct effect_work *work, struct cursor *at, struct error *err);

/* Add the table with its size (effects_mysql.c). */
int mysql_touch(struct effect_work *work, const char *name, enum effect_lock lock, unsigned flags,
                struct error *err);

#endif
