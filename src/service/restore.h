/*
 * Put a backup back, reversibly, or tell what would happen.
 *
 * A full backup has two parts, the database and the files. Both are previewed, confirmed, filled
 * and checked before either is swapped in; then they are swapped in one right after the other, the
 * database first. When the second swap fails, the first is taken back; a run that is killed between
 * the two is taken back by the next start (service/settle). One row of the restore log stands for
 * both, and undo takes both back.
 */
#ifndef KEDGE_SERVICE_RESTORE_H
#define KEDGE_SERVICE_RESTORE_H

#include "service/restore_request.h"

#include <stdbool.h>
#include <stdint.h>

struct error;
struct service;

/* "swap", "backup", "none". */
int safety_parse(const char *text, enum safety *ret_safety, struct error *err);

struct restore_report {
    char *id;
    int64_t number;
    char *target; /* what was (or would be) replaced, for people */
    char *backup_file;
    char *safety_kind;     /* "swap", "backup", "none" */
    char *safety_text;     /* "backup 13" of --safety backup; NULL otherwise */
    char *way_back;        /* the command that goes back, "kedge undo 3"; NULL: none */
    int64_t undo_until_ns; /* 0: no way back kept */
    uint64_t rows, bytes;  /* UINT64_MAX: not counted */
    int64_t duration_ms;
    struct restore_plan plan;
};

void restore_report_clear(struct restore_report *report);

/* With request->dry_run the report is what would happen. On failure the target is as it was, unless
 * the error says otherwise: ERROR_STRANDED, or a restore log that could not be written afterwards.
 * The report is to be cleared. */
int restore_run(struct service *service, const struct restore_request *request,
                struct restore_report *ret_report, struct error *err);

#endif
