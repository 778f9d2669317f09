/*
 * Which defaults PostgreSQL computes once for a new column, and which for every row that is there.
 */
#ifndef KEDGE_MIGRATE_LINT_PGDEFAULT_H
#define KEDGE_MIGRATE_LINT_PGDEFAULT_H

#include "migrate/cursor.h"

/* May it give each row another value? Then the table is written anew. */
bool pgdefault_is_volatile(const struct cursor *expression);

#endif
