#include "catalog/schema.h"

#include "base/error.h"
#include "base/mem.h"
#include "catalog/dialect.h"
#include "catalog/embedded.h"
#include "catalog/state.h"
#include "db/db.h"
#include "migrate/migrator.h"

#include <string.h>

#define MIGRATIONS_MAXIMUM 64

/* Ours for this engine; those that the database knows are struck off. */
struct missing {
    struct catalog *catalog;
    const struct embedded_migration *items[MIGRATIONS_MAXIMUM];
    size_t count, left;
};

static void list_all(struct catalog *catalog, struct missing *missing)
{
    *missing = (struct missing){.catalog = catalog};
    for (size_t i = 0; i < embedded_migration_count && missing->count < MIGRATIONS_MAXIMUM; i++)
        if (strcmp(embedded_migrations[i].dialect, catalog->dialect->name) == 0)
            missing->items[missing->count++] = &embedded_migrations[i];
    missing->left = missing->count;
}

static int strike_off(void *context, const struct db_value *columns, size_t count,
                      struct error *err)
{
    struct missing *missing = context;
    const char *version = columns[0].type == DB_TEXT ? columns[0].text : "";
    (void)count;
    for (size_t i = 0; i < missing->count; i++) {
        if (!missing->items[i] || strcmp(missing->items[i]->version, version) != 0)
            continue;
        missing->items[i] = NULL;
        missing->left--;
        return 0;
    }
    error_set(err, ERROR_FAILED, "catalogue %s has schema %s, which this kedge (%s) does not know",
              missing->catalog->name, version, KEDGE_VERSION);
    return error_hint(err, "a newer kedge made it: use that one, or a newer one, here too");
}

/* What every start looks at: one query when all is well. */
static int find_missing(struct catalog *catalog, struct missing *missing, struct error *err)
{
    int64_t exists = 0;
    list_all(catalog, missing);
    if (db_query_integer(catalog->db, catalog->dialect->history_exists, NULL, 0, &exists, err) < 0)
        return -1;
    if (!exists)
        return 0;
    if (dialect_enter(catalog->dialect, catalog->db, err) < 0)
        return -1;
    return db_query(catalog->db, "SELECT version FROM schema_migrations WHERE status = 'applied'",
                    NULL, 0, strike_off, missing, err);
}

static int register_all(struct catalog *catalog, struct migrator *migrator, struct error *err)
{
    struct missing all;
    list_all(catalog, &all);
    for (size_t i = 0; i < all.count; i++) {
        const struct embedded_migration *ours = all.items[i];
        if (migrator_register_sql(migrator, ours->version, ours->name, ours->up, ours->down, err) <
            0)
            return -1;
    }
    return 0;
}

static int run_migrator(struct catalog *catalog, struct error *err)
{
    const struct migrator_options options = {0};
    struct migrator *migrator = NULL;
    if (migrator_open(catalog->db, &options, &migrator, err) < 0)
        return -1;
    int result = register_all(catalog, migrator, err);
    if (result == 0)
        result = migrator_up(migrator, NULL, NULL, err);
    migrator_close(migrator);
    return result;
}

int schema_update(struct catalog *catalog, struct error *err)
{
    struct missing missing;
    if (find_missing(catalog, &missing, err) < 0)
        return -1;
    if (missing.left == 0)
        return 0;
    if (dialect_create(catalog->dialect, catalog->db, err) < 0 ||
        dialect_enter(catalog->dialect, catalog->db, err) < 0 || run_migrator(catalog, err) < 0)
        return error_prefix(err, "catalogue %s", catalog->name);
    return 0;
}
