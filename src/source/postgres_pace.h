/*
 * What makes the server fill a database quicker, and changes nothing about what it holds in the
 * end: settings of the sessions that fill it, and what the planner is told about new tables.
 */
#ifndef KEDGE_SOURCE_POSTGRES_PACE_H
#define KEDGE_SOURCE_POSTGRES_PACE_H

#include <stdint.h>

struct error;
struct pq;

/* Settings of a session that fills. */
int postgres_pace_session(struct pq *pq, struct error *err);

/* Of one of `sessions` that build indexes side by side: sort in little memory. `largest_bytes`: of
 * the largest table's rows. */
int postgres_pace_sorting(struct pq *pq, uint64_t largest_bytes, int sessions, struct error *err);

/* KiB: the least with which so much is sorted in one pass of merging, in steps of two. */
uint64_t postgres_pace_sort_kb(uint64_t bytes);

/* The server knows nothing yet of a table that was just filled, and would plan a view's query
 * badly: let it look at the columns that views read. */
int postgres_pace_planner(struct pq *pq, const char *schema, const char *table, struct error *err);

#endif
