/*
 * SQL run into a fresh SQLite file: the way back of a logical dump, ours or the shell's.
 *
 * What the text may do is only to fill that one file: other files, extensions and settings that
 * reach beyond it are refused, and settings that only concern speed are passed over.
 */
#ifndef KEDGE_SOURCE_SQLITE_REPLAY_H
#define KEDGE_SOURCE_SQLITE_REPLAY_H

#include <stdint.h>

struct error;
struct load_options;
struct segment_source;

/* `path` is an empty file that nobody else knows; it is not synced. *ret_rows counts what was
 * inserted. After a failure its content is worthless. */
int sqlite_replay(const char *path, const struct load_options *load,
                  struct segment_source *segments, uint64_t *ret_rows, struct error *err);

#endif
