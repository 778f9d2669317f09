/*
 * Statements towards a sink: whole ones, gathered into segments.
 */
#ifndef KEDGE_SOURCE_SQLITE_SCRIPT_H
#define KEDGE_SOURCE_SQLITE_SCRIPT_H

#include "base/segment.h"

struct error;
struct progress;

struct sqlite_script {
    struct segment_sink *sink;
    struct progress *progress; /* may be NULL */
    struct segment *segment;   /* being filled, NULL between segments */
    enum section section;
    const char *table; /* whose rows come now; NULL for none */
};

/* From here on statements belong there; what was gathered is pushed. */
int sqlite_script_section(struct sqlite_script *script, enum section section, const char *table,
                          struct error *err);

/* Append one or more whole statements that hold `rows` rows. */
int sqlite_script_write(struct sqlite_script *script, const char *text, size_t size, uint64_t rows,
                        struct error *err);

/* Push what is left. */
int sqlite_script_flush(struct sqlite_script *script, struct error *err);

/* Gives an unfinished segment back. */
void sqlite_script_clear(struct sqlite_script *script);

#endif
