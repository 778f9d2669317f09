/*
 * PostgreSQL: what hangs on a table: triggers, rules, policies, statistics, publications.
 */
#ifndef KEDGE_MIGRATE_EFFECTS_ATTACHED_H
#define KEDGE_MIGRATE_EFFECTS_ATTACHED_H

#include "migrate/effects_rule.h"

effect_rule_fn effects_create_trigger;
effect_rule_fn effects_create_rule;
effect_rule_fn effects_create_policy;
effect_rule_fn effects_create_statistics;
effect_rule_fn effects_publish;

#endif
