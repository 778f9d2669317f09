/*
 * PostgreSQL's ALTER TABLE, whose lock is the strongest of its actions'.
 */
#ifndef KEDGE_MIGRATE_EFFECTS_ALTER_H
#define KEDGE_MIGRATE_EFFECTS_ALTER_H

#include "migrate/effects_core.h"

/* The cursor is behind ALTER TABLE (or INDEX, VIEW, ...: `index` for an index). */
int effects_alter_table(struct effect_work *work, struct cursor *at, bool index, struct error *err);

#endif
