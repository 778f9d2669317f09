/*
 * From the choice a person makes to the codec that does it.
 */
#ifndef KEDGE_ARTIFACT_COMPRESSION_H
#define KEDGE_ARTIFACT_COMPRESSION_H

#include "artifact/artifact.h"

struct encoder;
struct decoder;
struct sink;

/* "zstd:3"; to be freed. */
char *compression_text(struct compression_choice choice);

/* For the frames of an artifact of this kind ("sql", "sqlite3", "tar"). */
struct encoder *compression_encoder(struct compression_choice choice, const char *artifact_kind);
struct decoder *compression_decoder(enum compression kind);
/* One frame of what is written into it, pushed into `next` (borrowed). */
struct sink *compression_sink(struct compression_choice choice, struct sink *next);

/* What a stream that begins with these bytes is: none unless it has the mark of another. */
enum compression compression_sniff(const void *data, size_t size);

#endif
