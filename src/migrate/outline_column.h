/*
 * The clauses of CREATE TABLE and ALTER TABLE: columns and constraints. Part of migrate/outline.h.
 */
#ifndef KEDGE_MIGRATE_OUTLINE_COLUMN_H
#define KEDGE_MIGRATE_OUTLINE_COLUMN_H

#include "migrate/outline.h"

/* name type constraints...; false when no name comes. `item` is its clause. */
bool outline_column_read(struct cursor *item, struct outline_column *ret_column);

/* A type and what follows it, without a name. */
void outline_column_rest(struct cursor *item, struct outline_column *column);

/* Is this a table constraint or index, with or without CONSTRAINT name? Then it is in `action`. */
bool outline_constraint_read(struct cursor *item, struct outline_action *action);

#endif
