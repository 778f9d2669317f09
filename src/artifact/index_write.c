/*
 * Writing the index: the lines, and the frame they become.
 */
#include "artifact/index.h"

#include "artifact/compression.h"
#include "artifact/index_lines.h"
#include "artifact/json.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/sink.h"
#include "base/text.h"
#include "io/codec.h"
#include "io/tar.h"
#include "io/zstd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SKIPPABLE_HEADER 8
/* An extra field's subfield: two letters, two bytes of length, and all of it in 16 bits. */
#define EXTRA_PIECE ((size_t)65535 - 4)

/* ---- lines ---- */

void index_append_frame(struct buf *lines, const struct index_frame *frame)
{
    static const char *const names[] = {"pre", "data", "post", "index"};
    char hex[65];
    text_hex(frame->sha256, sizeof frame->sha256, hex);
    buf_append_format(lines, "{\"frame\":%llu,\"section\":\"%s\"",
                      (unsigned long long)frame->number, names[frame->section]);
    if (frame->schema) {
        buf_append_char(lines, ',');
        json_append_exact(lines, "schema", frame->schema);
    }
    if (frame->table) {
        buf_append_char(lines, ',');
        json_append_exact(lines, "table", frame->table);
    }
    buf_append_format(
        lines, ",\"offset\":%llu,\"length\":%llu,\"plain\":%llu,\"rows\":%llu,\"sha256\":\"%s\"}\n",
        (unsigned long long)frame->offset, (unsigned long long)frame->length,
        (unsigned long long)frame->plain, (unsigned long long)frame->rows, hex);
}

void index_append_table(struct buf *lines, const struct segment_table *table)
{
    buf_append_char(lines, '{');
    json_append_exact(lines, "name", table->name);
    if (table->schema) {
        buf_append_char(lines, ',');
        json_append_exact(lines, "schema", table->schema);
    }
    buf_append_format(lines, ",\"rows\":%llu,\"bytes\":%llu", (unsigned long long)table->rows,
                      (unsigned long long)table->bytes);
    if (table->digest) {
        buf_append_text(lines, ",\"digest\":");
        json_append(lines, table->digest);
    }
    buf_append_text(lines, "}\n");
}

void index_append_member(struct buf *lines, const struct segment_member *member, uint64_t frame)
{
    buf_append_char(lines, '{');
    json_append_exact(lines, "path", member->path);
    char type[2] = {member->type, '\0'};
    buf_append_text(lines, ",\"type\":");
    json_append(lines, type);
    buf_append_format(lines, ",\"size\":%llu,\"frame\":%llu}\n", (unsigned long long)member->size,
                      (unsigned long long)frame);
}

/* ---- the frame ---- */

struct buf_sink {
    struct sink base;
    struct buf buf;
};

static int buf_sink_write(struct sink *base, const void *data, size_t size, struct error *err)
{
    (void)err;
    buf_append(&((struct buf_sink *)base)->buf, data, size);
    return 0;
}

static const struct sink_ops buf_sink_ops = {.write = buf_sink_write};

struct index_writer {
    bool comments;
    bool archive;
    bool image;
    uint64_t plain; /* of the lines, with what stands before them */
    struct buf_sink packed;
    struct sink *packer;
};

struct index_writer *index_writer_new(const char *kind)
{
    struct index_writer *writer = MEM_NEW(struct index_writer);
    writer->comments = strcmp(kind, "sql") == 0;
    writer->archive = strcmp(kind, "tar") == 0;
    writer->image = strcmp(kind, "sqlite3") == 0;
    writer->packed = (struct buf_sink){.base.ops = &buf_sink_ops, .buf = BUF_INIT};
    writer->packer = zstd_sink_new(ZSTD_LEVEL_DEFAULT, &writer->packed.base);
    SCOPED(buf) struct buf header = BUF_INIT;
    buf_append_text(&header, INDEX_HEADER "\n");
    index_writer_add(writer, &header, NULL);
    return writer;
}

void index_writer_free(struct index_writer *writer)
{
    if (!writer)
        return;
    sink_free(writer->packer);
    buf_clear(&writer->packed.buf);
    free(writer);
}

static int pack(struct index_writer *writer, const void *data, size_t size, struct error *err)
{
    writer->plain += size;
    return sink_write(writer->packer, data, size, err);
}

int index_writer_add(struct index_writer *writer, const struct buf *lines, struct error *err)
{
    if (!writer->comments)
        return pack(writer, lines->data, lines->length, err);
    for (const char *at = lines->data; *at;) {
        size_t length = strcspn(at, "\n") + 1;
        if (pack(writer, INDEX_COMMENT, strlen(INDEX_COMMENT), err) < 0 ||
            pack(writer, at, length, err) < 0)
            return -1;
        at += length;
    }
    return 0;
}

/* Unpack what was gathered and push it on. */
static int replay(const struct index_writer *writer, struct sink *next, struct error *err)
{
    SCOPED(decoder) struct decoder *decoder = zstd_decoder_new();
    SCOPED(memory) void *piece = mem_alloc(SEGMENT_SIZE / 16, 1);
    const struct buf *packed = &writer->packed.buf;
    struct codec_step step = {.in = (const uint8_t *)packed->data, .in_size = packed->length};
    while (!step.boundary) {
        step.out = piece;
        step.out_size = SEGMENT_SIZE / 16;
        if (decoder_step(decoder, &step, err) < 0 ||
            sink_write(next, piece, SEGMENT_SIZE / 16 - step.out_size, err) < 0)
            return -1;
    }
    return 0;
}

/* The member around the lines, and the end of the archive. */
static int write_archive(const struct index_writer *writer, struct sink *next, struct error *err)
{
    static const char zeros[TAR_BLOCK];
    struct tar_member member = {
        .path = INDEX_MEMBER, .type = TAR_FILE, .mode = 0600, .size = writer->plain};
    SCOPED(buf) struct buf blocks = BUF_INIT;
    tar_append_header(&blocks, &member);
    if (sink_write(next, blocks.data, blocks.length, err) < 0 || replay(writer, next, err) < 0 ||
        sink_write(next, zeros, tar_padding(writer->plain), err) < 0)
        return -1;
    buf_reset(&blocks);
    tar_append_end(&blocks);
    return sink_write(next, blocks.data, blocks.length, err);
}

static void put_little(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static int write_skippable(const struct buf *packed, struct sink *next, struct error *err)
{
    uint8_t header[SKIPPABLE_HEADER];
    if (packed->length > UINT32_MAX)
        return error_set(err, ERROR_FAILED, "the index is too long");
    put_little(header, 0x184D2A50, 4);
    put_little(header + 4, packed->length, 4);
    if (sink_write(next, header, sizeof header, err) < 0)
        return -1;
    return sink_write(next, packed->data, packed->length, err);
}

/* Empty members, each with a piece in the subfield "KI" of its extra field. */
static int write_extra_fields(const struct buf *packed, struct sink *next, struct error *err)
{
    static const uint8_t nothing[] = {3, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    for (size_t at = 0; at < packed->length;) {
        size_t piece = packed->length - at < EXTRA_PIECE ? packed->length - at : EXTRA_PIECE;
        uint8_t header[16] = {0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 255, 0, 0, 'K', 'I', 0, 0};
        put_little(header + 10, piece + 4, 2);
        put_little(header + 14, piece, 2);
        if (sink_write(next, header, sizeof header, err) < 0 ||
            sink_write(next, packed->data + at, piece, err) < 0 ||
            sink_write(next, nothing, sizeof nothing, err) < 0)
            return -1;
        at += piece;
    }
    return 0;
}

int index_writer_finish(struct index_writer *writer, struct compression_choice choice,
                        struct sink *next, struct error *err)
{
    if (sink_finish(writer->packer, err) < 0)
        return -1;
    if (writer->image && choice.kind == COMPRESSION_GZIP)
        return write_extra_fields(&writer->packed.buf, next, err);
    if (writer->image)
        return write_skippable(&writer->packed.buf, next, err);
    struct sink *frame = compression_sink(choice, next);
    int result = writer->archive ? write_archive(writer, frame, err) : replay(writer, frame, err);
    if (result == 0)
        result = sink_finish(frame, err);
    sink_free(frame);
    return result;
}
