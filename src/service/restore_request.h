/*
 * What a door asks of a restore, and what the restore tells the door before it begins.
 */
#ifndef KEDGE_SERVICE_RESTORE_REQUEST_H
#define KEDGE_SERVICE_RESTORE_REQUEST_H

#include "base/text.h"
#include "source/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct artifact_keys;
struct error;
struct progress;

enum safety { SAFETY_SWAP, SAFETY_BACKUP, SAFETY_NONE };

/* One of the parts, and what it replaces. */
struct restore_plan_part {
    const char *type; /* "database", "files"; static */
    char *file;
    struct load_preview preview;
    uint64_t restored; /* afterwards: rows, or files and folders; 0: not counted */
};

struct restore_plan {
    struct restore_plan_part parts[2];
    size_t count;
    const char *left_out; /* the part of the backup that stays as it is, or NULL; static */
};

struct restore_request {
    const char *backup;     /* number, ULID or prefix, file name or path, "latest[:TARGET]" */
    const char *from;       /* destination to take it from; NULL: where the catalogue says */
    const char *to;         /* URL or path; NULL: where it came from */
    const char *connection; /* a configured target's name, instead of `to` */
    const char *type;       /* "database", "files", "full"; NULL: what the other options mean */
    struct text_list tables, include, exclude;
    bool leaves_out; /* `exclude` was said for this restore, and not by a configuration for all */
    enum safety safety;
    bool verify; /* level 2 first */
    bool dry_run;
    bool cascade, force, no_owner, no_tablespaces, devices;
    /* Of a statement of a file that the catalogue does not vouch for; 0: as of any other. */
    size_t max_statement_bytes;
    const char *role;
    int jobs;
    const struct artifact_keys *keys;
    struct progress *progress;
    /* Called once, with what would be replaced, before anything is touched; 0 goes on, -1 (err set,
     * e.g. ERROR_DECLINED) stops. NULL: go on. Not called for a dry run. With `production`
     * ask twice. */
    int (*confirm)(void *context, const struct restore_plan *plan, bool production,
                   struct error *err);
    /* Told as things happen ("verified", "safety copy: backup 13", ...); may be NULL. */
    void (*note)(void *context, const char *text);
    void *context;
};

#endif
