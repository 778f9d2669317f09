/*
 * What belongs to a PostgreSQL database but not to its schema: owner, grants, settings, comment and
 * connection limit of the database itself, the roles it speaks of, and what a server must have to
 * take it.
 */
#ifndef KEDGE_SOURCE_POSTGRES_PROPERTIES_H
#define KEDGE_SOURCE_POSTGRES_PROPERTIES_H

struct buf;
struct dump_options;
struct error;
struct postgres_tables;
struct pq;
struct text_list;

/* Every statement of the properties script begins so. */
#define POSTGRES_PROPERTY_MARK "DO '/* database properties */"

/* Statements that give the database they are run in the properties of the one that `pq` is in,
 * whatever its name. */
int postgres_properties_script(struct pq *pq, struct buf *script, struct error *err);

/* Statements that make roles (where they are missing), their settings (where they have none),
 * memberships and tablespaces. */
int postgres_roles_script(struct pq *pq, struct buf *script, struct error *err);

/* The position in the server's log, to be freed. */
int postgres_position(struct pq *pq, char **ret_position, struct error *err);

/* JSON for the manifest: encoding and locale, roles and extensions that are needed, `tablespaces`
 * that definitions name, and what was left out. To be freed. */
int postgres_metadata(struct pq *pq, const struct dump_options *options,
                      const struct postgres_tables *tables, const struct text_list *tablespaces,
                      char **ret_json, struct error *err);

#endif
