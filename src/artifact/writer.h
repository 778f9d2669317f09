/*
 * What writing and committing an artifact share: the writer's own state. For writer.c and commit.c
 * only.
 */
#ifndef KEDGE_ARTIFACT_WRITER_H
#define KEDGE_ARTIFACT_WRITER_H

#include "artifact/artifact.h"
#include "artifact/index.h"
#include "artifact/name.h"
#include "base/buf.h"
#include "base/segment.h"
#include "io/pages.h"

struct crew;
struct encoder;
struct error;
struct index_writer;
struct manifest_frame;
struct output;
struct segments;
struct sha256;
struct sink;

struct frame_buffer {
    struct pages pages;
    size_t size;
    bool used;
};

/* A segment on its way to being a frame. */
struct job {
    struct segment *segment; /* NULL once compressed and hashed */
    struct frame_buffer *buffer;
    struct index_frame frame;
    char *schema, *table; /* frame's, owned */
    struct buf members;   /* index lines of the members that begin in it */
    bool compressed;
    bool hashed;
};

struct artifact_writer {
    struct segment_sink sink;
    struct os *os;
    struct store *store;
    struct progress *progress;
    struct artifact_name name;
    struct compression_choice compression;
    struct text_list recipients;
    struct crew *crew;
    struct segments *segments;
    struct output *output;
    struct sink *cipher; /* NULL when not encrypted */
    struct sink *first;  /* where frames are pushed: the cipher, or the output */
    struct index_writer *index;
    bool is_image;
    bool committed;

    /* Under the crew's lock. Jobs are numbered as frames are; jobs[number % job_count]. */
    struct job *jobs;
    size_t job_count;
    struct frame_buffer *buffers;
    size_t buffer_count;
    uint64_t pushed;
    uint64_t taken;  /* by workers */
    uint64_t hashed; /* of an image, in order: done or being done */
    uint64_t written;
    uint64_t plain; /* bytes pushed */
    uint64_t rows;
    uint64_t flight; /* plain bytes pushed and not yet written */
    bool hashing;
    bool closed; /* nothing more will be pushed */
    struct buf tables;

    /* The writing thread's; the committing one's after it. */
    uint64_t offset; /* in the compressed stream */
    struct manifest_frame *frames;
    size_t frame_count;
    size_t frame_capacity;
    bool frames_too_many;
    struct sha256 *digest;
};

/* Where a frame lies is known: note it in the index, and of an image for the manifest. */
int writer_note_frame(struct artifact_writer *writer, struct job *job, struct error *err);
/* Compress job->segment into job->buffer. */
int writer_compress(struct encoder *encoder, struct job *job, struct error *err);
void writer_clear_job(struct job *job);

#endif
