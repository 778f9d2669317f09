/*
 * The PostgreSQL driver behind db.h, over db/pq.h.
 */
#ifndef KEDGE_DB_POSTGRES_H
#define KEDGE_DB_POSTGRES_H

#include "db/db.h"

int postgres_open(const struct db_url *url, const struct db_options *options, struct db **ret_db,
                  struct error *err);

#endif
