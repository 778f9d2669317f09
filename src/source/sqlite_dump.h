/*
 * Dumps of a SQLite database: its page image, or its content as SQL.
 */
#ifndef KEDGE_SOURCE_SQLITE_DUMP_H
#define KEDGE_SOURCE_SQLITE_DUMP_H

struct dump_options;
struct dump_result;
struct error;
struct segment_sink;
struct source_target;

/* The contract is source_ops.accepts'. */
int sqlite_dump_accepts(const struct dump_options *options, struct error *err);

/* The contract is source_ops.dump's. */
int sqlite_dump(const struct source_target *target, const struct dump_options *options,
                struct segment_sink *sink, struct dump_result *ret_result, struct error *err);

#endif
