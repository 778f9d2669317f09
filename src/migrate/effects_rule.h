/*
 * What the rules of effects_postgres.c share: a rule says what a kind of statement takes, and its
 * function reads along the statement for the things that it takes it on.
 */
#ifndef KEDGE_MIGRATE_EFFECTS_RULE_H
#define KEDGE_MIGRATE_EFFECTS_RULE_H

#include "migrate/effects_core.h"

struct effect_rule;

/* `at` is behind the words of the rule. */
typedef int effect_rule_fn(struct effect_work *work, const struct effect_rule *rule,
                           struct cursor *at, struct error *err);

struct effect_rule {
    const char *words;
    effect_rule_fn *apply;
    enum effect_lock lock;
    unsigned flags;
    const char *start; /* DROP: the subquery for catalog_drop */
};

/* The name that comes next, with the rule's lock. */
effect_rule_fn effects_on_name;
/* A, B, C with the rule's lock. */
effect_rule_fn effects_on_names;
/* The table after ON (or FROM, for a policy or rule: TO). */
effect_rule_fn effects_on_table;
/* The table of "table.column". */
effect_rule_fn effects_on_column;

/* Will there be such a relation when the statement runs? 1, 0, -1. */
int effects_exists(struct effect_work *work, const char *name, struct error *err);

#endif
