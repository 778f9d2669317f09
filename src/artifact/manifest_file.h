/*
 * A manifest as a file: it lies beside its artifact, under the artifact's name with ".json" behind.
 */
#ifndef KEDGE_ARTIFACT_MANIFEST_FILE_H
#define KEDGE_ARTIFACT_MANIFEST_FILE_H

#include <stdint.h>

struct error;
struct manifest;
struct store;

/* The key of the manifest of the artifact `file`; to be freed. */
char *manifest_file_key(const char *file);

/* The artifact whose manifest would lie at `key`, to be freed; NULL when none's would. */
char *manifest_file_artifact(const char *key);

/* The manifest at `key`, of so many bytes as a listing says. ERROR_CORRUPT when it is none; the
 * error does not name the file. */
int manifest_file_read(struct store *store, const char *key, uint64_t size_bytes,
                       struct manifest *ret_manifest, struct error *err);

#endif
