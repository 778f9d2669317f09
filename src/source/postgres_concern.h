/*
 * Which statements of a dump's definitions concern a table: enough to make that table alone.
 */
#ifndef KEDGE_SOURCE_POSTGRES_CONCERN_H
#define KEDGE_SOURCE_POSTGRES_CONCERN_H

#include "base/text.h"

#include <stdbool.h>

/* Is the statement about this table: its columns, keys, indexes, triggers, comments or grants? */
bool postgres_concerns_table(const char *statement, const char *schema, const char *table);

/* The sequence of "ALTER SEQUENCE s OWNED BY schema.table.column" of this table, as "schema.name",
 * to be freed; NULL when it is another statement. */
char *postgres_owned_sequence(const char *statement, const char *schema, const char *table);

/* Does it make, or belong to, one of these sequences ("schema.name")? */
bool postgres_concerns_sequence(const char *statement, const struct text_list *sequences);

#endif
