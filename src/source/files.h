/*
 * File trees, and configuration, as a source: a pax archive out, a tree swapped in.
 */
#ifndef KEDGE_SOURCE_FILES_H
#define KEDGE_SOURCE_FILES_H

struct source_ops;

extern const struct source_ops source_files;

#endif
