/*
 * What a manifest that was read must fulfil beyond the types of its keys: known words, a file name
 * that is one, an index inside the file, frames that follow one another and add up.
 */
#ifndef KEDGE_ARTIFACT_MANIFEST_CHECK_H
#define KEDGE_ARTIFACT_MANIFEST_CHECK_H

struct error;
struct manifest;

/* All required keys are there. ERROR_CORRUPT says what is wrong. */
int manifest_check(const struct manifest *manifest, struct error *err);

/* -1 with ERROR_CORRUPT: "key" is not what was `wanted`. */
int manifest_refuse(const char *key, const char *wanted, struct error *err);

#endif
