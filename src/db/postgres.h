/*
 * The PostgreSQL driver behind db.h, over db/pq.h.
 */
#ifndef KEDGE_DB_POSTGRES_H
#define KEDGE_DB_POSTGRES_H

#include "db/db.h"

/* The session is again the user who logged in, until the transaction ends; then the roles that
 * statements have set without LOCAL hold again. Both, in this order. */
#define POSTGRES_OWN_SESSION "SET LOCAL session_authorization TO DEFAULT"
#define POSTGRES_OWN_ROLE "SET LOCAL role TO DEFAULT"

int postgres_open(const struct db_url *url, const struct db_options *options, struct db **ret_db,
                  struct error *err);

#endif
