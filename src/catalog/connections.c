#include "catalog/connections.h"

#include "base/error.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "catalog/named.h"
#include "catalog/query.h"
#include "catalog/row.h"
#include "db/url.h"

#include <stdlib.h>
#include <string.h>

#define FIELD(name) offsetof(struct connection_row, name)
static const struct column items[] = {
    {"id", COLUMN_ID, FIELD(id), COLUMN_ONCE},
    {"name", COLUMN_TEXT, FIELD(name), COLUMN_ONCE},
    {"app_id", COLUMN_ID, FIELD(app_id), 0},
    {"engine", COLUMN_TEXT, FIELD(engine), 0},
    {"host", COLUMN_TEXT, FIELD(host), 0},
    {"port", COLUMN_INTEGER, FIELD(port), 0},
    {"database_name", COLUMN_TEXT, FIELD(database_name), 0},
    {"username", COLUMN_TEXT, FIELD(username), 0},
    {"ssl_mode", COLUMN_TEXT, FIELD(ssl_mode), 0},
    {"ssl_cert", COLUMN_TEXT, FIELD(ssl_cert), 0},
    {"ssl_key", COLUMN_TEXT, FIELD(ssl_key), 0},
    {"ssl_ca", COLUMN_TEXT, FIELD(ssl_ca), 0},
    {"connection_params", COLUMN_JSON, FIELD(connection_params), COLUMN_ONCE},
    {"is_active", COLUMN_BOOL, FIELD(is_active), 0},
    {"last_tested_at", COLUMN_TIME, FIELD(last_tested_ns), COLUMN_ONCE},
    {"test_result", COLUMN_TEXT, FIELD(test_result), COLUMN_ONCE},
    {"created_at", COLUMN_TIME, FIELD(created_ns), COLUMN_ONCE},
    {"updated_at", COLUMN_TIME, FIELD(updated_ns), COLUMN_STAMP},
};
#undef FIELD

static const struct columns columns = {"database_connections", items, ARRAY_SIZE(items)};

void connection_row_clear(struct connection_row *row)
{
    free(row->memory);
    *row = (struct connection_row){.port = -1};
}

int connections_upsert(struct catalog *catalog, const char *name, const char *app_id,
                       const struct db_url *url, char ret_id[static 27], struct error *err)
{
    int64_t now_ns = catalog_now(catalog);
    struct connection_row row = {
        .name = name,
        .engine = db_engine_name(url->engine),
        .host = url->socket ? url->socket : url->host,
        .port = url->port ? url->port : -1,
        .database_name = url->database,
        .username = url->user,
        .ssl_mode = db_url_parameter(url, "sslmode"),
        .ssl_cert = db_url_parameter(url, "sslcert"),
        .ssl_key = db_url_parameter(url, "sslkey"),
        .ssl_ca = db_url_parameter(url, "sslrootcert"),
        .is_active = true,
        .created_ns = now_ns,
        .updated_ns = now_ns,
    };
    struct connection_row scratch = {0};
    if (app_id)
        memcpy(row.app_id, app_id, sizeof row.app_id);
    if (named_upsert(catalog, &columns, &row, &scratch, err) < 0)
        return error_prefix(err, "connection %s", name);
    memcpy(ret_id, row.id, sizeof row.id);
    return 0;
}

int connections_get(struct catalog *catalog, const char *name, struct connection_row *ret_row,
                    struct error *err)
{
    struct connection_row row = {.port = -1};
    int found = named_get(catalog, &columns, name, &row, &row.memory, err);
    if (found == 1)
        *ret_row = row;
    return found;
}

int connections_set_tested(struct catalog *catalog, const char *name, const char *result,
                           struct error *err)
{
    SCOPED(query) struct query query;
    query_init(&query, catalog, "UPDATE database_connections SET last_tested_at = ?");
    query_time(&query, catalog_now(catalog));
    query_add(&query, ", test_result = ? WHERE name = ?");
    query_text(&query, result);
    query_text(&query, name);
    return query_run(&query, NULL, err);
}
