/*
 * Rules about a migration as a whole: is there a way back, and does it go where it came from? See
 * migrate/lint_rule.h.
 */
#ifndef KEDGE_MIGRATE_LINT_DOWN_H
#define KEDGE_MIGRATE_LINT_DOWN_H

#include "migrate/lint_rule.h"

extern const struct lint_rule lint_down_rules[];
extern const size_t lint_down_count;

/* `wants_down`: a missing way back is worth a word. */
void lint_down_check(struct lint_part *up, struct lint_part *down, bool wants_down);

#endif
