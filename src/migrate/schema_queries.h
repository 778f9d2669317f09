/*
 * The questions of schema.c, for each engine: two columns, the object and its definition.
 */
#ifndef KEDGE_MIGRATE_SCHEMA_QUERIES_H
#define KEDGE_MIGRATE_SCHEMA_QUERIES_H

/* Ended by NULL. */
extern const char *const schema_queries_postgres[];
extern const char *const schema_queries_mysql[];
extern const char *const schema_queries_sqlite[];

#endif
