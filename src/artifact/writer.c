/*
 * Writing an artifact: segments come in from any thread, frames leave in their order.
 *
 * A pushed segment becomes a job in a ring. Workers take jobs in order, each with a buffer for the
 * frame, so the oldest job always has what it needs and the ring cannot jam. The digest of a
 * database image needs the plain segments one after the other: whichever worker is free does the
 * next piece of it, so it costs no thread of its own. What is hashed (image, frame, what came back
 * from the store) is hashed two streams at a time. One thread pushes finished frames on, through
 * encryption if wanted, and notes them in the index.
 */
#include "artifact/writer.h"

#include "artifact/compression.h"
#include "artifact/manifest.h"
#include "artifact/output.h"
#include "base/error.h"
#include "base/os.h"
#include "base/sink.h"
#include "base/stop.h"
#include "crypto/age.h"
#include "crypto/sha256.h"
#include "io/codec.h"
#include "io/crew.h"
#include "io/progress.h"
#include "io/segments.h"
#include "store/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Plain bytes on their way, beyond which taking waits: with rows of hundreds of megabytes not all
 * segments may be that large at once. */
#define FLIGHT_MAXIMUM (UINT64_C(96) << 20)

/* Past this many, frames go into the index only: the manifest has no room for them anyway. */
#define FRAMES_KEPT 16384

static struct job *job_at(struct artifact_writer *writer, uint64_t number)
{
    return &writer->jobs[number % writer->job_count];
}

/* ---- the sink ---- */

static struct artifact_writer *writer_of(struct segment_sink *sink)
{
    return (struct artifact_writer *)sink;
}

static int sink_take(struct segment_sink *sink, size_t capacity, struct segment **ret_segment,
                     struct error *err)
{
    struct artifact_writer *writer = writer_of(sink);
    if (stop_check(err) < 0) {
        crew_fail(writer->crew, err);
        return -1;
    }
    crew_lock(writer->crew);
    while (writer->flight > FLIGHT_MAXIMUM && !crew_failed(writer->crew))
        crew_wait(writer->crew);
    crew_unlock(writer->crew);
    return segments_take(writer->segments, capacity, ret_segment, err);
}

static int sink_grow(struct segment_sink *sink, struct segment *segment, size_t capacity,
                     struct error *err)
{
    (void)sink;
    return segments_grow(segment, capacity, err);
}

static void sink_drop(struct segment_sink *sink, struct segment *segment)
{
    segments_give(writer_of(sink)->segments, segment);
}

static void enqueue(struct artifact_writer *writer, struct segment *segment)
{
    struct job *job = job_at(writer, writer->pushed);
    segment->offset = writer->plain;
    segment->frame = writer->pushed;
    *job = (struct job){
        .segment = segment,
        .schema = mem_string(segment->schema),
        .table = mem_string(segment->table),
        .members = BUF_INIT,
        .frame = {.number = writer->pushed,
                  .section = segment->section,
                  .plain = segment->size,
                  .rows = segment->rows},
    };
    job->frame.schema = job->schema;
    job->frame.table = job->table;
    writer->pushed++;
    writer->plain += segment->size;
    writer->rows += segment->rows;
    writer->flight += segment->size;
    crew_wake(writer->crew);
}

static int sink_push(struct segment_sink *sink, struct segment *segment, uint64_t *ret_frame,
                     struct error *err)
{
    struct artifact_writer *writer = writer_of(sink);
    if (!segment->size) {
        sink_drop(sink, segment);
        return crew_check(writer->crew, err);
    }
    crew_lock(writer->crew);
    assert(!writer->closed);
    bool failed = crew_failed(writer->crew);
    if (!failed) {
        if (ret_frame)
            *ret_frame = writer->pushed;
        enqueue(writer, segment);
    }
    crew_unlock(writer->crew);
    if (failed)
        sink_drop(sink, segment);
    return crew_check(writer->crew, err);
}

static int sink_table(struct segment_sink *sink, const struct segment_table *table,
                      struct error *err)
{
    struct artifact_writer *writer = writer_of(sink);
    crew_lock(writer->crew);
    index_append_table(&writer->tables, table);
    crew_unlock(writer->crew);
    return crew_check(writer->crew, err);
}

static const struct segment_sink_ops sink_ops = {
    .take = sink_take,
    .grow = sink_grow,
    .push = sink_push,
    .drop = sink_drop,
    .table = sink_table,
};

/* ---- workers ---- */

/* What a worker keeps from frame to frame. */
struct worker {
    struct encoder *encoder;
    struct sha256 *hash;
};

static bool can_hash(struct artifact_writer *writer)
{
    return writer->is_image && !writer->hashing && writer->hashed < writer->taken &&
           job_at(writer, writer->hashed)->compressed;
}

/* The segment into the image's digest, its frame, and what came back from the store. */
static void hash_image(struct artifact_writer *writer, struct job *job, struct sha256 *hash)
{
    const struct segment *segment = job->segment;
    size_t both = job->buffer->size < segment->size ? job->buffer->size : segment->size;
    sha256_update_two(writer->digest, segment->data, both, hash, job->buffer->pages.data,
                      job->buffer->size);
    sha256_finish(hash, job->frame.sha256);
    output_hash_beside(writer->output, writer->digest, segment->data + both, segment->size - both);
}

/* With the lock held, which is let go to give the segment back. */
static void end_hashed(struct artifact_writer *writer, struct job *job)
{
    struct segment *done = STEAL(job->segment);
    job->hashed = true;
    crew_wake(writer->crew);
    crew_unlock(writer->crew);
    segments_give(writer->segments, done);
    crew_lock(writer->crew);
}

/* With the lock held, which is let go while hashing. */
static void hash_next(struct artifact_writer *writer, struct worker *worker)
{
    struct job *job = job_at(writer, writer->hashed);
    writer->hashing = true;
    crew_unlock(writer->crew);
    hash_image(writer, job, worker->hash);
    crew_lock(writer->crew);
    writer->hashing = false;
    writer->hashed++;
    end_hashed(writer, job);
}

static struct frame_buffer *free_buffer(struct artifact_writer *writer)
{
    for (size_t i = 0; i < writer->buffer_count; i++)
        if (!writer->buffers[i].used)
            return &writer->buffers[i];
    return NULL;
}

int writer_compress(struct encoder *encoder, struct job *job, struct error *err)
{
    struct segment *segment = job->segment;
    struct frame_buffer *buffer = job->buffer;
    size_t bound = encoder_bound(encoder, segment->size);
    if (pages_reserve(&buffer->pages, bound, 0, err) < 0 ||
        encoder_encode(encoder, segment->data, segment->size, buffer->pages.data,
                       buffer->pages.capacity, &buffer->size, err) < 0)
        return -1;
    job->frame.length = buffer->size;
    for (size_t i = 0; i < segment->member_count; i++)
        index_append_member(&job->members, &segment->members[i], job->frame.number);
    return 0;
}

static int compress(struct artifact_writer *writer, struct worker *worker, struct job *job,
                    struct error *err)
{
    if (writer_compress(worker->encoder, job, err) < 0)
        return -1;
    progress_add(writer->progress, job->frame.plain);
    if (writer->is_image)
        return 0;
    output_hash_beside(writer->output, worker->hash, job->buffer->pages.data, job->buffer->size);
    sha256_finish(worker->hash, job->frame.sha256);
    return 0;
}

/* With the lock held, which is let go while compressing. */
static int compress_next(struct artifact_writer *writer, struct worker *worker,
                         struct frame_buffer *buffer, struct error *err)
{
    struct job *job = job_at(writer, writer->taken++);
    job->buffer = buffer;
    buffer->used = true;
    crew_unlock(writer->crew);
    int result = compress(writer, worker, job, err);
    crew_lock(writer->crew);
    if (result < 0)
        return -1;
    job->compressed = true;
    if (!writer->is_image)
        end_hashed(writer, job);
    return 0;
}

static int work_locked(struct artifact_writer *writer, struct worker *worker, struct error *err)
{
    while (!crew_failed(writer->crew)) {
        struct frame_buffer *buffer = NULL;
        if (can_hash(writer))
            hash_next(writer, worker);
        else if (writer->taken < writer->pushed && (buffer = free_buffer(writer)) != NULL) {
            if (compress_next(writer, worker, buffer, err) < 0)
                return -1;
        } else if (writer->closed && writer->written == writer->pushed)
            return 0;
        else
            crew_wait(writer->crew);
    }
    return 0;
}

static int work(void *context, struct error *err)
{
    struct artifact_writer *writer = context;
    SCOPED(encoder)
    struct encoder *encoder = compression_encoder(writer->compression, writer->name.kind);
    SCOPED(sha256) struct sha256 *hash = sha256_new();
    struct worker worker = {.encoder = encoder, .hash = hash};
    crew_lock(writer->crew);
    int result = work_locked(writer, &worker, err);
    crew_unlock(writer->crew);
    return result;
}

/* ---- frames on their way out ---- */

int writer_note_frame(struct artifact_writer *writer, struct job *job, struct error *err)
{
    struct index_frame *frame = &job->frame;
    frame->offset = writer->offset;
    writer->offset += frame->length;
    index_append_frame(&job->members, frame);
    if (index_writer_add(writer->index, &job->members, err) < 0)
        return -1;
    if (!writer->is_image || writer->frames_too_many)
        return 0;
    if (writer->frame_count == FRAMES_KEPT) {
        writer->frames_too_many = true;
        return 0;
    }
    ARRAY_GROW(writer->frames, writer->frame_count, writer->frame_capacity);
    struct manifest_frame *kept = &writer->frames[writer->frame_count++];
    *kept = (struct manifest_frame){
        .offset = frame->offset, .length = frame->length, .plain = frame->plain};
    memcpy(kept->sha256, frame->sha256, sizeof kept->sha256);
    return 0;
}

void writer_clear_job(struct job *job)
{
    free(job->schema);
    free(job->table);
    buf_clear(&job->members);
    *job = (struct job){.members = BUF_INIT};
}

static int write_frame(struct artifact_writer *writer, struct job *job, struct error *err)
{
    if (sink_write(writer->first, job->buffer->pages.data, job->buffer->size, err) < 0 ||
        writer_note_frame(writer, job, err) < 0)
        return -1;
    crew_lock(writer->crew);
    /* A buffer that one giant row made large is not kept. */
    if (job->buffer->pages.capacity > SEGMENT_MAXIMUM * 2)
        pages_clear(&job->buffer->pages);
    job->buffer->used = false;
    writer->flight -= job->frame.plain;
    writer->written++;
    crew_wake(writer->crew);
    crew_unlock(writer->crew);
    return 0;
}

/* The next frame in order once it is there, else NULL: closed and all written, or failed. */
static struct job *next_frame(struct artifact_writer *writer)
{
    struct job *job = NULL;
    crew_lock(writer->crew);
    while (!job && !crew_failed(writer->crew) &&
           !(writer->closed && writer->written == writer->pushed)) {
        struct job *next = job_at(writer, writer->written);
        if (writer->written < writer->pushed && next->hashed)
            job = next;
        else
            crew_wait(writer->crew);
    }
    crew_unlock(writer->crew);
    return job;
}

static int write_frames(void *context, struct error *err)
{
    struct artifact_writer *writer = context;
    for (;;) {
        struct job *job = next_frame(writer);
        if (!job)
            return 0;
        struct job mine = *job;
        /* From the moment it counts as written its place in the ring may be taken. */
        *job = (struct job){.members = BUF_INIT, .buffer = NULL};
        int result = write_frame(writer, &mine, err);
        writer_clear_job(&mine);
        if (result < 0)
            return -1;
    }
}

/* ---- life ---- */

static int start_threads(struct artifact_writer *writer, int jobs, struct error *err)
{
    for (int i = 0; i < jobs; i++)
        if (crew_start(writer->crew, work, writer, err) < 0)
            return -1;
    return crew_start(writer->crew, write_frames, writer, err);
}

static int open_cipher(struct artifact_writer *writer, const struct artifact_options *options,
                       struct error *err)
{
    writer->first = output_sink(writer->output);
    bool to_recipients = options->recipients && options->recipients->count;
    if (!to_recipients && !options->passphrase)
        return 0;
    if (age_encrypt_new(options->os, options->recipients, options->passphrase, writer->first,
                        &writer->cipher, err) < 0)
        return -1;
    writer->first = writer->cipher;
    if (to_recipients)
        text_list_add_all(&writer->recipients, options->recipients);
    else
        text_list_add(&writer->recipients, "passphrase");
    return 0;
}

static struct artifact_writer *writer_new(const struct artifact_options *options)
{
    size_t jobs = (size_t)options->jobs;
    struct artifact_writer *writer = MEM_NEW(struct artifact_writer);
    writer->sink.ops = &sink_ops;
    writer->os = options->os;
    writer->store = options->store;
    writer->progress = options->progress;
    writer->compression = options->compression;
    writer->name = (struct artifact_name){
        .name = mem_string(options->name),
        .moment_ns = options->moment_ns,
        .part = mem_string(options->part),
        .kind = mem_string(options->kind),
        .compression = options->compression.kind,
        .encrypted = options->passphrase || (options->recipients && options->recipients->count),
        .clash = 1,
    };
    writer->is_image = strcmp(options->kind, "sqlite3") == 0;
    writer->crew = crew_new();
    /* One that each reader fills, one that each worker compresses, and two so that nobody waits. */
    writer->segments = segments_new(writer->crew, 2 * jobs + 2);
    writer->buffer_count = jobs + 2;
    writer->buffers = mem_alloc(writer->buffer_count, sizeof *writer->buffers);
    writer->job_count = 2 * jobs + 2 + writer->buffer_count;
    writer->jobs = mem_alloc(writer->job_count, sizeof *writer->jobs);
    writer->index = index_writer_new(options->kind);
    writer->tables = BUF_INIT;
    writer->digest = sha256_new();
    return writer;
}

static bool is_kind(const char *kind)
{
    return strcmp(kind, "sql") == 0 || strcmp(kind, "sqlite3") == 0 || strcmp(kind, "tar") == 0;
}

int artifact_create(const struct artifact_options *options, struct artifact_writer **ret_writer,
                    struct error *err)
{
    if (!is_kind(options->kind))
        return error_set(err, ERROR_USAGE, "\"%s\" is no kind of artifact", options->kind);
    if (options->jobs < 1 || options->jobs > 256)
        return error_set(err, ERROR_USAGE, "%d jobs are not between 1 and 256", options->jobs);
    SCOPED(artifact_writer) struct artifact_writer *writer = writer_new(options);
    if (output_open(options->store, writer->crew, &writer->output, err) < 0 ||
        open_cipher(writer, options, err) < 0 || start_threads(writer, options->jobs, err) < 0)
        return -1;
    *ret_writer = STEAL(writer);
    return 0;
}

struct segment_sink *artifact_sink(struct artifact_writer *writer)
{
    return &writer->sink;
}

void artifact_writer_free(struct artifact_writer *writer)
{
    if (!writer)
        return;
    struct error dropped = ERROR_INIT;
    error_set(&dropped, ERROR_FAILED, "given up");
    crew_fail(writer->crew, &dropped);
    crew_join(writer->crew, NULL);
    sink_free(writer->cipher);
    output_close(writer->output);
    for (size_t i = 0; i < writer->job_count; i++)
        writer_clear_job(&writer->jobs[i]);
    free(writer->jobs);
    segments_free(writer->segments);
    for (size_t i = 0; i < writer->buffer_count; i++)
        pages_clear(&writer->buffers[i].pages);
    free(writer->buffers);
    index_writer_free(writer->index);
    artifact_name_clear(&writer->name);
    text_list_clear(&writer->recipients);
    buf_clear(&writer->tables);
    free(writer->frames);
    sha256_free(writer->digest);
    crew_free(writer->crew);
    free(writer);
}
