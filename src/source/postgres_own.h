/*
 * kedge's own tables inside a PostgreSQL database: the schema of a catalogue that was installed
 * there, and the views of it in `public`.
 *
 * They are no part of the application: no backup of the database holds them, and a restore that
 * replaces it carries them over (postgres_carry.h).
 */
#ifndef KEDGE_SOURCE_POSTGRES_OWN_H
#define KEDGE_SOURCE_POSTGRES_OWN_H

struct error;
struct pq;
struct text_list;

#define POSTGRES_OWN_SCHEMA "kedge"

/* A condition: a catalogue is here. A schema of somebody else's that is called the same has not
 * these tables. It is asked so that nobody needs rights on them. */
#define POSTGRES_OWN_PRESENT                                                                       \
    "(SELECT count(*) = 3 FROM pg_class o JOIN pg_namespace m ON m.oid = o.relnamespace "          \
    "WHERE m.nspname = '" POSTGRES_OWN_SCHEMA "' AND o.relkind = 'r' "                             \
    "AND o.relname IN ('schema_migrations', 'counters', 'restores'))"

/* Is a catalogue in this database? 1, 0, -1. */
int postgres_own_present(struct pq *pq, struct error *err);

/* The names of our views in `public`, added to `names`. One of such a name that is not ours is not
 * among them. */
int postgres_own_views(struct pq *pq, struct text_list *names, struct error *err);

/* Fails when something outside refers to what is ours: it could not be made without it. */
int postgres_own_unreferenced(struct pq *pq, struct error *err);

#endif
