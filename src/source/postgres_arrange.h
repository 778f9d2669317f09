/*
 * What of an artifact is which task of filling a PostgreSQL database: its frames with rows and
 * large objects, and the statements that follow them, put into a plan (postgres_plan.h).
 */
#ifndef KEDGE_SOURCE_POSTGRES_ARRANGE_H
#define KEDGE_SOURCE_POSTGRES_ARRANGE_H

struct error;
struct laters;
struct plan;
struct pq;
struct segment_source;

/* `pq` is in the database, whose definitions are made: it is asked what materialised views read.
 * Statements that become tasks of their own are marked as taken. The plan is then ready. */
int postgres_arrange(struct pq *pq, struct segment_source *segments, struct laters *later,
                     struct plan *plan, struct error *err);

#endif
