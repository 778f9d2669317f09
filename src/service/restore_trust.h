/*
 * What a restore may believe: whether a file and its manifest are what the catalogue wrote down
 * when the backup was made, or what somebody put in their place since.
 */
#ifndef KEDGE_SERVICE_RESTORE_TRUST_H
#define KEDGE_SERVICE_RESTORE_TRUST_H

struct artifact_open_options;
struct artifact_reader;
struct error;
struct located;
struct service;

enum restore_trust {
    /* Somebody has edited the manifest: where it says that the backup belongs does not count. */
    RESTORE_TRUST_NONE,
    /* Sound in itself and unknown here, as on another machine: who names the file believes it. */
    RESTORE_TRUST_STRANGER,
    /* Byte by byte what this catalogue's kedge wrote. */
    RESTORE_TRUST_OURS,
};

/*
 * Of a backup that the catalogue knows: ERROR_CORRUPT when the manifest or the file is another. A
 * manifest with the seal that was noted leads to the sums of all frames, which are compared as they
 * are read; only without that the file is read and hashed here. Of a file that was given as a path:
 * it is what it is.
 */
int restore_trust_check(struct service *service, const struct located *located,
                        const struct artifact_open_options *options,
                        const struct artifact_reader *reader, enum restore_trust *ret_trust,
                        struct error *err);

#endif
