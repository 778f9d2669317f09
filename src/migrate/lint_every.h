/*
 * Rules that hold for every database, and for two of the three. See migrate/lint_rule.h.
 */
#ifndef KEDGE_MIGRATE_LINT_EVERY_H
#define KEDGE_MIGRATE_LINT_EVERY_H

#include "migrate/lint_rule.h"

extern const struct lint_rule lint_every_rules[];
extern const size_t lint_every_count;

/* The current statement. */
void lint_every_statement(struct lint_part *part);

#endif
