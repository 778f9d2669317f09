/*
 * Statements that reach out of the database they are run in: those that a trial in a scratch
 * database beside the real one must not run.
 */
#ifndef KEDGE_MIGRATE_REACH_H
#define KEDGE_MIGRATE_REACH_H

#include "db/url.h"
#include "migrate/migration.h"

struct error;
struct os;

/* 0, or -1 with ERROR_USAGE that names file and line: roles and databases of the whole server,
 * names of another database (MySQL), ATTACH (SQLite). On MySQL the server is asked for the names
 * of its databases. */
int reach_check(struct os *os, const struct db_url *url, const struct migration_set *set,
                struct error *err);

#endif
