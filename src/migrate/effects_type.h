/*
 * PostgreSQL: types, domains and functions, and the tables that they reach.
 */
#ifndef KEDGE_MIGRATE_EFFECTS_TYPE_H
#define KEDGE_MIGRATE_EFFECTS_TYPE_H

#include "migrate/effects_rule.h"

effect_rule_fn effects_alter_domain;
effect_rule_fn effects_alter_type;
effect_rule_fn effects_create_function;

#endif
