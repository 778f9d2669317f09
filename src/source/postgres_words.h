/*
 * Words of a PostgreSQL statement, read from its front: enough to tell what a line of a dump's DDL
 * is about (an index on which table, a foreign key between which) without a grammar.
 *
 *     struct words words = {statement};
 *     if (words_take(&words, "CREATE INDEX") && words_name(&words, NULL, &name) && ...
 */
#ifndef KEDGE_SOURCE_POSTGRES_WORDS_H
#define KEDGE_SOURCE_POSTGRES_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct words {
    const char *at;
};

/* Pass these keywords (in capitals, one blank between) in any case and spacing. False: they do not
 * come next, and nothing was passed. */
bool words_take(struct words *words, const char *keywords);

/* Pass "schema"."name", schema.name or name, as the server reads it. The schema is NULL when there
 * is none. Either pointer may be NULL; results are to be freed. */
bool words_name(struct words *words, char **ret_schema, char **ret_name);

/* Pass everything up to and with these keywords, strings and quoted names skipped. */
bool words_seek(struct words *words, const char *keywords);

/* Does it put what is made from here on into a tablespace other than the database's own? Its name,
 * to be freed. */
bool words_tablespace(const char *statement, char **ret_name);

/* What kind of statement of a dump's second part it is: what follows the data. */
enum post_kind {
    POST_NONE,    /* nothing that follows the data */
    POST_INDEX,   /* an index, or the constraint that makes one */
    POST_FOREIGN, /* a foreign key */
    POST_REFRESH, /* of a materialised view */
    POST_GRANT,   /* privileges */
    POST_OTHER,
};

/* `ret_name` and `ret_schema` (either may be NULL; to be freed): the table that an index, a key or
 * a refresh is about; NULL for other kinds. */
enum post_kind words_post_kind(const char *statement, char **ret_schema, char **ret_name);

#endif
