/*
 * Where a database is: postgres://, mysql://, mariadb://, sqlite: URLs, or a path to a SQLite file.
 *
 * Parts are percent-decoded. The password is wiped when the URL is cleared and never appears in
 * db_url_display.
 */
#ifndef KEDGE_DB_URL_H
#define KEDGE_DB_URL_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

struct error;

enum db_engine { DB_SQLITE, DB_POSTGRES, DB_MYSQL };

struct db_parameter {
    char *name;
    char *value;
};

/* Strings are owned; NULL where the URL has no such part. */
struct db_url {
    enum db_engine engine;
    char *host;   /* for a socket: the folder (PostgreSQL) */
    char *socket; /* MySQL's ?socket= */
    int port;     /* 0: the engine's default */
    char *user;
    char *password;
    char *database; /* name, or the file's path for SQLite */
    struct db_parameter
        *parameters; /* the rest of the query, in order, host/user/socket taken out */
    size_t parameter_count;
};

#define DB_URL_INIT ((struct db_url){0})

/* 0; or -1 with ERROR_USAGE. The error never holds the password. */
int db_url_parse(const char *text, struct db_url *ret_url, struct error *err);
int db_url_copy(const struct db_url *from, struct db_url *ret_url);
void db_url_clear(struct db_url *url);

/* Does this text look like a database URL (a scheme we know)? */
bool db_url_is(const char *text);

/* The parameter's value, or NULL. */
const char *db_url_parameter(const struct db_url *url, const char *name);

/* "postgres://user@host:5432/shop", to be freed: for people and manifests, no password. */
char *db_url_display(const struct db_url *url);

/* Do both lead to one database? Whoever logs in and how does not matter; every name of this machine
 * is the same. Two names of another one are two: nobody is asked. */
bool db_url_same(const struct db_url *a, const struct db_url *b);

/* Only the scheme, with stars for everything else, as the catalogue installation prints it. To be
 * freed. */
char *db_url_masked(const struct db_url *url);

const char *db_engine_name(enum db_engine engine); /* "sqlite", "postgres", "mysql" */

static inline void scoped_db_url_cleanup(struct db_url *url)
{
    db_url_clear(url);
}

#endif
