/*
 * Is the catalogue's structure what it should be? For `kedge catalog check` and the installation.
 */
#ifndef KEDGE_CATALOG_CHECK_H
#define KEDGE_CATALOG_CHECK_H

#include <stddef.h>

struct catalog;
struct error;
struct text_list;

/* Every table, column and view must be there, and the content sound where the engine lets us look.
 * `problems` gets a sentence for each that is not; *ret_tables is how many tables and views were
 * looked at. -1 only when it could not be looked at. */
int catalog_check(struct catalog *catalog, struct text_list *problems, size_t *ret_tables,
                  struct error *err);

/* What is what: a sentence for each name of catalog_views. */
int catalog_describe(struct catalog *catalog, struct text_list *remarks, struct error *err);

/* Every table and column is there, or -1 with "Required column X is missing from Y table". */
int catalog_check_columns(struct catalog *catalog, struct error *err);

#endif
