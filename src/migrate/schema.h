/*
 * A database's schema as a list of objects, each with a definition in one line: to be compared
 * before and after a migration was applied and undone.
 *
 * What people do not mean is left out: the order of columns, the state of sequences, who owns it,
 * and privileges that are those one has anyway.
 */
#ifndef KEDGE_MIGRATE_SCHEMA_H
#define KEDGE_MIGRATE_SCHEMA_H

#include "base/text.h"

struct db;
struct error;

/* "column public.users.email", "character varying(255) not null". Both are owned. */
struct schema_object {
    char *name;
    char *definition;
};

/* Ordered by name. */
struct schema {
    struct schema_object *items;
    size_t count;
    size_t capacity;
};

#define SCHEMA_INIT ((struct schema){0})

/* Everything but the table of that name and what hangs on it. `schema` is empty. */
int schema_read(struct db *db, const char *without, struct schema *schema, struct error *err);
void schema_clear(struct schema *schema);

/* How many objects differ. A line each is added to `lines`: "- " what only `before` has, "+ " what
 * only `after` has, both for what has another definition. */
size_t schema_compare(const struct schema *before, const struct schema *after,
                      struct text_list *lines);

static inline void scoped_schema_cleanup(struct schema *schema)
{
    schema_clear(schema);
}

#endif
