/*
 * Verification level 3: restore into a scratch place, prove all that can be proven there, remove
 * it.
 */
#ifndef KEDGE_SERVICE_SCRATCH_H
#define KEDGE_SERVICE_SCRATCH_H

#include <stdbool.h>

struct artifact_open_options;
struct error;
struct service;

/* The artifact's database goes into a scratch file (SQLite) or a scratch database on the server it
 * came from, its files into a scratch folder. Whatever happens, nothing of it stays. ERROR_CORRUPT
 * when what came out is not what the artifact says. */
int scratch_restore(struct service *service, const struct artifact_open_options *artifact,
                    struct error *err);

/* Remove what a verification left that was killed; one that still runs keeps its place. `removed`
 * hears of each (NULL: nobody does); nothing is removed with `dry_run`. */
int scratch_cleanup(struct service *service, bool dry_run,
                    void (*removed)(void *context, const char *path), void *context,
                    struct error *err);

#endif
