/*
 * PostgreSQL: tables, views, indexes and sequences that are made, emptied or locked.
 */
#ifndef KEDGE_MIGRATE_EFFECTS_RELATION_H
#define KEDGE_MIGRATE_EFFECTS_RELATION_H

#include "migrate/effects_rule.h"

effect_rule_fn effects_create_table;
effect_rule_fn effects_create_view;
effect_rule_fn effects_create_index;
effect_rule_fn effects_create_sequence;
effect_rule_fn effects_alter_sequence;
effect_rule_fn effects_truncate;
effect_rule_fn effects_lock_table;

#endif
