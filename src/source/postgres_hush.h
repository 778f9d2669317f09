/*
 * Event triggers are for those who change definitions. A restore of tables moves its own ones about
 * in the live database, and neither wants to be kept from it nor to be told of.
 */
#ifndef KEDGE_SOURCE_POSTGRES_HUSH_H
#define KEDGE_SOURCE_POSTGRES_HUSH_H

struct error;
struct pq;
struct pq_result;

/* In this transaction none fires from here on; those of others do. *ret_again, to be freed, is for
 * postgres_unhush. Whoever is no superuser may not silence them, and does not. */
int postgres_hush(struct pq *pq, struct pq_result **ret_again, struct error *err);

/* Before the COMMIT: each as it was. `again` NULL does nothing. */
int postgres_unhush(struct pq *pq, const struct pq_result *again, struct error *err);

#endif
