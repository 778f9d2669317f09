/*
 * A manifest for an artifact that has lost its own, from what the artifact holds.
 */
#include "artifact/artifact.h"

#include "artifact/compression.h"
#include "artifact/index.h"
#include "artifact/input.h"
#include "artifact/name.h"
#include "artifact/opened.h"
#include "artifact/stream.h"
#include "base/error.h"
#include "base/file.h"
#include "base/segment.h"
#include "base/ulid.h"
#include "crypto/sha256.h"
#include "io/progress.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#define PIECE ((size_t)1 << 20)
#define FRAMES_KEPT ((size_t)16384)

/* What passing once over the whole stream tells. */
struct survey {
    struct opened *opened;
    struct manifest *manifest;
    size_t capacity;
    bool frames_too_many;
    uint64_t plain; /* content so far */
    struct stream_frame last;
};

static int note_frame(void *context, const struct stream_frame *passed, struct error *err)
{
    (void)err;
    struct survey *survey = context;
    struct manifest *manifest = survey->manifest;
    survey->last = *passed;
    /* A frame that is no segment of ours would take its length in memory when read by number. */
    if (passed->plain > 2 * SEGMENT_MAXIMUM || manifest->frame_count == FRAMES_KEPT)
        survey->frames_too_many = true;
    if (survey->frames_too_many)
        return 0;
    ARRAY_GROW(manifest->frames, manifest->frame_count, survey->capacity);
    struct manifest_frame *frame = &manifest->frames[manifest->frame_count++];
    *frame = (struct manifest_frame){
        .offset = passed->offset, .length = passed->length, .plain = passed->plain};
    memcpy(frame->sha256, passed->sha256, sizeof frame->sha256);
    return 0;
}

/* ---- the pass ---- */

static int take_piece(const struct artifact_open_options *options, const struct survey *survey,
                      uint8_t *data, size_t size, struct sha256 *digest, struct error *err)
{
    sha256_update(digest, data, size);
    progress_add(options->progress, size);
    if (!options->checker)
        return 0;
    struct segment segment = {
        .data = data, .size = size, .capacity = PIECE, .offset = survey->plain};
    return options->checker(options->checker_context, &segment, err);
}

static int pass_over(const struct artifact_open_options *options, struct survey *survey,
                     struct sha256 *digest, struct error *err)
{
    struct opened *opened = survey->opened;
    SCOPED(stream) struct stream *stream = stream_new(opened->input, opened->compression);
    SCOPED(memory) void *data = mem_alloc(PIECE, 1);
    stream_watch(stream, note_frame, survey);
    for (;;) {
        size_t size = 0;
        if (stream_read(stream, data, PIECE, &size, err) < 0)
            return -1;
        if (!size)
            break;
        if (take_piece(options, survey, data, size, digest, err) < 0)
            return -1;
        survey->plain += size;
    }
    return options->checker ? options->checker(options->checker_context, NULL, err) : 0;
}

static int hash_stored(const struct opened *opened, char ret_checksum[static 65], struct error *err)
{
    SCOPED(sha256) struct sha256 *hash = sha256_new();
    SCOPED(memory) void *piece = mem_alloc(PIECE, 1);
    for (uint64_t offset = 0; offset < opened->stored_size;) {
        uint64_t left = opened->stored_size - offset;
        size_t size = left < PIECE ? (size_t)left : PIECE;
        if (input_read_stored(opened->input, offset, piece, size, err) < 0)
            return -1;
        sha256_update(hash, piece, size);
        offset += size;
    }
    sha256_finish_text(hash, ret_checksum);
    return 0;
}

/* ---- the index ---- */

struct tally {
    uint64_t plain;
    uint64_t rows;
};

static int add_up(void *context, const struct index_frame *frame, struct error *err)
{
    struct tally *tally = context;
    if (__builtin_add_overflow(tally->plain, frame->plain, &tally->plain) ||
        __builtin_add_overflow(tally->rows, frame->rows, &tally->rows))
        return error_set(err, ERROR_CORRUPT, "index: frames are too long");
    return 0;
}

/* Whether the last frame is an index; then its place goes into the manifest. */
static int find_index(struct survey *survey, struct error *err)
{
    struct opened *opened = survey->opened;
    struct manifest *manifest = survey->manifest;
    const struct stream_frame *last = &survey->last;
    uint64_t end = input_size(opened->input);
    if (!last->length || last->offset + last->length != end)
        return 0;
    struct tally tally = {0};
    struct index_visitor visitor = {.context = &tally, .frame = add_up};
    struct index_place place = opened_index(opened);
    place.offset = last->offset;
    place.length = last->length;
    struct error ours = ERROR_INIT;
    if (index_read(&place, &visitor, &ours) < 0)
        return ours.code == ERROR_CORRUPT ? 0 : (*err = ours, -1);
    if (tally.plain != last->plain_offset)
        return error_set(err, ERROR_CORRUPT, "index: frames do not add up to the content");
    manifest->index_offset = last->offset;
    manifest->index_length = last->length;
    text_hex(last->sha256, sizeof last->sha256, manifest->index_checksum);
    manifest->plain_bytes = last->plain_offset;
    manifest->rows = tally.rows;
    return 0;
}

/* ---- the rest ---- */

static void take_name(const struct opened *opened, struct manifest *manifest)
{
    SCOPED(artifact_name) struct artifact_name name = {0};
    if (!artifact_name_parse(opened->file, &name))
        return;
    manifest->created_ns = name.moment_ns;
    manifest->target = STEAL(name.name);
    manifest->part = STEAL(name.part);
}

static int take_facts(const struct artifact_open_options *options, const struct opened *opened,
                      struct manifest *manifest, struct error *err)
{
    struct ulid id;
    struct store_entry entry;
    if (ulid_make(options->os, &id, err) < 0 ||
        store_stat(opened->store, opened->file, &entry, err) < 0)
        return -1;
    manifest->id = mem_string(id.text);
    manifest->created_ns = entry.modified_ns;
    take_name(opened, manifest);
    manifest->type = mem_string(strcmp(opened->kind, "tar") == 0 ? "files" : "database");
    manifest->kind = mem_string(opened->kind);
    manifest->file = mem_string(path_base(opened->file));
    manifest->tool_version = mem_string(KEDGE_VERSION);
    manifest->compression = compression_text((struct compression_choice){opened->compression, 0});
    manifest->encryption = mem_string(input_encrypted(opened->input) ? "age" : "none");
    manifest->size_bytes = opened->stored_size;
    return hash_stored(opened, manifest->checksum, err);
}

static int survey_all(const struct artifact_open_options *options, struct survey *survey,
                      struct error *err)
{
    struct manifest *manifest = survey->manifest;
    SCOPED(sha256) struct sha256 *digest = sha256_new();
    if (pass_over(options, survey, digest, err) < 0)
        return -1;
    manifest->plain_bytes = survey->plain;
    bool image = strcmp(survey->opened->kind, "sqlite3") == 0;
    if (image)
        sha256_finish_text(digest, manifest->digest);
    if (image && !survey->frames_too_many && manifest_holds(manifest)) {
        if (!manifest->frames)
            manifest->frames = mem_alloc(1, sizeof *manifest->frames);
        return 0;
    }
    manifest->frame_count = 0;
    if (image)
        return 0;
    free(manifest->frames);
    manifest->frames = NULL;
    return find_index(survey, err);
}

int artifact_describe(const struct artifact_open_options *options, struct manifest *ret_manifest,
                      struct error *err)
{
    struct artifact_open_options blind = *options;
    blind.ignore_manifest = true;
    SCOPED(opened) struct opened opened = {0};
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    if (opened_open(&blind, &opened, err) < 0)
        return -1;
    if (!opened.kind)
        return error_set(err, ERROR_CORRUPT, "%s is no SQL, no SQLite database and no archive",
                         options->file);
    struct survey survey = {.opened = &opened, .manifest = &manifest};
    if (survey_all(&blind, &survey, err) < 0 || take_facts(options, &opened, &manifest, err) < 0)
        return error_prefix(err, "%s", options->file);
    *ret_manifest = manifest;
    manifest = MANIFEST_INIT;
    return 0;
}
