#include "artifact/decode.h"

#include "artifact/frame.h"
#include "artifact/opened.h"
#include "artifact/stream.h"
#include "base/error.h"
#include "base/stop.h"
#include "crypto/sha256.h"
#include "io/crew.h"
#include "io/pages.h"
#include "io/progress.h"

#include <stdlib.h>
#include <string.h>

/* A frame between being fetched and having been looked at in order. */
struct lane {
    struct frame_reader reader;
    struct pages plain;
    bool busy;
    bool decoded;
};

struct decoding {
    const struct artifact_open_options *options;
    struct opened *opened;
    struct crew *crew;
    struct sha256 *stored;
    struct sha256 *digest; /* NULL when there is none to compute */

    /* Under the crew's lock. Frame n is in lanes[n % lane_count]. */
    struct lane *lanes;
    size_t lane_count;
    size_t begun;
    size_t done;
    bool looking;
};

/* ---- in order ---- */

static int look(struct decoding *decoding, size_t number, struct lane *lane, struct error *err)
{
    const struct content_frame *frame = &decoding->opened->contents.frames[number];
    if (decoding->stored)
        sha256_update(decoding->stored, lane->reader.stored.data, (size_t)frame->length);
    if (decoding->digest)
        sha256_update(decoding->digest, lane->plain.data, frame->view.size);
    progress_add(decoding->options->progress, frame->view.size);
    if (!decoding->options->checker)
        return 0;
    struct segment segment = {
        .data = lane->plain.data,
        .size = frame->view.size,
        .capacity = frame->view.size,
        .section = frame->view.section,
        .offset = frame->view.offset,
        .frame = number,
        .rows = frame->view.rows,
        .schema = frame->view.schema,
        .table = frame->view.table,
    };
    return decoding->options->checker(decoding->options->checker_context, &segment, err);
}

/* With the lock held, which is let go while looking: everything that is next in line. */
static int look_at_next(struct decoding *decoding, struct error *err)
{
    while (!decoding->looking && decoding->done < decoding->begun) {
        struct lane *lane = &decoding->lanes[decoding->done % decoding->lane_count];
        if (!lane->decoded)
            return 0;
        decoding->looking = true;
        crew_unlock(decoding->crew);
        int result = look(decoding, decoding->done, lane, err);
        crew_lock(decoding->crew);
        decoding->looking = false;
        if (result < 0)
            return -1;
        lane->decoded = false;
        lane->busy = false;
        decoding->done++;
        crew_wake(decoding->crew);
    }
    return 0;
}

/* ---- in any order ---- */

static int decode_one(struct decoding *decoding, size_t number, struct lane *lane,
                      struct error *err)
{
    const struct content_frame *frame = &decoding->opened->contents.frames[number];
    size_t size = frame->view.size ? frame->view.size : 1;
    if (stop_check(err) < 0 || pages_reserve(&lane->plain, size, 0, err) < 0 ||
        frame_fetch(&lane->reader, frame, number, err) < 0)
        return -1;
    return frame_decode(&lane->reader, frame, number, lane->plain.data, err);
}

static int work_locked(struct decoding *decoding, struct error *err)
{
    size_t count = decoding->opened->contents.frame_count;
    while (decoding->done < count && !crew_failed(decoding->crew)) {
        size_t number = decoding->begun;
        struct lane *lane = &decoding->lanes[number % decoding->lane_count];
        if (number == count || lane->busy) {
            crew_wait(decoding->crew);
            continue;
        }
        decoding->begun++;
        lane->busy = true;
        crew_unlock(decoding->crew);
        int result = decode_one(decoding, number, lane, err);
        crew_lock(decoding->crew);
        if (result < 0)
            return -1;
        lane->decoded = true;
        if (look_at_next(decoding, err) < 0)
            return -1;
    }
    return 0;
}

static int work(void *context, struct error *err)
{
    struct decoding *decoding = context;
    crew_lock(decoding->crew);
    int result = work_locked(decoding, err);
    crew_unlock(decoding->crew);
    return result;
}

static int run(struct decoding *decoding, struct error *err)
{
    struct error late = ERROR_INIT;
    for (int i = 0; i < decoding->options->jobs || i == 0; i++)
        if (crew_start(decoding->crew, work, decoding, &late) < 0)
            crew_fail(decoding->crew, &late);
    return crew_join(decoding->crew, err);
}

static int decode_frames(struct decoding *decoding, struct decode_result *result, struct error *err)
{
    int jobs = decoding->options->jobs > 0 ? decoding->options->jobs : 1;
    decoding->crew = crew_new();
    decoding->lane_count = (size_t)jobs + 2;
    decoding->lanes = mem_alloc(decoding->lane_count, sizeof *decoding->lanes);
    for (size_t i = 0; i < decoding->lane_count; i++)
        frame_reader_init(&decoding->lanes[i].reader, decoding->opened->input,
                          decoding->opened->compression);
    int answer = run(decoding, err);
    for (size_t i = 0; i < decoding->lane_count; i++) {
        frame_reader_clear(&decoding->lanes[i].reader);
        pages_clear(&decoding->lanes[i].plain);
    }
    free(decoding->lanes);
    crew_free(decoding->crew);
    result->plain = decoding->opened->contents.plain;
    result->frames = decoding->opened->contents.frame_count;
    return answer;
}

/* ---- front to back ---- */

static int decode_piece(struct decoding *decoding, struct segment *segment, struct error *err)
{
    if (decoding->digest)
        sha256_update(decoding->digest, segment->data, segment->size);
    progress_add(decoding->options->progress, segment->size);
    if (!decoding->options->checker)
        return 0;
    return decoding->options->checker(decoding->options->checker_context, segment, err);
}

static int decode_stream(struct decoding *decoding, struct decode_result *result, struct error *err)
{
    struct opened *opened = decoding->opened;
    SCOPED(stream) struct stream *stream = stream_new(opened->input, opened->compression);
    SCOPED(pages) struct pages pages = PAGES_INIT;
    if (pages_reserve(&pages, SEGMENT_SIZE, 0, err) < 0)
        return -1;
    for (;;) {
        struct segment segment = {
            .data = pages.data, .capacity = SEGMENT_SIZE, .offset = result->plain};
        if (stream_read(stream, segment.data, SEGMENT_SIZE, &segment.size, err) < 0)
            return -1;
        if (!segment.size)
            return 0;
        if (decode_piece(decoding, &segment, err) < 0)
            return -1;
        result->plain += segment.size;
    }
}

/* ---- both ---- */

/* The checksum of the file, the checksum in each frame and the frames' lengths prove the content
 * already. The digest says something new only about a manifest that may have been changed. */
static bool wants_digest(const struct opened *opened)
{
    return opened->kind && strcmp(opened->kind, "sqlite3") == 0 &&
           !(opened_indexed(opened) && opened->manifest.sealed);
}

int decode_all(const struct artifact_open_options *options, struct opened *opened,
               struct sha256 *stored, struct decode_result *ret_result, struct error *err)
{
    SCOPED(sha256) struct sha256 *digest = wants_digest(opened) ? sha256_new() : NULL;
    struct decoding decoding = {
        .options = options, .opened = opened, .stored = stored, .digest = digest};
    *ret_result = (struct decode_result){0};
    int result = opened_indexed(opened) ? decode_frames(&decoding, ret_result, err)
                                        : decode_stream(&decoding, ret_result, err);
    if (result == 0 && options->checker)
        result = options->checker(options->checker_context, NULL, err);
    if (result < 0)
        return -1;
    if (digest)
        sha256_finish_text(digest, ret_result->digest);
    if (opened->described && ret_result->plain != opened->manifest.plain_bytes)
        return error_set(err, ERROR_CORRUPT, "it holds %llu bytes, the manifest says %llu",
                         (unsigned long long)ret_result->plain,
                         (unsigned long long)opened->manifest.plain_bytes);
    return 0;
}
