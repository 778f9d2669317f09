/*
 * Make one restore point of one target.
 */
#ifndef KEDGE_SERVICE_BACKUP_H
#define KEDGE_SERVICE_BACKUP_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct error;
struct progress;
struct service;

/* Borrowed strings; NULL, empty or -1 where the target's configuration or the default decides. */
struct backup_request {
    const char *target;       /* a name, URL, SQLite file or folder */
    const char *type;         /* database, files, full, configuration; NULL: what the target has */
    const char *to;           /* destination; NULL: the target's, else the default */
    const char *compress;     /* "zstd:3" */
    struct text_list encrypt; /* age1... */
    const char *passphrase;   /* age, scrypt */
    int64_t retention_days;
    struct text_list tables, exclude_tables, schemas, exclude, tags;
    bool logical; /* --format sql */
    bool one_file_system;
    bool exclude_caches;
    bool roles;
    int jobs;
    int64_t max_wait_ms;
    const char *trigger; /* "manual", "scheduled", "pre_restore", "pre_migration", "api" */
    const char *notes;
    struct progress *progress;
};

/* One file of the restore point. */
struct backup_file_report {
    char *file;     /* its name */
    char *location; /* where it is, for people */
    uint64_t size_bytes;
};

struct backup_report {
    char *id;
    int64_t number;
    char *target;
    struct backup_file_report files[2];
    int file_count;
    uint64_t size_bytes, source_bytes;
    uint64_t rows; /* UINT64_MAX: not counted, as in the pages of an image */
    int64_t duration_ms;
    int64_t expires_ns; /* 0: never */
    bool incomplete;
    struct text_list reasons;
    struct text_list warnings;
    struct text_list also_at; /* where the copies at the target's other destinations are */
};

void backup_report_clear(struct backup_report *report);

/* 0: the backup is there, durable and read back (report->incomplete: not all of the source could be
 * read). */
int backup_run(struct service *service, const struct backup_request *request,
               struct backup_report *ret_report, struct error *err);

#endif
