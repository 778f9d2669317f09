/*
 * What the migrations so far have made, as far as judging the next one needs it: tables, the types
 * of their columns, constraints that prove NOT NULL, indexes.
 *
 * There is no database to ask, so what an older dump or hand made is not in it: "not known" is
 * always a possible answer.
 */
#ifndef KEDGE_MIGRATE_LINT_SCHEMA_H
#define KEDGE_MIGRATE_LINT_SCHEMA_H

#include "migrate/outline.h"

struct lint_column {
    struct sql_name name;
    char type[256];
    unsigned flags; /* enum column_flag */
};

struct lint_check {
    struct sql_name name;
    struct sql_name column; /* CHECK (column IS NOT NULL); "" for any other */
    bool validated;
};

struct lint_table {
    struct sql_name name;
    size_t born; /* in which migration, counted */
    struct lint_column *columns;
    size_t column_count, column_capacity;
    struct lint_check *checks;
    size_t check_count, check_capacity;
};

struct lint_index {
    struct sql_name name;
    struct sql_name table;
    size_t born;
};

struct lint_schema {
    struct lint_table *tables;
    size_t table_count, table_capacity;
    struct lint_index *indexes;
    size_t index_count, index_capacity;
    size_t now; /* the migration that is being read */
};

#define LINT_SCHEMA_INIT ((struct lint_schema){0})

/* The next migration begins: nothing is new in it yet. */
void lint_schema_next(struct lint_schema *schema);
void lint_schema_apply(struct lint_schema *schema, const struct outline *outline);
void lint_schema_clear(struct lint_schema *schema);

/* NULL when not known. */
struct lint_table *lint_schema_table(const struct lint_schema *schema, const struct sql_name *name);
const struct lint_index *lint_schema_index(const struct lint_schema *schema,
                                           const struct sql_name *name);
struct lint_column *lint_table_column(const struct lint_table *table, const struct sql_name *name);

/* Was the table made by the migration that is being read, so that nobody uses it yet? */
bool lint_schema_is_new(const struct lint_schema *schema, const struct sql_name *table);

/* Does a constraint that was validated already say that the column holds no NULL? */
bool lint_table_proves_not_null(const struct lint_table *table, const struct sql_name *column);

#endif
