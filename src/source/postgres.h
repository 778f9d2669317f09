/*
 * PostgreSQL as a source: docs/postgres.md says what is read and how a restore goes.
 */
#ifndef KEDGE_SOURCE_POSTGRES_H
#define KEDGE_SOURCE_POSTGRES_H

struct source_ops;

extern const struct source_ops source_postgres;

#endif
