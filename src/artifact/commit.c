/*
 * Committing an artifact: the last frames leave, the index follows, what is stored is proven and
 * published.
 */
#include "artifact/writer.h"

#include "artifact/compression.h"
#include "artifact/manifest.h"
#include "artifact/output.h"
#include "artifact/publish.h"
#include "base/error.h"
#include "base/sink.h"
#include "base/stop.h"
#include "crypto/sha256.h"
#include "io/codec.h"
#include "io/crew.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int drain(struct artifact_writer *writer, struct error *err)
{
    crew_lock(writer->crew);
    writer->closed = true;
    crew_wake(writer->crew);
    while (writer->written < writer->pushed && !crew_failed(writer->crew))
        crew_wait(writer->crew);
    crew_unlock(writer->crew);
    if (stop_check(err) < 0)
        return -1;
    return crew_check(writer->crew, err);
}

/* Counts and hashes what goes through: the index frame. */
struct counter {
    struct sink base;
    struct sink *next;
    struct sha256 *hash;
    uint64_t size;
};

static int counter_write(struct sink *base, const void *data, size_t size, struct error *err)
{
    struct counter *counter = (struct counter *)base;
    counter->size += size;
    sha256_update(counter->hash, data, size);
    return sink_write(counter->next, data, size, err);
}

static const struct sink_ops counter_ops = {.write = counter_write};

static int write_index(struct artifact_writer *writer, struct manifest *manifest, struct error *err)
{
    SCOPED(sha256) struct sha256 *hash = sha256_new();
    struct counter counter = {.base.ops = &counter_ops, .next = writer->first, .hash = hash};
    if (index_writer_add(writer->index, &writer->tables, err) < 0 ||
        index_writer_finish(writer->index, writer->compression, &counter.base, err) < 0)
        return -1;
    manifest->index_offset = writer->offset;
    manifest->index_length = counter.size;
    sha256_finish_text(hash, manifest->index_checksum);
    writer->offset += counter.size;
    return 0;
}

/* A file without a single byte is no zstd and no gzip file: an empty image is one empty frame. */
static int write_empty_frame(struct artifact_writer *writer, struct error *err)
{
    SCOPED(encoder)
    struct encoder *encoder = compression_encoder(writer->compression, writer->name.kind);
    struct frame_buffer buffer = {0};
    struct job job = {.buffer = &buffer, .members = BUF_INIT};
    struct segment nothing = {0};
    job.segment = &nothing;
    int result = writer_compress(encoder, &job, err);
    if (result == 0)
        sha256_of(buffer.pages.data, buffer.size, job.frame.sha256);
    if (result == 0 && buffer.size)
        result = sink_write(writer->first, buffer.pages.data, buffer.size, err);
    if (result == 0)
        result = writer_note_frame(writer, &job, err);
    pages_clear(&buffer.pages);
    writer_clear_job(&job);
    return result;
}

/* Where the frames of an image are told: in the manifest; when there are too many, in an index
 * frame; when there is no place for one either, nowhere. */
static int place_frames(struct artifact_writer *writer, struct manifest *manifest,
                        struct error *err)
{
    manifest->frames = STEAL(writer->frames);
    manifest->frame_count = writer->frame_count;
    sha256_finish_text(writer->digest, manifest->digest);
    if (!writer->frames_too_many && manifest_holds(manifest))
        return 0;
    manifest->frame_count = 0;
    if (writer->compression.kind == COMPRESSION_NONE)
        return 0;
    free(manifest->frames);
    manifest->frames = NULL;
    return write_index(writer, manifest, err);
}

static int write_tail(struct artifact_writer *writer, struct manifest *manifest, struct error *err)
{
    if (writer->is_image && !writer->pushed && write_empty_frame(writer, err) < 0)
        return -1;
    if (writer->is_image ? place_frames(writer, manifest, err) < 0
                         : write_index(writer, manifest, err) < 0)
        return -1;
    return writer->cipher ? sink_finish(writer->cipher, err) : 0;
}

static void describe(struct artifact_writer *writer, struct manifest *manifest)
{
    free(manifest->kind);
    free(manifest->part);
    free(manifest->compression);
    free(manifest->encryption);
    free(manifest->frames);
    manifest->frames = NULL;
    manifest->frame_count = 0;
    manifest->index_offset = 0;
    manifest->index_length = 0;
    manifest->digest[0] = '\0';
    manifest->index_checksum[0] = '\0';
    manifest->kind = mem_string(writer->name.kind);
    manifest->part = mem_string(writer->name.part);
    manifest->compression = compression_text(writer->compression);
    manifest->encryption = mem_string(writer->cipher ? "age" : "none");
    text_list_clear(&manifest->recipients);
    text_list_add_all(&manifest->recipients, &writer->recipients);
    manifest->plain_bytes = writer->plain;
    if (!writer->is_image)
        manifest->rows = writer->rows;
}

int artifact_commit(struct artifact_writer *writer, struct manifest *manifest, struct error *err)
{
    assert(!writer->committed);
    writer->committed = true;
    if (drain(writer, err) < 0)
        return -1;
    describe(writer, manifest);
    if (write_tail(writer, manifest, err) < 0 || output_finish(writer->output, err) < 0 ||
        crew_join(writer->crew, err) < 0)
        return -1;
    return publish_artifact(writer->store, writer->output, &writer->name, manifest, err);
}
