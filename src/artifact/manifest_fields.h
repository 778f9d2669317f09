/*
 * The keys of a manifest as rows: what reads, writes and frees one goes through them.
 */
#ifndef KEDGE_ARTIFACT_MANIFEST_FIELDS_H
#define KEDGE_ARTIFACT_MANIFEST_FIELDS_H

#include "artifact/manifest.h"

#define MANIFEST_FORMAT "kedge-artifact"
#define MANIFEST_VERSION 1

enum manifest_field_kind {
    FIELD_TEXT,
    FIELD_COUNT,
    FIELD_NUMBER,
    FIELD_MOMENT,
    FIELD_FLAG,
    FIELD_LIST,
    FIELD_OBJECT,
    FIELD_HASH
};

struct manifest_field {
    const char *key;
    size_t offset;
    enum manifest_field_kind kind;
    bool required;
};

/* In the order of the file. "format", "version", "index" and "frames" have their own code. */
extern const struct manifest_field manifest_fields[];
extern const size_t manifest_field_count;

/* Where the manifest keeps it. Borrowed. */
void *manifest_member(struct manifest *manifest, const struct manifest_field *field);
const void *manifest_member_const(const struct manifest *manifest,
                                  const struct manifest_field *field);

#endif
