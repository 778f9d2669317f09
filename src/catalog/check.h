/*
 * Is the catalogue's schema what this kedge expects, and is what it holds whole?
 */
#ifndef KEDGE_CATALOG_CHECK_H
#define KEDGE_CATALOG_CHECK_H

#include <stddef.h>

struct catalog;
struct error;
struct text_list;

/* Every table and view of a fresh catalogue must be there with at least its columns; the file
 * itself must be sound. `problems` gets a sentence for each that is not; *ret_tables is how many
 * tables and views were looked at. -1 only when it could not be looked at. SQLite only. */
int catalog_check(struct catalog *catalog, struct text_list *problems, size_t *ret_tables,
                  struct error *err);

#endif
