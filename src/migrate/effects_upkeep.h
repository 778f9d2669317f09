/*
 * PostgreSQL: what makes files anew without changing what is in them: REINDEX, CLUSTER, VACUUM,
 * REFRESH.
 */
#ifndef KEDGE_MIGRATE_EFFECTS_UPKEEP_H
#define KEDGE_MIGRATE_EFFECTS_UPKEEP_H

#include "migrate/effects_rule.h"

effect_rule_fn effects_reindex;
effect_rule_fn effects_cluster;
effect_rule_fn effects_vacuum;
effect_rule_fn effects_refresh;

#endif
