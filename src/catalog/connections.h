/*
 * Database connections: the databases that targets are, as the configuration names them. Passwords
 * from there are never stored.
 */
#ifndef KEDGE_CATALOG_CONNECTIONS_H
#define KEDGE_CATALOG_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct catalog;
struct db_url;
struct error;

/* Begin with {.port = -1} and set what is known. */
struct connection_row {
    char id[27];
    const char *name; /* the target's */
    char app_id[27];
    const char *engine; /* "postgres", "mysql", "sqlite" */
    const char *host;
    int64_t port;
    const char *database_name; /* or the file's path */
    const char *username;
    const char *ssl_mode;
    const char *ssl_cert, *ssl_key, *ssl_ca;
    const char *connection_params; /* JSON object */
    bool is_active;
    int64_t last_tested_ns;
    const char *test_result;
    int64_t created_ns, updated_ns;
    void *memory; /* private: what the texts live in */
};

void connection_row_clear(struct connection_row *row);

/* The row of the target `name`, from its URL; the password and unknown parameters stay out of it.
 * Nothing is written when it is so already. */
int connections_upsert(struct catalog *catalog, const char *name, const char *app_id,
                       const struct db_url *url, char ret_id[static 27], struct error *err);

/* 1 and the row (clear it), 0 when there is none. */
int connections_get(struct catalog *catalog, const char *name, struct connection_row *ret_row,
                    struct error *err);

/* Note how a test went: "ok", or the error's text. */
int connections_set_tested(struct catalog *catalog, const char *name, const char *result,
                           struct error *err);

#endif
