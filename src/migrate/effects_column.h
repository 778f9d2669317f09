/*
 * What PostgreSQL has to do to the rows for a column's sake: for a new default, another type, NOT
 * NULL, or the bounds of a partition.
 *
 * The server itself says whether an expression is volatile, and whether a change of type computes
 * anything: it plans the expression, and nothing is run.
 */
#ifndef KEDGE_MIGRATE_EFFECTS_COLUMN_H
#define KEDGE_MIGRATE_EFFECTS_COLUMN_H

#include "migrate/effects_core.h"

/* `definition` is behind the column's name. *ret_flags: EFFECT_REWRITTEN, EFFECT_SCANNED. Adds the
 * sequences that it draws from. */
int effects_new_column(struct effect_work *work, struct cursor definition, unsigned *ret_flags,
                       struct error *err);

struct effect_type_change {
    const char *table;
    const char *column;
    struct cursor type; /* type [COLLATE c] [USING expression] */
    unsigned flags;     /* the answer */
};

/* Adds what hangs on it by foreign keys, and what is lost. */
int effects_change_type(struct effect_work *work, struct effect_type_change *change,
                        struct error *err);

/* Is it NOT NULL already, or does a valid CHECK say so? 1, 0, -1. */
int effects_not_null_known(struct effect_work *work, const char *table, const char *column,
                           struct error *err);

/* Do the constraints and indexes of the table make reading it needless when it becomes a partition?
 * `bounds` begins at FOR VALUES. 1, 0, -1. */
int effects_partition_implied(struct effect_work *work, const char *parent, const char *partition,
                              struct cursor bounds, struct error *err);

#endif
