/*
 * What differs between the engines that can hold a catalogue, one row each. Everything else in this
 * folder is the same statement for all of them.
 */
#ifndef KEDGE_CATALOG_DIALECT_H
#define KEDGE_CATALOG_DIALECT_H

#include "db/url.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct error;

/* Room for any time as text. */
#define DIALECT_TIME_SIZE 40

struct dialect {
    enum db_engine engine;
    const char *name;            /* its folder in migrations/ */
    const char *const *session;  /* run after each connect; ended by NULL */
    const char *const *new_file; /* run when we made the file; ended by NULL */
    const char *create;          /* makes our place in the database; NULL: nothing to make */
    /* Where making our place commits by itself, so that an installation that fails has to take it
     * away again; all NULL elsewhere. */
    const char *place_lock;  /* 1 when this session is the one that installs, else 0; waits */
    const char *place_there; /* is it there? 1 or 0 */
    const char *place_holds; /* counts what is in it */
    const char *place_drop;
    const char *enter;          /* from here on names mean our tables; NULL: they do */
    const char *history_exists; /* counts the table schema_migrations in our place: 0 or 1 */
    const char *columns;        /* names of the columns of our table of that name */
    const char *outside;       /* "table" or "view": what has that name where readers look for it */
    const char *outside_table; /* the table database_backups there; NULL: not looked for */
    const char *outside_columns; /* names of its columns */
    const char *outside_view; /* makes a view there of ours; printf for the name, twice; NULL: the
                                 tables' own place is where readers look */
    const char *denied;       /* a text for each thing where we may not create what we must; NULL */
    const char *integrity;    /* a text for each thing that is wrong inside; NULL: the server's
                                 own affair */
    const char *title;        /* "PostgreSQL" */
    const char *now;          /* the server's time, to the second */
    const char *claim;        /* what makes SELECT take rows nobody else is taking */
    const char *lock;         /* 1 when the session now has the lock of that name, else 0 */
    const char *unlock;       /* give it back; both NULL: a file does this */
    const char *time_format;  /* of year, month, day, hour, minute, second, microsecond */
    bool nests;               /* a query may be run while another is being read */
    int retries;              /* of a transaction that lost a fight for locks */
};

const struct dialect *dialect_of(enum db_engine engine);

/* Our place in the database: make it, go there. */
int dialect_create(const struct dialect *dialect, struct db *db, struct error *err);
int dialect_enter(const struct dialect *dialect, struct db *db, struct error *err);

/* `moment_ns` as the engine's columns take it: UTC, microseconds (what is finer is cut off). */
void dialect_format_time(const struct dialect *dialect, int64_t moment_ns,
                         char ret_text[static DIALECT_TIME_SIZE]);

/* The way back, for all of them and for texts that people typed. 0, or -1 when it is none. */
int dialect_parse_time(const char *text, size_t size, int64_t *ret_moment_ns);

#endif
