/*
 * What must be so before a PostgreSQL restore touches anything: rights, roles, extensions and
 * tablespaces that the backup speaks of, and nothing in the live database that a rename would cut
 * off.
 */
#ifndef KEDGE_SOURCE_POSTGRES_NEEDS_H
#define KEDGE_SOURCE_POSTGRES_NEEDS_H

#include <stdbool.h>

struct error;
struct load_options;
struct load_preview;
struct pq;

/* Roles, extensions and tablespaces that the metadata names and this server lacks: ERROR_RESTORE
 * names them. */
int postgres_needs_server(struct pq *pq, const struct load_options *options, struct error *err);

/* Of these the tablespaces alone, for single tables that are made. */
int postgres_needs_tablespaces(struct pq *pq, const struct load_options *options,
                               struct error *err);

/* A server that is older than the backup's may not know all that is in it: said in the log, and on
 * a dry run as a conflict. */
void postgres_needs_newer(const struct pq *pq, const struct load_options *options,
                          struct load_preview *preview);

/* What to do about a statement that failed there, as a hint; nothing when the server is as new.
 * -1. */
int postgres_needs_explain(const struct pq *pq, const struct load_options *options,
                           struct error *err);

/* May we make a database, and rename this one? Slots and subscriptions refuse unless forced,
 * prepared transactions always; other sessions are told as a conflict. */
int postgres_needs_swap(struct pq *pq, const char *live, bool exists,
                        const struct load_options *options, struct load_preview *preview,
                        struct error *err);

#endif
