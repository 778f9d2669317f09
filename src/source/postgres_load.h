/*
 * The way back of a whole PostgreSQL database: checked, filled beside the live one, and put in its
 * place by renaming.
 */
#ifndef KEDGE_SOURCE_POSTGRES_LOAD_H
#define KEDGE_SOURCE_POSTGRES_LOAD_H

struct error;
struct load;
struct load_options;
struct os;
struct source_target;
enum load_state;

int postgres_load_database(const struct source_target *target, const struct load_options *options,
                           struct load **ret_load, struct error *err);

/* Whatever the restore's record says: databases or tables. */
int postgres_recover_database(struct os *os, const char *kept, const struct source_target *target,
                              enum load_state *ret_state, struct error *err);
int postgres_side_database(struct os *os, const char *kept, const struct source_target *target,
                           enum load_state *ret_state, struct error *err);
int postgres_undo_database(struct os *os, const char *kept, const struct source_target *target,
                           _Bool dry_run, char **ret_changed, struct error *err);
int postgres_discard_database(struct os *os, const char *kept, const struct source_target *target,
                              struct error *err);

#endif
