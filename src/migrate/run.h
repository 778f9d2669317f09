/*
 * Running one migration: its statements and its row in the history, in one transaction where that
 * is possible, statement by statement with written progress where it is not.
 */
#ifndef KEDGE_MIGRATE_RUN_H
#define KEDGE_MIGRATE_RUN_H

#include "migrate/execute.h"

/* Can the plan run at all? Statements that no transaction can hold are found before anything is
 * run. ERROR_FAILED with file, line and hint. */
int run_check(const struct run *run, const struct migrate_plan *plan, struct error *err);

/* RUN_NOT_NEEDED when another process was quicker. On failure the error says which statement of
 * which file, what the server said, and what is left in the database; ERROR_STRANDED when a person
 * has to decide. *ret_ms is how long it took. */
enum run_result run_step(const struct run *run, const struct migrate_step *step, int64_t *ret_ms,
                         struct error *err);

/* Will these statements be run one by one, each committed by itself? */
bool run_stepwise(enum db_engine engine, const struct migration *migration,
                  enum direction direction);

#endif
