/*
 * Names of tables, columns and the like: as a statement writes them ("Store"."goods", `goods`), and
 * as the server knows them.
 */
#ifndef KEDGE_MIGRATE_SQL_NAME_H
#define KEDGE_MIGRATE_SQL_NAME_H

#include "db/url.h"

#include <stdbool.h>

struct token;

/* A name as the server knows it: without quotes, folded where the server folds, "schema.name" when
 * it was written so and the schema is not the usual one. Cut when very long. */
struct sql_name {
    char text[192];
};

bool sql_name_is(const struct sql_name *a, const struct sql_name *b);

/* Append a part ("." goes between two), or drop the schema that names mean anyway. */
void sql_name_add(struct sql_name *name, enum db_engine engine, const struct token *part);
void sql_name_drop_usual_schema(struct sql_name *name, enum db_engine engine);

/* The last part of a written name, without its quotes; what had none is in lower case. To be
 * freed. */
char *name_plain(enum db_engine engine, const char *written);
/* Do two written names, with or without their schema, mean one thing? */
bool name_same(enum db_engine engine, const char *a, const char *b);

#endif
