/*
 * An artifact that was found, unlocked and understood: what reading, verifying and describing have
 * in common.
 */
#ifndef KEDGE_ARTIFACT_OPENED_H
#define KEDGE_ARTIFACT_OPENED_H

#include "artifact/artifact.h"
#include "artifact/contents.h"
#include "artifact/manifest.h"

#include <stdbool.h>

struct decoder;
struct error;
struct index_place;
struct input;
struct segment;

struct opened {
    struct store *store;
    char *file;
    uint64_t stored_size;
    bool described; /* the manifest is there */
    struct manifest manifest;
    struct input *input;
    enum compression compression;
    const char *kind; /* static; NULL when it is none */
    struct contents contents;
};

/* The manifest speaks of a file of this size, or ERROR_CORRUPT. */
int opened_check_size(const char *file, const struct manifest *manifest, uint64_t size,
                      struct error *err);

/* The manifest of options->file: 1 and it, 0 when there is none, -1. */
int opened_manifest(const struct artifact_open_options *options, struct manifest *ret_manifest,
                    struct error *err);

/* Find it, unlock it, and learn what it is and what is in it. On failure `opened` holds nothing;
 * else it is to be closed. */
int opened_open(const struct artifact_open_options *options, struct opened *opened,
                struct error *err);
void opened_close(struct opened *opened);

/* Whether its frames are known, so that it is read by number. */
bool opened_indexed(const struct opened *opened);

/* Where the index frame is. */
struct index_place opened_index(const struct opened *opened);

static inline void scoped_opened_cleanup(struct opened *opened)
{
    opened_close(opened);
}

#endif
