/*
 * The clauses of ALTER TABLE. Part of migrate/outline.h.
 */
#ifndef KEDGE_MIGRATE_OUTLINE_ALTER_H
#define KEDGE_MIGRATE_OUTLINE_ALTER_H

#include "migrate/outline.h"

/* `cursor` stands after the table's name; the clauses are added to outline->actions. */
void outline_alter_read(struct outline *outline, struct cursor *cursor);

#endif
