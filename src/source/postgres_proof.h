/*
 * Proof that a restored PostgreSQL database holds what the backup says: every table is read back
 * and digested as it was when it was dumped.
 */
#ifndef KEDGE_SOURCE_POSTGRES_PROOF_H
#define KEDGE_SOURCE_POSTGRES_PROOF_H

struct db_url;
struct error;
struct load_options;
struct postgres_counts;
struct segment_source;

/* Columns are read in the order in which `loaded` says that they came: a table that inherits may
 * have another one now. ERROR_RESTORE names the first table that differs or is not there. */
int postgres_proof(const struct db_url *url, const char *database,
                   const struct load_options *options, struct segment_source *expected,
                   struct postgres_counts *loaded, struct error *err);

#endif
