/*
 * Rules that hold for SQLite. See migrate/lint_rule.h.
 */
#ifndef KEDGE_MIGRATE_LINT_SQLITE_H
#define KEDGE_MIGRATE_LINT_SQLITE_H

#include "migrate/lint_rule.h"

extern const struct lint_rule lint_sqlite_rules[];
extern const size_t lint_sqlite_count;

/* The current statement. */
void lint_sqlite_statement(struct lint_part *part);

#endif
