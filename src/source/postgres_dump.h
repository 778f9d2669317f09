/*
 * The dump of a PostgreSQL database: definitions, rows read by several sessions in one snapshot,
 * and what follows.
 *
 * Until pg_dump has told the definitions and the catalogue was found as it was, no segment is
 * pushed: a change up to there is met by starting again. One that is noticed only at the end makes
 * the artifact worthless, which is ERROR_CHANGED.
 */
#ifndef KEDGE_SOURCE_POSTGRES_DUMP_H
#define KEDGE_SOURCE_POSTGRES_DUMP_H

struct dump_options;
struct dump_result;
struct error;
struct segment_sink;
struct source_target;

int postgres_dump(const struct source_target *target, const struct dump_options *options,
                  struct segment_sink *sink, struct dump_result *ret_result, struct error *err);

#endif
