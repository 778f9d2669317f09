#include "db/db.h"

#include "base/error.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

struct db_value db_text(const char *text)
{
    if (!text)
        return DB_VALUE_NULL;
    return (struct db_value){.type = DB_TEXT, .text = text, .size = strlen(text)};
}

void db_close(struct db *db)
{
    if (db)
        db->ops->close(db);
}

void db_leave(struct db *db)
{
    if (db && db->ops->leave)
        db->ops->leave(db);
    else
        db_close(db);
}

int db_execute(struct db *db, const char *sql, const struct db_value *parameters,
               size_t parameter_count, int64_t *ret_changes, struct error *err)
{
    return db->ops->execute(db, sql, strlen(sql), parameters, parameter_count, ret_changes, err);
}

int db_query(struct db *db, const char *sql, const struct db_value *parameters,
             size_t parameter_count, db_row_fn *row, void *context, struct error *err)
{
    return db->ops->query(db, sql, strlen(sql), parameters, parameter_count, row, context, err);
}

int db_query_whole(struct db *db, const char *sql, const struct db_value *parameters,
                   size_t parameter_count, db_row_fn *row, void *context, struct error *err)
{
    if (!db->ops->query_whole)
        return db_query(db, sql, parameters, parameter_count, row, context, err);
    return db->ops->query_whole(db, sql, strlen(sql), parameters, parameter_count, row, context,
                                err);
}

/* ---- one value ---- */

static char *value_as_text(const struct db_value *value)
{
    switch (value->type) {
    case DB_TEXT:
    case DB_BLOB:
        return mem_string_n(value->size ? value->text : "", value->size);
    case DB_INTEGER:
        return mem_format("%lld", (long long)value->integer);
    case DB_REAL:
        return mem_format("%.17g", value->real);
    case DB_NULL:
        break;
    }
    return NULL;
}

static int take_text(void *context, const struct db_value *columns, size_t count, struct error *err)
{
    (void)err;
    char **ret_text = context;
    *ret_text = count ? value_as_text(&columns[0]) : NULL;
    return 1;
}

int db_query_text(struct db *db, const char *sql, const struct db_value *parameters,
                  size_t parameter_count, char **ret_text, struct error *err)
{
    return db_query(db, sql, parameters, parameter_count, take_text, ret_text, err);
}

static int take_integer(void *context, const struct db_value *columns, size_t count,
                        struct error *err)
{
    int64_t *ret_value = context;
    if (count && columns[0].type == DB_INTEGER) {
        *ret_value = columns[0].integer;
        return 1;
    }
    /* Servers send some numbers (SUM, NUMERIC) as text. */
    if (count && columns[0].type == DB_TEXT &&
        text_parse_int(columns[0].text, INT64_MIN, INT64_MAX, ret_value, err) == 0)
        return 1;
    return error_set(err, ERROR_FAILED, "the database answered something that is not a number");
}

int db_query_integer(struct db *db, const char *sql, const struct db_value *parameters,
                     size_t parameter_count, int64_t *ret_value, struct error *err)
{
    return db_query(db, sql, parameters, parameter_count, take_integer, ret_value, err);
}

static int add_text(void *context, const struct db_value *columns, size_t count, struct error *err)
{
    (void)count;
    (void)err;
    char *text = value_as_text(&columns[0]);
    if (text)
        text_list_give(context, text);
    return 0;
}

int db_query_list(struct db *db, const char *sql, const struct db_value *parameters,
                  size_t parameter_count, struct text_list *list, struct error *err)
{
    return db_query(db, sql, parameters, parameter_count, add_text, list, err);
}

/* ---- transactions ---- */

int db_begin(struct db *db, bool for_writing, struct error *err)
{
    return db->ops->begin(db, for_writing, err);
}

int db_commit(struct db *db, struct error *err)
{
    return db->ops->commit(db, err);
}

int db_rollback(struct db *db, struct error *err)
{
    return db->ops->in_transaction(db) ? db->ops->rollback(db, err) : 0;
}

int db_reset(struct db *db, struct error *err)
{
    return db->ops->reset ? db->ops->reset(db, err) : 0;
}

int db_own_role(struct db *db, struct error *err)
{
    return db->ops->own_role ? db->ops->own_role(db, err) : 0;
}

int db_series_begin(struct db *db, struct error *err)
{
    return db->ops->series ? db->ops->series(db, true, err) : 0;
}

void db_series_end(struct db *db)
{
    struct error ignored = ERROR_INIT;
    struct db_fault fault = db->fault;
    if (db->ops->series && !db->ops->in_transaction(db))
        db->ops->series(db, false, &ignored);
    db->fault = fault;
}

void db_cancel(struct db *db)
{
    db->ops->cancel(db);
}
