/*
 * Reading an artifact: segments front to back, or by number from any thread.
 */
#include "artifact/artifact.h"

#include "artifact/frame.h"
#include "artifact/index.h"
#include "artifact/opened.h"
#include "artifact/stream.h"
#include "base/error.h"
#include "base/segment.h"
#include "base/stop.h"
#include "base/text.h"
#include "io/crew.h"
#include "io/progress.h"
#include "io/segments.h"
#include "io/tar.h"

#include <assert.h>
#include <stdlib.h>

#define MEMBERS_PIECE ((size_t)1 << 20)

/* A frame reader that goes round, like the segments. */
struct slot {
    struct frame_reader frame;
    bool used;
};

struct artifact_reader {
    struct segment_source source;
    struct opened opened;
    struct progress *progress;
    struct crew *crew; /* its lock; it has no threads */
    struct segments *segments;
    struct slot *slots;
    size_t slot_count;
    size_t next;           /* frame, front to back */
    struct stream *stream; /* where frames are not known */
    uint64_t plain;        /* given out by the stream */
};

static struct artifact_reader *reader_of(struct segment_source *source)
{
    return (struct artifact_reader *)source;
}

/* ---- by number ---- */

static struct slot *take_slot(struct artifact_reader *reader)
{
    struct slot *taken = NULL;
    crew_lock(reader->crew);
    while (!taken) {
        for (size_t i = 0; i < reader->slot_count && !taken; i++)
            if (!reader->slots[i].used)
                taken = &reader->slots[i];
        if (!taken)
            crew_wait(reader->crew);
    }
    taken->used = true;
    crew_unlock(reader->crew);
    return taken;
}

static void give_slot(struct artifact_reader *reader, struct slot *slot)
{
    crew_lock(reader->crew);
    slot->used = false;
    crew_wake(reader->crew);
    crew_unlock(reader->crew);
}

static int fill(struct artifact_reader *reader, size_t number, struct segment *segment,
                struct error *err)
{
    const struct content_frame *frame = &reader->opened.contents.frames[number];
    struct slot *slot = take_slot(reader);
    int result = frame_fetch(&slot->frame, frame, number, err);
    if (result == 0)
        result = frame_decode(&slot->frame, frame, number, segment->data, err);
    give_slot(reader, slot);
    if (result < 0)
        return error_prefix(err, "%s", reader->opened.file);
    segment->size = frame->view.size;
    segment->section = frame->view.section;
    segment->offset = frame->view.offset;
    segment->frame = number;
    segment->rows = frame->view.rows;
    segment->schema = frame->view.schema;
    segment->table = frame->view.table;
    progress_add(reader->progress, segment->size);
    return 0;
}

static int source_read(struct segment_source *source, size_t number, struct segment **ret_segment,
                       struct error *err)
{
    struct artifact_reader *reader = reader_of(source);
    assert(number < reader->opened.contents.frame_count);
    size_t size = reader->opened.contents.frames[number].view.size;
    struct segment *segment = NULL;
    if (stop_check(err) < 0 || segments_take(reader->segments, size, &segment, err) < 0)
        return -1;
    if (fill(reader, number, segment, err) < 0) {
        segments_give(reader->segments, segment);
        return -1;
    }
    *ret_segment = segment;
    return 0;
}

static size_t source_count(struct segment_source *source)
{
    return reader_of(source)->opened.contents.frame_count;
}

static const struct segment_frame *source_frame(struct segment_source *source, size_t number)
{
    return &reader_of(source)->opened.contents.frames[number].view;
}

static size_t source_table_count(struct segment_source *source)
{
    return reader_of(source)->opened.contents.table_count;
}

static const struct segment_table *source_table(struct segment_source *source, size_t number)
{
    return &reader_of(source)->opened.contents.tables[number];
}

static void source_drop(struct segment_source *source, struct segment *segment)
{
    segments_give(reader_of(source)->segments, segment);
}

/* ---- front to back ---- */

static int next_piece(struct artifact_reader *reader, struct segment **ret_segment,
                      struct error *err)
{
    struct segment *segment = NULL;
    if (segments_take(reader->segments, 0, &segment, err) < 0)
        return -1;
    int result = stream_read(reader->stream, segment->data, SEGMENT_SIZE, &segment->size, err);
    if (result < 0 || !segment->size) {
        segments_give(reader->segments, segment);
        return result < 0 ? error_prefix(err, "%s", reader->opened.file) : 0;
    }
    segment->offset = reader->plain;
    segment->frame = reader->next++;
    reader->plain += segment->size;
    progress_add(reader->progress, segment->size);
    *ret_segment = segment;
    return 1;
}

static int source_next(struct segment_source *source, struct segment **ret_segment,
                       struct error *err)
{
    struct artifact_reader *reader = reader_of(source);
    if (reader->stream)
        return next_piece(reader, ret_segment, err);
    const struct contents *contents = &reader->opened.contents;
    while (reader->next < contents->frame_count && !contents->frames[reader->next].view.size)
        reader->next++;
    if (reader->next == contents->frame_count)
        return 0;
    if (source_read(source, reader->next, ret_segment, err) < 0)
        return -1;
    reader->next++;
    return 1;
}

/* ---- members ---- */

struct member_visit {
    segment_member_fn *visit;
    void *context;
    size_t frame_count;
};

static int visit_member(void *context, const struct index_member *line, struct error *err)
{
    const struct member_visit *visit = context;
    if (line->frame >= visit->frame_count)
        return error_set(err, ERROR_CORRUPT, "index: a member begins in no frame");
    return visit->visit(visit->context, line->path, line->type, line->size, err);
}

/* Whatever of the archive has come so far. 1 at its end. */
static int visit_parsed(struct tar_parser *parser, const uint8_t *data, size_t size,
                        const struct member_visit *visit, struct error *err)
{
    for (;;) {
        enum tar_event event = TAR_MORE;
        struct tar_piece piece;
        if (tar_parser_next(parser, &data, &size, &event, &piece, err) < 0)
            return -1;
        if (event == TAR_MORE || event == TAR_END)
            return event == TAR_END;
        const struct tar_member *member = tar_parser_member(parser);
        int result = event == TAR_MEMBER ? visit->visit(visit->context, member->path,
                                                        (char)member->type, member->size, err)
                                         : 0;
        if (result)
            return result;
    }
}

static int pass_over(const struct opened *opened, struct tar_parser *parser,
                     const struct member_visit *visit, struct error *err)
{
    SCOPED(stream) struct stream *stream = stream_new(opened->input, opened->compression);
    SCOPED(memory) void *data = mem_alloc(MEMBERS_PIECE, 1);
    size_t size = 0;
    do {
        if (stop_check(err) < 0 || stream_read(stream, data, MEMBERS_PIECE, &size, err) < 0)
            return -1;
        int over = visit_parsed(parser, data, size, visit, err);
        if (over)
            return over < 0 ? -1 : 0;
    } while (size);
    return tar_parser_finish(parser, err);
}

static int source_members(struct segment_source *source, segment_member_fn *visit, void *context,
                          struct error *err)
{
    const struct opened *opened = &reader_of(source)->opened;
    struct member_visit members = {visit, context, opened->contents.frame_count};
    struct index_visitor visitor = {.context = &members, .member = visit_member};
    struct index_place place = opened_index(opened);
    if (place.length)
        return index_read(&place, &visitor, err);
    if (!text_equal(opened->kind, "tar"))
        return 0;
    struct tar_parser *parser = tar_parser_new();
    int result = pass_over(opened, parser, &members, err);
    tar_parser_free(parser);
    return result < 0 ? error_prefix(err, "%s", opened->file) : result;
}

static const struct segment_source_ops source_ops = {
    .next = source_next,
    .count = source_count,
    .frame = source_frame,
    .table_count = source_table_count,
    .table = source_table,
    .members = source_members,
    .read = source_read,
    .drop = source_drop,
};

/* ---- life ---- */

int artifact_open(const struct artifact_open_options *options, struct artifact_reader **ret_reader,
                  struct error *err)
{
    size_t jobs = options->jobs > 0 ? (size_t)options->jobs : 1;
    SCOPED(artifact_reader) struct artifact_reader *reader = MEM_NEW(struct artifact_reader);
    reader->source.ops = &source_ops;
    reader->progress = options->progress;
    if (opened_open(options, &reader->opened, err) < 0)
        return -1;
    const struct opened *opened = &reader->opened;
    reader->crew = crew_new();
    reader->segments = segments_new(reader->crew, 2 * jobs + 2);
    reader->slots = mem_alloc(jobs + 1, sizeof *reader->slots);
    reader->slot_count = jobs + 1;
    for (size_t i = 0; i < reader->slot_count; i++)
        frame_reader_init(&reader->slots[i].frame, opened->input, opened->compression);
    if (!opened_indexed(opened))
        reader->stream = stream_new(opened->input, opened->compression);
    *ret_reader = STEAL(reader);
    return 0;
}

const struct manifest *artifact_manifest(const struct artifact_reader *reader)
{
    return reader->opened.described ? &reader->opened.manifest : NULL;
}

bool artifact_proves_itself(const struct artifact_reader *reader)
{
    const struct manifest *manifest = artifact_manifest(reader);
    return manifest && manifest->sealed && (manifest->digest[0] || manifest->index_checksum[0]);
}

struct segment_source *artifact_segments(struct artifact_reader *reader)
{
    return &reader->source;
}

const char *artifact_kind(const struct artifact_reader *reader)
{
    return reader->opened.kind;
}

void artifact_close(struct artifact_reader *reader)
{
    if (!reader)
        return;
    stream_free(reader->stream);
    for (size_t i = 0; i < reader->slot_count; i++)
        frame_reader_clear(&reader->slots[i].frame);
    free(reader->slots);
    segments_free(reader->segments);
    crew_free(reader->crew);
    opened_close(&reader->opened);
    free(reader);
}
