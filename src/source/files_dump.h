/*
 * The backup of file trees: one walker, several readers, segments in the walker's order.
 */
#ifndef KEDGE_SOURCE_FILES_DUMP_H
#define KEDGE_SOURCE_FILES_DUMP_H

struct dump_options;
struct dump_result;
struct error;
struct segment_sink;
struct source_target;

/* source_ops.dump */
int files_dump(const struct source_target *target, const struct dump_options *options,
               struct segment_sink *sink, struct dump_result *ret_result, struct error *err);

#endif
