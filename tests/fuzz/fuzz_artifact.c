/*
 * Whole artifacts: opened, read front to back and by number, verified, described.
 *
 * The first byte says what the others are: a stored file, a manifest and a file, or the plain
 * content of frames, of which the last may be the index; those are compressed and hashed here, so
 * that inputs come past the checksums.
 */
#include "fuzz.h"

#include "artifact/artifact.h"
#include "artifact/compression.h"
#include "artifact/index.h"
#include "artifact/manifest.h"
#include "base/os.h"
#include "base/segment.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "io/codec.h"
#include "store/store.h"

#include "harness/age_memory.h"
#include "harness/store_memory.h"

static const char *const kinds[] = {"sql", "sqlite3", "tar"};
static const char *const endings[] = {"", ".zst", ".gz"};
static const char *const compressions[] = {"none", "zstd:3", "gzip:1"};

/* What bits of the first byte say. */
struct shape {
    const char *kind;
    enum compression compression;
    char file[64];
};

static struct shape shape_of(uint8_t byte)
{
    struct shape shape = {.kind = kinds[(byte & 3) % 3],
                          .compression = (enum compression)((byte >> 2 & 3) % 3)};
    /* With the top bit the kind is to be found out. */
    if (byte & 0x80)
        strcpy(shape.file, "something");
    else
        snprintf(shape.file, sizeof shape.file, "shop_2026-01-31_020000.%s%s", shape.kind,
                 endings[shape.compression]);
    return shape;
}

/* ---- reading ---- */

static int take_member(void *context, const char *path, char type, uint64_t size, struct error *err)
{
    (void)context;
    (void)type;
    (void)size;
    (void)err;
    MUST(path);
    return 0;
}

static void read_by_number(struct segment_source *source)
{
    struct error err = ERROR_INIT;
    for (size_t i = 0; i < source->ops->count(source); i++) {
        struct segment *segment = NULL;
        if (source->ops->read(source, i, &segment, &err) < 0) {
            MUST_SAY(&err);
            return;
        }
        MUST(segment->size == source->ops->frame(source, i)->size);
        source->ops->drop(source, segment);
    }
}

static void read_in_order(struct segment_source *source)
{
    struct error err = ERROR_INIT;
    struct segment *segment = NULL;
    int result;
    while ((result = source->ops->next(source, &segment, &err)) > 0) {
        MUST(segment->size > 0);
        source->ops->drop(source, segment);
    }
    if (result < 0)
        MUST_SAY(&err);
}

static void read_all(const struct artifact_open_options *options)
{
    struct error err = ERROR_INIT;
    SCOPED(artifact_reader) struct artifact_reader *reader = NULL;
    if (artifact_open(options, &reader, &err) < 0) {
        MUST_SAY(&err);
        return;
    }
    struct segment_source *source = artifact_segments(reader);
    for (size_t i = 0; i < source->ops->table_count(source); i++)
        MUST(source->ops->table(source, i)->name);
    read_by_number(source);
    read_in_order(source);
    if (source->ops->members(source, take_member, NULL, &err) < 0)
        MUST_SAY(&err);
}

static void verify(const struct artifact_open_options *options)
{
    struct error err = ERROR_INIT;
    struct verify_result result = {0};
    int answer = artifact_verify(options, 2, &result, &err);
    MUST(answer == 0 ? result.level == 2 : result.level < 2);
    if (answer < 0)
        MUST_SAY(&err);
    verify_result_clear(&result);
}

/* What was described is what is verified. */
static void describe(const struct artifact_open_options *options)
{
    struct error err = ERROR_INIT;
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    SCOPED(buf) struct buf json = BUF_INIT;
    if (artifact_describe(options, &manifest, &err) < 0) {
        MUST_SAY(&err);
        return;
    }
    MUST(manifest_format(&manifest, &json, &err) == 0);
    SCOPED(string) char *key = mem_format("%s.json", options->file);
    store_memory_put(options->store, key, json.data, json.length);
    read_all(options);
    verify(options);
}

static void try_all(struct store *store, const char *file)
{
    struct artifact_open_options options = {
        .os = os_real(), .store = store, .file = file, .jobs = 1};
    read_all(&options);
    verify(&options);
    options.ignore_manifest = true;
    read_all(&options);
    options.ignore_manifest = false;
    describe(&options);
}

/* ---- making ---- */

/* How the last piece of plain content becomes the index. */
enum indexing { UNINDEXED, INDEX_AS_IT_IS, INDEX_LINES };

struct making {
    const struct shape *shape;
    enum indexing indexing;
    struct buf *file;
    struct manifest *manifest;
    size_t capacity; /* of manifest->frames */
    struct sha256 *digest;
};

static void encode(const struct making *making, const struct buf *plain)
{
    struct error err = ERROR_INIT;
    SCOPED(encoder)
    struct encoder *encoder =
        compression_encoder((struct compression_choice){making->shape->compression, 0}, "sql");
    size_t bound = encoder_bound(encoder, plain->length) + 1;
    SCOPED(memory) void *out = mem_alloc(bound, 1);
    size_t length = 0;
    MUST(encoder_encode(encoder, plain->data, plain->length, out, bound, &length, &err) == 0);
    buf_append(making->file, out, length);
}

static void add_frame(struct making *making, const struct buf *plain)
{
    struct manifest *manifest = making->manifest;
    ARRAY_GROW(manifest->frames, manifest->frame_count, making->capacity);
    struct manifest_frame *frame = &manifest->frames[manifest->frame_count++];
    *frame = (struct manifest_frame){.offset = making->file->length, .plain = plain->length};
    encode(making, plain);
    frame->length = making->file->length - frame->offset;
    sha256_of(making->file->data + frame->offset, (size_t)frame->length, frame->sha256);
    sha256_update(making->digest, plain->data, plain->length);
    manifest->plain_bytes += plain->length;
}

static void add_index(struct making *making, const struct buf *plain)
{
    struct error err = ERROR_INIT;
    SCOPED(index_writer) struct index_writer *writer = index_writer_new(making->shape->kind);
    struct sink_memory sink;
    making->manifest->index_offset = making->file->length;
    sink_memory_init(&sink, making->file);
    if (making->indexing == INDEX_AS_IT_IS) {
        encode(making, plain);
    } else {
        SCOPED(buf) struct buf lines = BUF_INIT;
        buf_append_text(&lines, plain->data);
        if (!text_ends(lines.data, "\n"))
            buf_append_char(&lines, '\n');
        MUST(index_writer_add(writer, &lines, &err) == 0);
        MUST(index_writer_finish(writer, (struct compression_choice){making->shape->compression, 0},
                                 &sink.base, &err) == 0);
    }
    making->manifest->index_length = making->file->length - making->manifest->index_offset;
}

/* In an index that an input brings, "%3h%" is the SHA-256 of frame 3 in hex, "%3l%" its length,
 * "%3p%" that of its content and "%3o%" its offset. */
static void fill_in(const char *text, size_t size, const struct manifest *manifest, struct buf *out)
{
    for (size_t i = 0; i < size; i++) {
        bool marked = text[i] == '%' && size - i > 3 && text[i + 3] == '%';
        size_t number = marked ? (size_t)(text[i + 1] - '0') : SIZE_MAX;
        if (number >= manifest->frame_count) {
            buf_append_char(out, text[i]);
            continue;
        }
        const struct manifest_frame *frame = &manifest->frames[number];
        char hex[65];
        text_hex(frame->sha256, sizeof frame->sha256, hex);
        if (text[i + 2] == 'h')
            buf_append_text(out, hex);
        else
            buf_append_format(out, "%llu",
                              (unsigned long long)(text[i + 2] == 'l'   ? frame->length
                                                   : text[i + 2] == 'p' ? frame->plain
                                                                        : frame->offset));
        i += 3;
    }
}

/* The pieces stand between bytes 0xFF. */
static void add_pieces(struct making *making, struct input *input)
{
    while (input->size && making->manifest->frame_count < 10) {
        const uint8_t *mark = memchr(input->data, 0xFF, input->size);
        size_t size = mark ? (size_t)(mark - input->data) : input->size;
        SCOPED(buf) struct buf plain = BUF_INIT;
        fill_in((const char *)input->data, size, making->manifest, &plain);
        input->data += size + (mark ? 1 : 0);
        input->size -= size + (mark ? 1 : 0);
        if (making->indexing != UNINDEXED && !input->size)
            add_index(making, &plain);
        else
            add_frame(making, &plain);
    }
}

/* The rest of what the artifact's writer would state. */
static void complete(struct making *making)
{
    struct manifest *manifest = making->manifest;
    uint8_t checksum[32];
    manifest->id = mem_string("01ARZ3NDEKTSV4RRFFQ69G5FAV");
    manifest->kind = mem_string(making->shape->kind);
    manifest->file = mem_string(making->shape->file);
    manifest->compression = mem_string(compressions[making->shape->compression]);
    manifest->encryption = mem_string("none");
    manifest->size_bytes = making->file->length;
    sha256_of(making->file->data, making->file->length, checksum);
    text_hex(checksum, sizeof checksum, manifest->checksum);
    bool image = strcmp(making->shape->kind, "sqlite3") == 0;
    if (image)
        sha256_finish_text(making->digest, manifest->digest);
    if (image && !manifest->index_length) {
        if (!manifest->frames)
            manifest->frames = mem_alloc(1, sizeof *manifest->frames);
        return;
    }
    free(STEAL(manifest->frames));
    manifest->frame_count = 0;
}

/* ---- the three ways ---- */

static void try_made(const struct shape *shape, struct input *input, struct store *store)
{
    struct error err = ERROR_INIT;
    SCOPED(buf) struct buf file = BUF_INIT;
    SCOPED(buf) struct buf json = BUF_INIT;
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    SCOPED(sha256) struct sha256 *digest = sha256_new();
    struct making making = {.shape = shape, .file = &file, .manifest = &manifest, .digest = digest};
    making.indexing = (enum indexing)(input_byte(input) % 3);
    manifest.rows = input_byte(input);
    add_pieces(&making, input);
    complete(&making);
    MUST(manifest_format(&manifest, &json, &err) == 0);
    SCOPED(string) char *key = mem_format("%s.json", shape->file);
    store_memory_put(store, shape->file, file.data, file.length);
    store_memory_put(store, key, json.data, json.length);
    try_all(store, shape->file);
}

static void try_described(const struct shape *shape, struct input *input, struct store *store)
{
    size_t size = (size_t)input_byte(input) << 8;
    size |= input_byte(input);
    if (size > input->size)
        size = input->size;
    SCOPED(string) char *key = mem_format("%s.json", shape->file);
    store_memory_put(store, key, input->data, size);
    store_memory_put(store, shape->file, input->data + size, input->size - size);
    try_all(store, shape->file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct input input = {data, size};
    uint8_t byte = input_byte(&input);
    struct shape shape = shape_of(byte);
    SCOPED(store) struct store *store = store_memory_new(os_real());
    switch (byte >> 4 & 3) {
    case 0:
        store_memory_put(store, shape.file, input.data, input.size);
        try_all(store, shape.file);
        break;
    case 1:
        try_described(&shape, &input, store);
        break;
    default:
        try_made(&shape, &input, store);
    }
    return 0;
}
