/*
 * The catalogue made anew from what lies at the destinations.
 */
#ifndef KEDGE_CATALOG_IMPORT_H
#define KEDGE_CATALOG_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

struct backup_file_row;
struct catalog;
struct error;
struct manifest;

/* The backup that `manifest` describes becomes a row (success, level 0 at `seen_ns`: the store
 * listed it with that size), its file a row at the destination of the id `destination_id`; app and
 * connection are made when they are not there. Files of one group are one backup of type full. Once
 * it is known nothing changes: *ret_added tells. Its number is kept unless another one has it. */
int catalog_import_manifest(struct catalog *catalog, const struct manifest *manifest,
                            const char *destination_id, int64_t seen_ns, bool *ret_added,
                            struct error *err);

/* What a manifest says of its file, as a row that belongs to no backup yet. Texts are borrowed. */
void catalog_import_file(const struct manifest *manifest, struct backup_file_row *ret_file);

#endif
