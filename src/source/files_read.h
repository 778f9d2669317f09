/*
 * From an entry of a tree to tar members in a segment: headers with everything a file carries, and
 * its content.
 *
 * A member in the archive is always as long as its header says: what a file lost while it was read
 * is filled with zeros, and the report says so.
 */
#ifndef KEDGE_SOURCE_FILES_READ_H
#define KEDGE_SOURCE_FILES_READ_H

#include "base/mem.h"

#include <stdint.h>

struct error;
struct os;
struct files_report;
struct files_unit;
struct segment;
struct segment_sink;

struct files_reader;

/* One per thread; everything is borrowed. */
struct files_reader *files_reader_new(struct os *os, struct segment_sink *sink,
                                      struct files_report *report);
void files_reader_free(struct files_reader *reader);

/* Append the unit's members to the segment, which grows where that is needed. */
int files_read_unit(struct files_reader *reader, const struct files_unit *unit,
                    struct segment *segment, struct error *err);

/* Members begun and bytes of content read so far. */
uint64_t files_reader_members(const struct files_reader *reader);
uint64_t files_reader_bytes(const struct files_reader *reader);

DEFINE_SCOPED(files_reader, struct files_reader *, files_reader_free);

#endif
