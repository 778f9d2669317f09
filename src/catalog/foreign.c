#include "catalog/foreign.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/ulid.h"
#include "catalog/apps.h"
#include "catalog/backup_number.h"
#include "catalog/backups.h"
#include "catalog/catalog.h"
#include "catalog/outside.h"
#include "catalog/destinations.h"
#include "catalog/dialect.h"
#include "catalog/query.h"
#include "catalog/row.h"
#include "catalog/state.h"

#include <string.h>

struct foreign {
    struct catalog *catalog;
    char app_id[27];
    char destination_id[27];
};

static const char *text_of(const struct db_value *value)
{
    return value->type == DB_TEXT && value->size ? value->text : NULL;
}

static int64_t integer_of(const struct db_value *value)
{
    int64_t integer = -1;
    if (value->type == DB_INTEGER)
        return value->integer;
    if (value->type == DB_TEXT)
        text_parse_int(value->text, 0, INT64_MAX, &integer, NULL);
    return integer;
}

static int64_t time_of(const struct db_value *value)
{
    int64_t moment_ns = 0;
    if (value->type == DB_TEXT)
        dialect_parse_time(value->text, value->size, &moment_ns);
    return moment_ns;
}

/* One of `known`, or the first of them. */
static const char *choose(const char *text, const char *const *known)
{
    for (size_t i = 0; text && known[i]; i++)
        if (strcmp(text, known[i]) == 0)
            return known[i];
    return known[0];
}

static int take_row(void *context, const struct db_value *columns, size_t count, struct error *err)
{
    static const char *const types[] = {"full",        "database",      "files",
                                        "incremental", "configuration", NULL};
    struct foreign *foreign = context;
    struct backup_row row = BACKUP_ROW_INIT;
    struct ulid id;
    (void)count;
    if (ulid_make(foreign->catalog->os, &id, err) < 0 ||
        backup_number_choose(foreign->catalog, integer_of(&columns[0]), &row.number, err) < 0)
        return -1;
    memcpy(row.id, id.text, sizeof row.id);
    memcpy(row.app_id, foreign->app_id, sizeof row.app_id);
    memcpy(row.destination_id, foreign->destination_id, sizeof row.destination_id);
    row.target = "database_backups";
    row.name = text_of(&columns[1]);
    row.file_path = text_of(&columns[2]);
    row.size_bytes = integer_of(&columns[3]);
    row.type = choose(text_of(&columns[4]), types);
    row.status = text_equal(text_of(&columns[5]), "completed") ? "success" : "failed";
    row.initiated_by = text_of(&columns[6]);
    row.metadata = text_of(&columns[7]);
    row.created_ns = time_of(&columns[8]);
    row.finished_ns = time_of(&columns[9]);
    if (row.created_ns == 0)
        row.created_ns = catalog_now(foreign->catalog);
    row.notes = "taken over from the table database_backups";
    return row_insert(foreign->catalog, &backup_columns, &row, err);
}

static int take_all(struct foreign *foreign, struct error *err)
{
    struct catalog *catalog = foreign->catalog;
    struct destination_row destination = {
        .name = "database_backups", .kind = "s3", .url = "s3://", .is_active = false};
    if (apps_upsert(catalog, "database_backups", foreign->app_id, err) < 0 ||
        destinations_upsert(catalog, &destination, err) < 0)
        return -1;
    memcpy(foreign->destination_id, destination.id, sizeof foreign->destination_id);
    SCOPED(query) struct query query;
    query_init(&query, catalog,
               "SELECT id, filename, s3_key, file_size, backup_type, status, created_by, metadata, "
               "created_at, completed_at FROM ");
    query_add(&query, catalog->dialect->outside_table);
    query_add(&query, " ORDER BY id");
    return query_rows(&query, take_row, foreign, err);
}

int foreign_take_over(struct db *db, void *context, struct error *err)
{
    struct foreign foreign = {.catalog = context};
    (void)db;
    if (!foreign.catalog->dialect->outside_table)
        return 0;
    int kind = catalog_outside(foreign.catalog, catalog_views[0], err);
    if (kind != OUTSIDE_TABLE)
        return kind < 0 ? -1 : 0;
    if (catalog_check_foreign(foreign.catalog, err) < 0 || take_all(&foreign, err) < 0)
        return error_prefix(err, "take over the table database_backups");
    return 0;
}
