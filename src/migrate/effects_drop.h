/*
 * PostgreSQL: DROP of anything, with all that goes with it.
 */
#ifndef KEDGE_MIGRATE_EFFECTS_DROP_H
#define KEDGE_MIGRATE_EFFECTS_DROP_H

#include "migrate/effects_rule.h"

effect_rule_fn effects_drop;

#endif
