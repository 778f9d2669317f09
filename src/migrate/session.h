/*
 * What a migration leaves behind in its session: settings, a role, another default schema or
 * database, temporary tables, table locks.
 *
 * A file sees the session as it was opened, whichever files ran before it in the same process; and
 * the history is read and written by who opened it, whatever a file has set.
 */
#ifndef KEDGE_MIGRATE_SESSION_H
#define KEDGE_MIGRATE_SESSION_H

#include "migrate/migration.h"

#include <stdbool.h>

struct db;
struct error;

/* May this way of the migration change the session? Statements that define or change what is in
 * the database do not. */
bool session_touched(enum db_engine engine, const struct migration *migration,
                     enum direction direction);

/* Does the statement do nothing but set up the session for those after it? A run that goes on in
 * the middle of a file begins with these. */
bool session_sets(enum db_engine engine, const struct migration_statement *statement);

/* Is our table out of reach until the file lets go: by its own LOCK TABLES, or an XA transaction
 * that it has ended but not committed? Asked of the last statement that failed. */
bool session_out_of_reach(const struct db *db);

#endif
