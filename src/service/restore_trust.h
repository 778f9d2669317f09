/*
 * What a restore may believe: whether a file and its manifest are what the catalogue wrote down
 * when the backup was made, or what somebody put in their place since.
 */
#ifndef KEDGE_SERVICE_RESTORE_TRUST_H
#define KEDGE_SERVICE_RESTORE_TRUST_H

#include <stdbool.h>

struct artifact_open_options;
struct artifact_reader;
struct error;
struct located;
struct service;

/*
 * Of a backup that the catalogue knows: ERROR_CORRUPT when the manifest or the file is another. A
 * manifest with the seal that was noted leads to the sums of all frames, which are compared as they
 * are read; only without that the file is read and hashed here. Of a file that was given as a path:
 * it is what it is.
 *
 * *ret_trusted: the manifest is, byte by byte, one that this catalogue's kedge wrote.
 */
int restore_trust_check(struct service *service, const struct located *located,
                        const struct artifact_open_options *options,
                        const struct artifact_reader *reader, bool *ret_trusted, struct error *err);

#endif
