/*
 * Rules that hold for PostgreSQL. See migrate/lint_rule.h.
 */
#ifndef KEDGE_MIGRATE_LINT_POSTGRES_H
#define KEDGE_MIGRATE_LINT_POSTGRES_H

#include "migrate/lint_rule.h"

extern const struct lint_rule lint_postgres_rules[];
extern const size_t lint_postgres_count;

/* The current statement. */
void lint_postgres_statement(struct lint_part *part);

#endif
