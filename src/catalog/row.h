/*
 * Rows of the catalogue as plain structs: a table of columns says which field is which.
 *
 * A row struct holds texts as `const char *`. While a list is being read they point into the
 * database's own row and live until the callback returns; row_own makes them the struct's, all in
 * one block of memory. What NULL is, by kind: NULL for texts, "" for ids, -1 for integers, 0 for
 * times.
 */
#ifndef KEDGE_CATALOG_ROW_H
#define KEDGE_CATALOG_ROW_H

#include <stdbool.h>
#include <stddef.h>

struct catalog;
struct db_value;
struct error;
struct query;

enum column_kind {
    COLUMN_ID,      /* char[27] */
    COLUMN_TEXT,    /* const char * */
    COLUMN_JSON,    /* const char * */
    COLUMN_INTEGER, /* int64_t */
    COLUMN_TIME,    /* int64_t, nanoseconds since 1970 */
    COLUMN_BOOL,    /* bool */
};

enum column_flag {
    COLUMN_ONCE = 1 << 0,   /* set when the row is made, not changed afterwards */
    COLUMN_STAMP = 1 << 1,  /* says when the row changed: no difference by itself */
    COLUMN_RESULT = 1 << 2, /* known when the work is done */
};

struct column {
    const char *name; /* as it stands in a statement */
    enum column_kind kind;
    size_t offset;
    unsigned flags;
};

struct columns {
    const char *table;
    const struct column *items;
    size_t count;
};

/* Begin `query` with "SELECT a, b, c FROM table": the first `count` columns. */
void row_select(const struct columns *columns, size_t count, struct catalog *catalog,
                struct query *query);

/* Fill `row` from a result of row_select. Texts are borrowed. ERROR_CORRUPT names the column. */
int row_read(const struct columns *columns, const struct db_value *values, size_t count, void *row,
             struct error *err);

/* Move the texts of `row` into one new block; *ret_memory is to be freed when the row goes. */
void row_own(const struct columns *columns, void *row, void **ret_memory);

/* Add a parameter with the value of that field of `row`. */
void row_parameter(const struct column *column, const void *row, struct query *query);

/* Do two rows say the same, COLUMN_ONCE and COLUMN_STAMP left aside? */
bool row_equal(const struct columns *columns, const void *a, const void *b);

/* INSERT the whole row. */
int row_insert(struct catalog *catalog, const struct columns *columns, const void *row,
               struct error *err);

#endif
