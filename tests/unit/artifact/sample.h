/*
 * Artifacts for tests: a folder that cleans up after itself, and content of every kind that can be
 * checked on the way back.
 */
#ifndef KEDGE_TESTS_ARTIFACT_SAMPLE_H
#define KEDGE_TESTS_ARTIFACT_SAMPLE_H

#include "harness/scratch.h"
#include "harness/test.h"

#include "artifact/artifact.h"
#include "artifact/manifest.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/os.h"
#include "base/segment.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sample {
    char folder[64];
    struct os *os;
    struct store *store;
};

static inline void sample_open(struct sample *sample)
{
    struct error err = ERROR_INIT;
    scratch_folder(sample->folder);
    sample->os = os_real();
    assert_ok(
        store_open(sample->folder, &(struct store_options){.os = sample->os}, &sample->store, &err),
        err);
}

static inline int sample_remove(void *context, const char *name, struct error *err)
{
    (void)err;
    char path[512];
    snprintf(path, sizeof path, "%s/%s", (const char *)context, name);
    unlink(path);
    return 0;
}

static inline void sample_close(struct sample *sample)
{
    folder_list(os_real(), sample->folder, sample_remove, sample->folder, NULL);
    rmdir(sample->folder);
    store_close(sample->store);
}

/* Bytes that shrink to about half. */
static inline void sample_fill(uint8_t *data, size_t size, uint32_t seed)
{
    uint32_t state = seed * 2654435761u + 1;
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525 + 1013904223;
        data[i] = (i >> 9) & 1 ? (uint8_t)(state >> 24) : (uint8_t)("a kedge holds.\n\n"[i % 16]);
    }
}

struct sample_options {
    const char *kind;
    const char *compression;
    const char *passphrase;
    const struct text_list *recipients;
    int segments;
    size_t size; /* of each */
    int jobs;
};

static inline void sample_push_tar(struct segment *segment, int number, size_t size)
{
    char header[512] = {0};
    char path[64];
    snprintf(path, sizeof path, number % 3 ? "folder/file-%d" : "folder/caf\xe9-%d", number);
    strcpy(header, path);
    snprintf(header + 100, 8, "%07o", 0644);
    snprintf(header + 108, 8, "%07o", 0);
    snprintf(header + 116, 8, "%07o", 0);
    snprintf(header + 124, 12, "%011o", (unsigned)size);
    snprintf(header + 136, 12, "%011o", 0);
    header[156] = '0';
    memcpy(header + 257, "ustar\00000", 8);
    memset(header + 148, ' ', 8);
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof header; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    segment_append(segment, header, sizeof header);
    sample_fill(segment->data + segment->size, size, (uint32_t)number);
    segment->size += size;
    memset(segment->data + segment->size, 0, (512 - size % 512) % 512);
    segment->size += (512 - size % 512) % 512;
    segment_add_member(segment, path, '0', size);
    segment->rows = 1;
}

static inline void sample_push_sql(struct segment *segment, int number, size_t size)
{
    segment->section = number == 0 ? SECTION_PRE : SECTION_DATA;
    if (number == 0) {
        segment_append(segment, "-- a sample\n", 12);
        return;
    }
    segment->schema = "public";
    segment->table = number % 2 ? "odd \"one\"" : "ev\xc3\xa9n";
    while (segment->size < size) {
        char row[64];
        int length = snprintf(row, sizeof row, "INSERT INTO t VALUES (%d, %zu);\n", number,
                              segment->size * 7919 % 10007);
        segment_append(segment, row, (size_t)length);
        segment->rows++;
    }
}

/* Push the whole sample; the plain content is appended to `plain` (may be NULL). */
static inline int sample_push(struct segment_sink *sink, const struct sample_options *options,
                              struct buf *plain, struct error *err)
{
    uint64_t rows[2] = {0};
    for (int i = 0; i < options->segments; i++) {
        struct segment *segment = NULL;
        if (sink->ops->take(sink, options->size + 2048, &segment, err) < 0)
            return -1;
        if (strcmp(options->kind, "tar") == 0) {
            sample_push_tar(segment, i, options->size);
        } else if (strcmp(options->kind, "sql") == 0) {
            sample_push_sql(segment, i, options->size);
            rows[i % 2] += segment->rows;
        } else {
            sample_fill(segment->data, options->size, (uint32_t)i);
            segment->size = options->size;
        }
        if (plain)
            buf_append(plain, segment->data, segment->size);
        if (sink->ops->push(sink, segment, NULL, err) < 0)
            return -1;
    }
    if (strcmp(options->kind, "sql") != 0)
        return 0;
    struct segment_table tables[] = {
        {"public", "odd \"one\"", rows[1], 10, "sumxxh3:00000000000000000000000000000001"},
        {"public", "ev\xc3\xa9n", rows[0], 10, NULL},
    };
    for (size_t i = 0; i < 2; i++)
        if (sink->ops->table(sink, &tables[i], err) < 0)
            return -1;
    return 0;
}

static inline int sample_write(struct sample *sample, const struct sample_options *options,
                               struct buf *plain, struct manifest *manifest, struct error *err)
{
    struct artifact_options create = {
        .os = sample->os,
        .store = sample->store,
        .name = "shop",
        .moment_ns = INT64_C(1769824800000000000), /* 2026-01-31 02:00:00 */
        .kind = options->kind,
        .jobs = options->jobs ? options->jobs : 2,
        .recipients = options->recipients,
        .passphrase = options->passphrase,
    };
    if (compression_parse(options->compression, &create.compression, err) < 0)
        return -1;
    SCOPED(artifact_writer) struct artifact_writer *writer = NULL;
    if (artifact_create(&create, &writer, err) < 0 ||
        sample_push(artifact_sink(writer), options, plain, err) < 0)
        return -1;
    manifest->id = mem_string("01ARZ3NDEKTSV4RRFFQ69G5FAV");
    manifest->created_ns = create.moment_ns;
    return artifact_commit(writer, manifest, err);
}

/* Front to back. */
static inline int sample_read(struct sample *sample, const char *file,
                              const struct artifact_keys *keys, bool ignore_manifest,
                              struct buf *plain, struct error *err)
{
    SCOPED(artifact_reader) struct artifact_reader *reader = NULL;
    struct artifact_open_options open = {.os = sample->os,
                                         .store = sample->store,
                                         .file = file,
                                         .keys = keys,
                                         .jobs = 2,
                                         .ignore_manifest = ignore_manifest};
    if (artifact_open(&open, &reader, err) < 0)
        return -1;
    struct segment_source *source = artifact_segments(reader);
    for (;;) {
        struct segment *segment = NULL;
        int result = source->ops->next(source, &segment, err);
        if (result <= 0)
            return result;
        buf_append(plain, segment->data, segment->size);
        source->ops->drop(source, segment);
    }
}

#endif
