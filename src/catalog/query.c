#include "catalog/query.h"

#include "base/error.h"
#include "catalog/state.h"

#include <assert.h>

void query_init(struct query *query, struct catalog *catalog, const char *sql)
{
    query->catalog = catalog;
    query->sql = BUF_INIT;
    query->count = 0;
    buf_append_text(&query->sql, sql);
}

void query_clear(struct query *query)
{
    buf_clear(&query->sql);
}

void query_add(struct query *query, const char *sql)
{
    buf_append_text(&query->sql, sql);
}

static void add_value(struct query *query, struct db_value value)
{
    assert(query->count < QUERY_PARAMETERS);
    query->values[query->count++] = value;
}

void query_text(struct query *query, const char *text)
{
    add_value(query, db_text(text));
}

void query_integer(struct query *query, int64_t value)
{
    add_value(query, db_integer(value));
}

void query_count(struct query *query, int64_t value)
{
    add_value(query, value < 0 ? DB_VALUE_NULL : db_integer(value));
}

void query_time(struct query *query, int64_t moment_ns)
{
    if (moment_ns == 0) {
        add_value(query, DB_VALUE_NULL);
        return;
    }
    char *text = query->times[query->count];
    dialect_format_time(query->catalog->dialect, moment_ns, text);
    add_value(query, db_text(text));
}

int query_run(struct query *query, int64_t *ret_changes, struct error *err)
{
    return db_execute(query->catalog->db, query->sql.data, query->values, query->count, ret_changes,
                      err);
}

int query_rows(struct query *query, db_row_fn *row, void *context, struct error *err)
{
    return db_query(query->catalog->db, query->sql.data, query->values, query->count, row, context,
                    err);
}

int query_read_integer(struct query *query, int64_t *ret_value, struct error *err)
{
    return db_query_integer(query->catalog->db, query->sql.data, query->values, query->count,
                            ret_value, err);
}
