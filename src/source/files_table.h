/*
 * Members by their path, where an extraction has to remember some of them: bounded, and empty in
 * the ordinary case.
 */
#ifndef KEDGE_SOURCE_FILES_TABLE_H
#define KEDGE_SOURCE_FILES_TABLE_H

#include <stddef.h>

struct error;
struct files_table;

struct files_place {
    size_t side;
    const char *place; /* in the side folder; owned by the table */
};

struct files_table *files_table_new(void);
void files_table_free(struct files_table *table); /* NULL is fine */

size_t files_table_count(const struct files_table *table);

/* 1 when `path` is new, 0 when it was there already and stays as it is, -1 when the table would
 * become too large. Path and place are copied. */
int files_table_add(struct files_table *table, const char *path, size_t side, const char *place,
                    struct error *err);

/* NULL when it is not there. */
const struct files_place *files_table_find(const struct files_table *table, const char *path);

#endif
