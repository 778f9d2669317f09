/*
 * A restore of single PostgreSQL tables, looked at later and by another process: on which side the
 * tables are, back again, and away with what was kept.
 */
#ifndef KEDGE_SOURCE_POSTGRES_TABLES_UNDO_H
#define KEDGE_SOURCE_POSTGRES_TABLES_UNDO_H

#include <stdbool.h>

struct error;
struct os;
struct source_target;
enum load_state;

/* The slots `side`, `undo` and `discard` of source.h for a record that postgres_kept_is_tables. */
int postgres_tables_side(struct os *os, const char *kept, const struct source_target *target,
                         enum load_state *ret_state, struct error *err);
int postgres_tables_undo(struct os *os, const char *kept, const struct source_target *target,
                         bool dry_run, char **ret_changed, struct error *err);
int postgres_tables_discard(struct os *os, const char *kept, const struct source_target *target,
                            struct error *err);

#endif
