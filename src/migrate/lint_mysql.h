/*
 * Rules that hold for MySQL and MariaDB. See migrate/lint_rule.h.
 */
#ifndef KEDGE_MIGRATE_LINT_MYSQL_H
#define KEDGE_MIGRATE_LINT_MYSQL_H

#include "migrate/lint_rule.h"

extern const struct lint_rule lint_mysql_rules[];
extern const size_t lint_mysql_count;

/* The current statement. */
void lint_mysql_statement(struct lint_part *part);

#endif
