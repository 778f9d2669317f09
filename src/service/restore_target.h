/*
 * Where a restore goes: what the request says, else where the backup came from.
 */
#ifndef KEDGE_SERVICE_RESTORE_TARGET_H
#define KEDGE_SERVICE_RESTORE_TARGET_H

#include "service/target.h"
#include "source/source.h"

struct error;
struct manifest;
struct service;

struct restore_target {
    const struct source_ops *source;
    struct source_target what; /* owned */
    char *folder;              /* files: beneath this one; NULL: back where they were */
    struct target configured;  /* the configuration's target of that name, or empty */
};

void restore_target_clear(struct restore_target *target);

struct restore_wish {
    const char *to, *connection; /* as the request says, or NULL */
    const char *target;          /* whose backup it is, as the catalogue says, or NULL */
    bool trusted;                /* what the manifest says about where counts */
};

/* `manifest` may be NULL (a bare artifact). `kind` is the artifact's: "sqlite3", "sql", "tar".
 * ERROR_USAGE with a hint when it is not known where to, when only a manifest that somebody has
 * edited says so, or when the backup is of another database than the target of its name. */
int restore_target_resolve(struct service *service, const struct manifest *manifest,
                           const char *kind, const struct restore_wish *wish,
                           struct restore_target *ret_target, struct error *err);

/* The same as one argument, to be freed: names the target in locks and in the restore log, without
 * a password. */
char *restore_target_argument(const struct restore_target *target);

#endif
