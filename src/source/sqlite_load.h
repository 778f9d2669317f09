/*
 * Restores into a SQLite database: written beside the target, checked, swapped in.
 */
#ifndef KEDGE_SOURCE_SQLITE_LOAD_H
#define KEDGE_SOURCE_SQLITE_LOAD_H

struct error;
struct load;
struct load_options;
struct source_target;

/* The contract is source_ops.load's. */
int sqlite_load(const struct source_target *target, const struct load_options *options,
                struct load **ret_load, struct error *err);

#endif
