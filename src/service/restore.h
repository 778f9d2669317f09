/*
 * Put a backup back, reversibly; go back to before a restore; tell what would happen.
 */
#ifndef KEDGE_SERVICE_RESTORE_H
#define KEDGE_SERVICE_RESTORE_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct artifact_keys;
struct error;
struct load_preview;
struct progress;
struct service;

enum safety { SAFETY_SWAP, SAFETY_BACKUP, SAFETY_NONE };

/* "swap", "backup", "none". */
int safety_parse(const char *text, enum safety *ret_safety, struct error *err);

struct restore_request {
    const char *backup;     /* number, ULID or prefix, file name or path, "latest[:TARGET]" */
    const char *from;       /* destination to take it from; NULL: where the catalogue says */
    const char *to;         /* URL or path; NULL: where it came from */
    const char *connection; /* a configured target's name, instead of `to` */
    struct text_list tables, include, exclude;
    enum safety safety;
    bool verify; /* level 2 first */
    bool dry_run;
    bool cascade, force, no_owner, devices;
    const char *role;
    int jobs;
    const struct artifact_keys *keys;
    struct progress *progress;
    /* Called once, with what would be replaced, before anything is touched; 0 goes on, -1 (err set,
     * e.g. ERROR_DECLINED) stops. NULL: go on. Not called for a dry run. With `production`
     * ask twice. */
    int (*confirm)(void *context, const struct load_preview *preview, bool production,
                   struct error *err);
    /* Told as things happen ("verified", "safety copy: backup 13", ...); may be NULL. */
    void (*note)(void *context, const char *text);
    void *context;
};

struct restore_report {
    char *id;
    int64_t number;
    char *target; /* what was (or would be) replaced, for people */
    char *backup_file;
    char *safety_kind;     /* "swap", "backup", "none" */
    char *safety_text;     /* "old copy kept as /srv/.shop.db.kedge-01...", "backup 13" */
    int64_t undo_until_ns; /* 0: no way back kept */
    uint64_t rows, bytes;
    int64_t duration_ms;
    /* dry run and confirmation */
    bool exists;
    uint64_t objects_replaced, rows_replaced, bytes_replaced;
    struct text_list conflicts;
};

void restore_report_clear(struct restore_report *report);

int restore_run(struct service *service, const struct restore_request *request,
                struct restore_report *ret_report, struct error *err);

struct undo_report {
    bool forth;     /* an undo was undone: the target is as restored again */
    int64_t number; /* of the restore that was undone */
    char *target;
    char *changed; /* what was written since, a sentence; NULL when not known */
};

void undo_report_clear(struct undo_report *report);

/* `restore`: a number or ULID, NULL for the newest that can be undone. `confirm` as above with the
 * sentence. */
int undo_run(struct service *service, const char *restore,
             int (*confirm)(void *context, const struct undo_report *plan, struct error *err),
             void *context, struct undo_report *ret_report, struct error *err);

#endif
