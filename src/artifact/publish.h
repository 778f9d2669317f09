/*
 * The last steps of a backup: a free name, the manifest beside it, both durable, and what the store
 * holds proven to be what was written.
 */
#ifndef KEDGE_ARTIFACT_PUBLISH_H
#define KEDGE_ARTIFACT_PUBLISH_H

struct artifact_name;
struct error;
struct manifest;
struct output;
struct store;

/*
 * Give the finished `output` the first free name of `name` (its clash is counted up) and its
 * manifest, whose `file` and `checksum` are set here. Afterwards both are durable. On failure
 * neither is there.
 */
int publish_artifact(struct store *store, struct output *output, struct artifact_name *name,
                     struct manifest *manifest, struct error *err);

/* Put `manifest` beside the artifact that it names, durably. ERROR_EXISTS when there is one
 * already.
 */
int publish_manifest(struct store *store, const struct manifest *manifest, struct error *err);

#endif
