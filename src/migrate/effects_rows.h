/*
 * PostgreSQL: rows that are read, written or copied, and what the table's sequences and foreign
 * keys have to do with it.
 */
#ifndef KEDGE_MIGRATE_EFFECTS_ROWS_H
#define KEDGE_MIGRATE_EFFECTS_ROWS_H

#include "migrate/effects_rule.h"

effect_rule_fn effects_write_rows;
effect_rule_fn effects_select_rows;
effect_rule_fn effects_copy_rows;

/* INSERT, UPDATE, DELETE, MERGE: what is written, and what is read for it. Unless it `runs` it is
 * only looked up. */
int effects_write(struct effect_work *work, struct cursor at, bool runs, struct error *err);

#endif
