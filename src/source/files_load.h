/*
 * The restore of file trees: into side folders, checked, then swapped in by rename.
 */
#ifndef KEDGE_SOURCE_FILES_LOAD_H
#define KEDGE_SOURCE_FILES_LOAD_H

struct error;
struct load;
struct load_options;
struct source_target;

/* source_ops.load */
int files_load(const struct source_target *target, const struct load_options *options,
               struct load **ret_load, struct error *err);

#endif
