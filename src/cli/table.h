/*
 * A table for people, or the same rows as JSON, one object a line.
 *
 * Columns are as wide as their widest cell, by what a terminal shows of it. On a terminal the
 * widest text column gives way until the table fits.
 */
#ifndef KEDGE_CLI_TABLE_H
#define KEDGE_CLI_TABLE_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli;
struct table;

enum column_type {
    COLUMN_OF_TEXT,
    COLUMN_OF_NUMBER,
    COLUMN_OF_BYTES,    /* 24.5 MB for people, the number in JSON */
    COLUMN_OF_MOMENT,   /* local time for people, ISO 8601 in JSON */
    COLUMN_OF_DURATION, /* milliseconds; "2.5s" for people */
    COLUMN_OF_AGE,      /* seconds; "3d" for people */
    COLUMN_OF_YES,      /* true or false; "yes" or nothing */
};

struct column_row {
    const char *key;   /* in JSON */
    const char *title; /* NULL: JSON only */
    enum column_type type;
};

/* `columns` is ended by a NULL key and borrowed. */
struct table *table_new(const struct column_row *columns);
void table_free(struct table *table);

/* The next cell of the current row; after the last column a new row begins. Text is copied; NULL
 * is an empty cell. Numbers: `none` in place of a value leaves the cell empty. */
#define TABLE_NONE INT64_MIN
void table_text(struct table *table, const char *text);
void table_number(struct table *table, int64_t number);

size_t table_rows(const struct table *table);

/* To stdout. `width`: columns of the terminal, 0 for no limit. */
void table_print(const struct table *table, size_t width);
void table_print_json(const struct table *table);

/* As JSON or for the terminal, as --json says; `nothing` is noted for people when it has no rows.
 */
void table_show(const struct table *table, const struct cli *cli, const char *nothing);

DEFINE_SCOPED(table, struct table *, table_free);

#endif
