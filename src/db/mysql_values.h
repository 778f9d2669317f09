/*
 * The values of a statement's parameters as literals in its text, for MySQL and MariaDB: prepared
 * statements cost a round trip more and do not know every statement.
 */
#ifndef KEDGE_DB_MYSQL_VALUES_H
#define KEDGE_DB_MYSQL_VALUES_H

#include "db/db.h"

#include <stddef.h>

struct buf;
struct error;

/* Escapes `text` for between two single quotes, as the connection's character set and sql_mode want
 * it, into `to`, which has room for twice its size and a NUL. Returns how many bytes that were. */
typedef size_t mysql_escape_fn(void *context, char *to, const char *text, size_t size);

struct mysql_values {
    const struct db_value *items;
    size_t count;
    mysql_escape_fn *escape;
    void *context;
};

/* Append the statement with a value for each `?` outside of quotes. ERROR_FAILED when there are not
 * as many of these as values. */
int mysql_put_values(const struct mysql_values *values, const char *sql, size_t size,
                     struct buf *out, struct error *err);

#endif
