/*
 * A migration that no transaction can hold: statement by statement, with its progress written
 * before and after each, so that a later run goes on where this one ended.
 */
#ifndef KEDGE_MIGRATE_STEPWISE_H
#define KEDGE_MIGRATE_STEPWISE_H

#include "migrate/execute.h"

enum run_result stepwise_run(const struct run *run, const struct migrate_step *step,
                             int64_t *ret_ms, struct error *err);

#endif
