/*
 * One statement with its parameters, put together from left to right, for the files of this folder.
 *
 *     SCOPED(query) struct query query;
 *     query_init(&query, catalog, "UPDATE backups SET heartbeat_at = ?");
 *     query_time(&query, now_ns);
 *     query_add(&query, " WHERE id = ?");
 *     query_text(&query, id);
 *     return query_run(&query, NULL, err);
 */
#ifndef KEDGE_CATALOG_QUERY_H
#define KEDGE_CATALOG_QUERY_H

#include "base/buf.h"
#include "catalog/dialect.h"
#include "db/db.h"

#define QUERY_PARAMETERS 64

struct catalog;
struct text_list;

struct query {
    struct catalog *catalog;
    struct buf sql;
    size_t count;
    struct db_value values[QUERY_PARAMETERS];
    char times[QUERY_PARAMETERS][DIALECT_TIME_SIZE]; /* what values[i].text is for a time */
};

void query_init(struct query *query, struct catalog *catalog, const char *sql);
void query_clear(struct query *query);

/* More of the statement's text. */
void query_add(struct query *query, const char *sql);

/* A condition with one `?` and its parameter; nothing when `text` is NULL. */
void query_add_equal(struct query *query, const char *condition, const char *text);

/* The next parameter. Texts are borrowed until the statement has run. */
void query_text(struct query *query, const char *text); /* NULL is NULL */
void query_integer(struct query *query, int64_t value);
void query_count(struct query *query, int64_t value);    /* a negative one is NULL */
void query_time(struct query *query, int64_t moment_ns); /* 0 is NULL */

/* Run it; *ret_changes (may be NULL) is the number of rows changed. */
int query_run(struct query *query, int64_t *ret_changes, struct error *err);

/* As db_query; `row` may use the catalogue. */
int query_rows(struct query *query, db_row_fn *row, void *context, struct error *err);

/* The texts in the first column of all rows are added to `list`. */
int query_read_list(struct query *query, struct text_list *list, struct error *err);

/* As db_query_integer, of one row at most. */
int query_read_integer(struct query *query, int64_t *ret_value, struct error *err);

static inline void scoped_query_cleanup(struct query *query)
{
    query_clear(query);
}

#endif
