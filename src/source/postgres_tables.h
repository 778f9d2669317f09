/*
 * The way back of single PostgreSQL tables, into a live database, by reading only their frames.
 *
 * All of it is one transaction that commit() ends: new rows go into tables beside, in a schema of
 * this restore's own, and replace those in the live tables at the end; tables that are not there
 * are made from the backup's definitions. What was there stays in that schema until it is
 * discarded. A killed restore leaves nothing, since its transaction never ended.
 */
#ifndef KEDGE_SOURCE_POSTGRES_TABLES_H
#define KEDGE_SOURCE_POSTGRES_TABLES_H

struct error;
struct load;
struct load_options;
struct source_target;

int postgres_load_tables(const struct source_target *target, const struct load_options *options,
                         struct load **ret_load, struct error *err);

#endif
