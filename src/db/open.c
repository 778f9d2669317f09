/*
 * Which driver a database URL belongs to. A new engine is one folder or file and one row here.
 */
#include "base/error.h"
#include "base/mem.h"
#include "db/db.h"
#include "db/mysql.h"
#include "db/postgres.h"
#include "db/sqlite.h"

static const struct driver {
    enum db_engine engine;
    int (*open)(const struct db_url *url, const struct db_options *options, struct db **ret_db,
                struct error *err);
} drivers[] = {
    {DB_SQLITE, sqlite_open},
    {DB_POSTGRES, postgres_open},
    {DB_MYSQL, mysql_driver_open},
};

int db_open(const struct db_url *url, const struct db_options *options, struct db **ret_db,
            struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
        if (drivers[i].engine == url->engine)
            return drivers[i].open(url, options, ret_db, err);
    return error_set(err, ERROR_USAGE, "this kedge has no driver for %s",
                     db_engine_name(url->engine));
}
