/*
 * What changed in a PostgreSQL catalogue since a snapshot was taken.
 *
 * A dump shows what its snapshot sees, and almost all of the catalogue is read with the snapshot.
 * But functions of the server that pg_dump calls (pg_get_indexdef, format_type, pg_get_expr, ...)
 * print names and some properties as they are now, and so do a few types when rows are read. So a
 * row of the catalogue that the snapshot sees must still be there, the same in what those functions
 * read, when the reading is over. What came after the snapshot is in no dump and changes no such
 * text: names are always qualified (the search path is empty). Grants, owners, comments, bodies of
 * functions and views, constraints, defaults, policies and sizes are read with the snapshot and may
 * change.
 *
 * Nothing is stored beforehand: the rows that the snapshot sees carry the number of the transaction
 * that changed or removed them. One that was changed twice has had a state that was never seen, and
 * counts as changed whatever it says now.
 */
#ifndef KEDGE_SOURCE_POSTGRES_CHANGE_H
#define KEDGE_SOURCE_POSTGRES_CHANGE_H

struct error;
struct pq;
struct postgres_tables;

enum change_scope {
    CHANGE_DEFINITIONS, /* what pg_dump prints */
    CHANGE_ROWS,        /* what rows are printed with, for tables that are locked */
};

/* `snapshot` is in the snapshot, `now` in a transaction that sees what is committed. 1 when
 * something changed, and *ret_what ("function f") is to be freed; 0 when nothing did; -1. What is
 * committed before the call is found. */
int postgres_change_find(struct pq *snapshot, struct pq *now, enum change_scope scope,
                         const struct postgres_tables *tables, char **ret_what, struct error *err);

#endif
