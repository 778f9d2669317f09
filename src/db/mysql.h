/*
 * The MySQL and MariaDB driver behind db.h: libmariadb, loaded on first use.
 *
 * Waiting for an answer looks at the stop flag and at the deadline of the statement; then the
 * statement is killed from a second connection.
 */
#ifndef KEDGE_DB_MYSQL_H
#define KEDGE_DB_MYSQL_H

#include "db/db.h"

int mysql_driver_open(const struct db_url *url, const struct db_options *options,
                      struct db **ret_db, struct error *err);

#endif
