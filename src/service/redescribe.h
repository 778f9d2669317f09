/*
 * A backup that has lost its manifest gets a new one: from what its artifact holds, and from what
 * the catalogue knows of it.
 */
#ifndef KEDGE_SERVICE_REDESCRIBE_H
#define KEDGE_SERVICE_REDESCRIBE_H

struct artifact_open_options;
struct error;
struct located;

/* 1 when options->file had no manifest and has one now, durably; 0 when it has one; -1 with
 * ERROR_CORRUPT when it is damaged or not the file that the catalogue knows, ERROR_NOT_FOUND when
 * it is missing or its name is not one that kedge gives. Nothing is written then. */
int redescribe_run(const struct located *located, const struct artifact_open_options *options,
                   struct error *err);

#endif
