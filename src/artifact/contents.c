#include "artifact/contents.h"

#include "artifact/index.h"
#include "artifact/manifest.h"
#include "base/error.h"
#include "io/codec.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A database image is cut wherever it suits, so no frame of it needs to be long. */
#define IMAGE_FRAME_MAXIMUM ((uint64_t)64 << 20)
#define TABLES_MAXIMUM ((size_t)1 << 22)

void contents_clear(struct contents *contents)
{
    free(contents->frames);
    free(contents->tables);
    text_list_clear(&contents->strings);
    *contents = (struct contents){0};
}

/* A copy that lives as long as the contents; the same text twice in a row is kept once. */
static const char *keep(struct contents *contents, const char *text, const char *last)
{
    if (!text)
        return NULL;
    if (text_equal(text, last))
        return last;
    text_list_add(&contents->strings, text);
    return contents->strings.items[contents->strings.count - 1];
}

static int add_frame(struct contents *contents, const struct content_frame *frame,
                     struct error *err)
{
    size_t number = contents->frame_count;
    if (frame->offset != contents->end)
        return error_set(err, ERROR_CORRUPT, "frame %zu does not follow the last", number);
    if (frame->length > contents->stream_size - contents->end)
        return error_set(err, ERROR_CORRUPT, "frame %zu goes past the end of the file", number);
    if (frame->length > CODEC_MAXIMUM || frame->view.size > CODEC_MAXIMUM)
        return error_set(err, ERROR_CORRUPT, "frame %zu is too long", number);
    if (contents->image && frame->view.size > IMAGE_FRAME_MAXIMUM)
        return error_set(err, ERROR_CORRUPT, "frame %zu is too long", number);
    if (!frame->length && frame->view.size)
        return error_set(err, ERROR_CORRUPT, "frame %zu has no length", number);
    ARRAY_GROW(contents->frames, number, contents->frame_capacity);
    contents->frames[number] = *frame;
    contents->frames[number].view.offset = contents->plain;
    contents->frame_count++;
    contents->end += frame->length;
    contents->plain += frame->view.size;
    if (__builtin_add_overflow(contents->rows, frame->view.rows, &contents->rows))
        return error_set(err, ERROR_CORRUPT, "frame %zu has too many rows", number);
    return 0;
}

/* ---- from the index ---- */

static int take_frame(void *context, const struct index_frame *line, struct error *err)
{
    struct contents *contents = context;
    const struct content_frame *last =
        contents->frame_count ? &contents->frames[contents->frame_count - 1] : NULL;
    if (line->number != contents->frame_count || line->section == SECTION_INDEX || !line->length)
        return error_set(err, ERROR_CORRUPT, "index: frame %llu is not the next one",
                         (unsigned long long)line->number);
    struct content_frame frame = {
        .view = {.section = line->section,
                 .schema = keep(contents, line->schema, last ? last->view.schema : NULL),
                 .table = keep(contents, line->table, last ? last->view.table : NULL),
                 .size = line->plain,
                 .rows = line->rows},
        .offset = line->offset,
        .length = line->length,
        .hashed = true,
    };
    memcpy(frame.sha256, line->sha256, sizeof frame.sha256);
    return add_frame(contents, &frame, err);
}

static int take_table(void *context, const struct segment_table *line, struct error *err)
{
    struct contents *contents = context;
    if (!line->name)
        return error_set(err, ERROR_CORRUPT, "index: a table has no name");
    if (contents->table_count == TABLES_MAXIMUM)
        return error_set(err, ERROR_CORRUPT, "index: too many tables");
    const struct segment_table *last =
        contents->table_count ? &contents->tables[contents->table_count - 1] : NULL;
    struct segment_table table = {
        .schema = keep(contents, line->schema, last ? last->schema : NULL),
        .name = keep(contents, line->name, NULL),
        .rows = line->rows,
        .bytes = line->bytes,
        .digest = keep(contents, line->digest, NULL),
    };
    ARRAY_GROW(contents->tables, contents->table_count, contents->table_capacity);
    assert(contents->tables);
    contents->tables[contents->table_count++] = table;
    return 0;
}

static int load_index(struct contents *contents, const struct index_place *place, struct error *err)
{
    struct index_visitor visitor = {.context = contents, .frame = take_frame, .table = take_table};
    if (place->offset > contents->stream_size ||
        place->length != contents->stream_size - place->offset)
        return error_set(err, ERROR_CORRUPT, "index: not at the end of the file");
    if (index_read(place, &visitor, err) < 0)
        return -1;
    if (contents->end != place->offset)
        return error_set(err, ERROR_CORRUPT, "index: frames do not reach up to it");
    return 0;
}

/* ---- from the manifest ---- */

static int load_frames(struct contents *contents, const struct manifest *manifest,
                       struct error *err)
{
    for (size_t i = 0; i < manifest->frame_count; i++) {
        const struct manifest_frame *line = &manifest->frames[i];
        struct content_frame frame = {.view = {.section = SECTION_DATA, .size = line->plain},
                                      .offset = line->offset,
                                      .length = line->length,
                                      .hashed = true};
        memcpy(frame.sha256, line->sha256, sizeof frame.sha256);
        if (add_frame(contents, &frame, err) < 0)
            return -1;
    }
    if (contents->end != contents->stream_size)
        return error_set(err, ERROR_CORRUPT, "frames do not reach up to the end of the file");
    return 0;
}

/* An image that is stored as it is can be cut anywhere. */
static int cut_image(struct contents *contents, struct error *err)
{
    while (contents->end < contents->stream_size) {
        uint64_t left = contents->stream_size - contents->end;
        uint64_t size = left < SEGMENT_SIZE ? left : SEGMENT_SIZE;
        struct content_frame frame = {.view = {.section = SECTION_DATA, .size = size},
                                      .offset = contents->end,
                                      .length = size};
        if (add_frame(contents, &frame, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- what adds up ---- */

static int compare_tables(const void *a, const void *b)
{
    const struct segment_table *left = a;
    const struct segment_table *right = b;
    int order = strcmp(left->schema ? left->schema : "", right->schema ? right->schema : "");
    return order ? order : strcmp(left->name, right->name);
}

int contents_check(const struct contents *contents, struct error *err)
{
    size_t count = contents->table_count;
    if (!count)
        return 0;
    SCOPED(memory) void *memory = mem_alloc(count, sizeof *contents->tables);
    struct segment_table *sorted = memory;
    memcpy(sorted, contents->tables, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_tables);
    for (size_t i = 0; i < contents->frame_count; i++) {
        const struct segment_frame *frame = &contents->frames[i].view;
        struct segment_table wanted = {.schema = frame->schema, .name = frame->table};
        if (!frame->table || !frame->rows)
            continue;
        struct segment_table *found =
            bsearch(&wanted, sorted, count, sizeof *sorted, compare_tables);
        if (!found)
            continue; /* a table that states no totals */
        if (found->rows < frame->rows)
            return error_set(err, ERROR_CORRUPT,
                             "index: frame %zu has rows its table does not have", i);
        found->rows -= frame->rows;
    }
    for (size_t i = 0; i < count; i++)
        if (sorted[i].rows)
            return error_set(err, ERROR_CORRUPT, "index: rows of table %s are in no frame",
                             sorted[i].name);
    return 0;
}

static int check_sums(const struct contents *contents, const struct manifest *manifest,
                      struct error *err)
{
    if (contents->plain != manifest->plain_bytes)
        return error_set(err, ERROR_CORRUPT, "frames do not add up to \"plain_bytes\"");
    if (!contents->image && contents->rows != manifest->rows)
        return error_set(err, ERROR_CORRUPT, "frames do not add up to \"rows\"");
    return 0;
}

int contents_load(struct contents *contents, const struct manifest *manifest,
                  const struct index_place *place, uint64_t stream_size, struct error *err)
{
    contents->stream_size = stream_size;
    contents->image = strcmp(manifest->kind, "sqlite3") == 0;
    if (place->length) {
        if (load_index(contents, place, err) < 0)
            return -1;
    } else if (manifest->frame_count) {
        if (load_frames(contents, manifest, err) < 0)
            return -1;
    } else if (manifest->frames && strcmp(manifest->compression, "none") == 0) {
        if (cut_image(contents, err) < 0)
            return -1;
    } else {
        return 0; /* somebody else's file: front to back only */
    }
    return check_sums(contents, manifest, err);
}
