/*
 * Targets and destinations as the configuration or the command line names them, before anything is
 * opened.
 */
#ifndef KEDGE_SERVICE_TARGET_H
#define KEDGE_SERVICE_TARGET_H

#include "base/text.h"
#include "db/url.h"

#include <stdbool.h>
#include <stdint.h>

struct error;
struct os;

/* Owned strings; NULL or empty where the configuration says nothing, so that the option's value or
 * its default holds. */
struct target {
    char *name;
    char *app;       /* NULL: the target's name */
    bool configured; /* from the file, not made up from an argument */
    bool has_database;
    struct db_url url; /* when has_database */
    struct text_list paths;
    struct text_list configuration;
    struct text_list exclude;
    struct text_list exclude_tables;
    struct text_list destinations; /* names, folders or URLs */
    char *compress;                /* "zstd:3" */
    struct text_list encrypt;
    int64_t retention_days; /* -1: not said */
    char *environment;      /* "production" asks twice */
};

struct destination {
    char *name;
    char *url; /* folder or URL */
    bool is_default;
    char *access_key, *secret_key, *region, *endpoint;
};

void target_clear(struct target *target);
void destination_clear(struct destination *destination);

/* What it is, whatever it is called: the database's address without password, or "files:NAME". For
 * locks; to be freed. */
char *target_identity(const struct target *target);

/* What an argument that is no configured name means: a database URL, a path to a SQLite file (by
 * its first bytes or an empty file named *.db, *.sqlite, *.sqlite3), or a folder. ERROR_NOT_FOUND
 * with a hint when it is none. */
int target_from_argument(struct os *os, const char *argument, struct target *ret_target,
                         struct error *err);

static inline void scoped_target_cleanup(struct target *target)
{
    target_clear(target);
}

static inline void scoped_destination_cleanup(struct destination *destination)
{
    destination_clear(destination);
}

#endif
