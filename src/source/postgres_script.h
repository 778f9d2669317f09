/*
 * Text of our own in a PostgreSQL artifact, cut into segments where a statement ends.
 */
#ifndef KEDGE_SOURCE_POSTGRES_SCRIPT_H
#define KEDGE_SOURCE_POSTGRES_SCRIPT_H

#include "base/segment.h"

struct buf;
struct error;

/* Push `script`, whole statements, as segments of `section`. */
int postgres_script_push(const struct buf *script, enum section section, struct segment_sink *sink,
                         struct error *err);

#endif
