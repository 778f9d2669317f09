#include "catalog/query.h"

#include "base/error.h"
#include "catalog/state.h"

#include <assert.h>
#include <stdlib.h>

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

/* ---- parameters ---- */

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

void query_add_equal(struct query *query, const char *condition, const char *text)
{
    if (!text)
        return;
    query_add(query, condition);
    query_text(query, text);
}

int query_run(struct query *query, int64_t *ret_changes, struct error *err)
{
    return db_execute(query->catalog->db, query->sql.data, query->values, query->count, ret_changes,
                      err);
}

/* ---- rows ---- */

/* A connection to a server is busy until its answer has been read to the end, and who visits a row
 * may want to ask something else: the rows are read first and visited afterwards. */
struct kept_rows {
    struct db_value *values; /* text is an offset into `texts` while those grow */
    size_t count, capacity;
    size_t columns;
    struct buf texts;
};

static int keep_row(void *context, const struct db_value *columns, size_t count, struct error *err)
{
    struct kept_rows *rows = context;
    (void)err;
    rows->columns = count;
    for (size_t i = 0; i < count; i++) {
        struct db_value value = columns[i];
        if (value.type == DB_TEXT || value.type == DB_BLOB) {
            value.integer = (int64_t)rows->texts.length;
            buf_append(&rows->texts, value.text, value.size);
            buf_append_char(&rows->texts, '\0');
        }
        ARRAY_GROW(rows->values, rows->count, rows->capacity);
        rows->values[rows->count++] = value;
    }
    return 0;
}

static int visit_kept(struct kept_rows *rows, db_row_fn *row, void *context, struct error *err)
{
    int answer = 0;
    for (size_t i = 0; i < rows->count; i++)
        if (rows->values[i].type == DB_TEXT || rows->values[i].type == DB_BLOB)
            rows->values[i].text = rows->texts.data + rows->values[i].integer;
    for (size_t i = 0; answer == 0 && i < rows->count; i += rows->columns)
        answer = row(context, rows->values + i, rows->columns, err);
    return answer;
}

int query_rows(struct query *query, db_row_fn *row, void *context, struct error *err)
{
    struct db *db = query->catalog->db;
    if (query->catalog->dialect->nests)
        return db_query(db, query->sql.data, query->values, query->count, row, context, err);
    struct kept_rows rows = {.texts = BUF_INIT};
    int result = db_query(db, query->sql.data, query->values, query->count, keep_row, &rows, err);
    if (result == 0)
        result = visit_kept(&rows, row, context, err);
    buf_clear(&rows.texts);
    free(rows.values);
    return result;
}

int query_read_list(struct query *query, struct text_list *list, struct error *err)
{
    return db_query_list(query->catalog->db, query->sql.data, query->values, query->count, list,
                         err);
}

int query_read_integer(struct query *query, int64_t *ret_value, struct error *err)
{
    return db_query_integer(query->catalog->db, query->sql.data, query->values, query->count,
                            ret_value, err);
}
