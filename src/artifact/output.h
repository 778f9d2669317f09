/*
 * The stored side of an artifact that is being written: bytes go to the store in order, and come
 * back from its medium to be hashed.
 *
 * A fingerprint of each piece is taken as it leaves and compared with what comes back; the checksum
 * of the manifest is computed from what came back. So it is the SHA-256 of what the store holds,
 * proven to be what was written, for one pass of SHA-256. On stores that can, reading back begins
 * while later bytes are still being made; whoever hashes something else meanwhile does it in step.
 */
#ifndef KEDGE_ARTIFACT_OUTPUT_H
#define KEDGE_ARTIFACT_OUTPUT_H

#include "base/mem.h"
#include "base/sink.h"

#include <stdint.h>

struct crew;
struct error;
struct output;
struct sha256;
struct store;
struct upload;

/* Begin an upload; its reader is a thread of `crew`. Both are borrowed. */
int output_open(struct store *store, struct crew *crew, struct output **ret_output,
                struct error *err);

/* Push the bytes to be stored here; one thread at a time. Never finished or freed by itself. */
struct sink *output_sink(struct output *output);

uint64_t output_size(const struct output *output);

/* Borrowed. */
struct upload *output_upload(struct output *output);

/* Take `data` into `hash`, and with it, in little more time, some of what came back into the
 * checksum: two streams at once cost less than one after the other. Any thread; what came back
 * waits for these calls until output_finish. */
void output_hash_beside(struct output *output, struct sha256 *hash, const void *data, size_t size);

/* Everything was pushed: on the medium when this returns, and read back where the store can. */
int output_finish(struct output *output, struct error *err);

/* 1 when everything was read back by now; 0 when output_reread has to do it. */
int output_reread_done(const struct output *output);

/* Read back what is published as `key`. */
int output_reread(struct output *output, const char *key, struct error *err);

/* Hex SHA-256 of what was read back. */
const char *output_checksum(const struct output *output);

/* Without a publish of the upload, nothing remains. The crew must have been joined. */
void output_close(struct output *output);

DEFINE_SCOPED(output, struct output *, output_close);

#endif
