/*
 * The files source without the rest of kedge, for the tests that set it against real tar programs.
 *
 *     files_tool dump ARCHIVE [--exclude GLOB] [--exclude-caches] [--one-file-system] [--jobs N]
 * PATH... files_tool load ARCHIVE [--to DIR] [--include GLOB] [--exclude GLOB] [--metadata JSON]
 * [--id ID]
 *                     [--jobs N] [--piece BYTES] [--devices] [--keep] [--dry-run] [PATH...]
 *     files_tool recover|undo|discard KEPT
 *
 * dump writes the plain archive, end blocks included, and prints metadata and what is incomplete;
 * load prints kept before the swap. KEDGE_TEST_FAULT=kind:number breaks a call (os_faulty.h).
 */
#include "base/error.h"
#include "base/file.h"
#include "base/os.h"
#include "base/segment.h"
#include "harness/os_faulty.h"
#include "harness/segments_memory.h"
#include "io/tar.h"
#include "source/source.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXCLUDE = 256, INCLUDE, CACHES, ONE, JOBS, TO, METADATA, ID, PIECE, DEVICES, KEEP, DRY };

static const struct option options[] = {{"exclude", required_argument, NULL, EXCLUDE},
                                        {"include", required_argument, NULL, INCLUDE},
                                        {"exclude-caches", no_argument, NULL, CACHES},
                                        {"one-file-system", no_argument, NULL, ONE},
                                        {"jobs", required_argument, NULL, JOBS},
                                        {"to", required_argument, NULL, TO},
                                        {"metadata", required_argument, NULL, METADATA},
                                        {"id", required_argument, NULL, ID},
                                        {"piece", required_argument, NULL, PIECE},
                                        {"devices", no_argument, NULL, DEVICES},
                                        {"keep", no_argument, NULL, KEEP},
                                        {"dry-run", no_argument, NULL, DRY},
                                        {NULL, 0, NULL, 0}};

struct arguments {
    struct text_list exclude, include, paths;
    bool caches, one_file_system, devices, keep, dry_run;
    int jobs;
    size_t piece;
    const char *to, *metadata, *id;
};

static struct arguments parse(int argc, char **argv)
{
    struct arguments a = {.jobs = 2, .id = "01ARZ3NDEKTSV4RRFFQ69G5FAV"};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case EXCLUDE:
            text_list_add(&a.exclude, optarg);
            break;
        case INCLUDE:
            text_list_add(&a.include, optarg);
            break;
        case CACHES:
            a.caches = true;
            break;
        case ONE:
            a.one_file_system = true;
            break;
        case JOBS:
            a.jobs = atoi(optarg);
            break;
        case TO:
            a.to = optarg;
            break;
        case METADATA:
            a.metadata = optarg;
            break;
        case ID:
            a.id = optarg;
            break;
        case PIECE:
            a.piece = (size_t)atol(optarg);
            break;
        case DEVICES:
            a.devices = true;
            break;
        case KEEP:
            a.keep = true;
            break;
        case DRY:
            a.dry_run = true;
            break;
        default:
            exit(2);
        }
    }
    while (optind < argc)
        text_list_add(&a.paths, argv[optind++]);
    return a;
}

static int report(const struct error *err)
{
    fprintf(stderr, "error: %s\n", err->message);
    if (err->hint[0])
        fprintf(stderr, "hint: %s\n", err->hint);
    return err->code == ERROR_STRANDED ? 23 : 1;
}

static int dump(struct os *os, const char *archive, const struct arguments *a)
{
    struct error err = ERROR_INIT;
    struct segments_memory *memory = segments_memory_new(NULL);
    struct source_target target = {.name = (char[]){"test"}, .paths = a->paths};
    struct dump_options dump_options = {.os = os,
                                        .jobs = a->jobs,
                                        .exclude = a->exclude,
                                        .exclude_caches = a->caches,
                                        .one_file_system = a->one_file_system};
    struct dump_result result = {0};
    const struct source_ops *ops = source_find("files");
    if (ops->dump(&target, &dump_options, segments_memory_sink(memory), &result, &err) < 0)
        return report(&err);
    size_t size = 0;
    char *content = segments_memory_content(memory, &size);
    struct buf end = BUF_INIT;
    tar_append_end(&end);
    int fd = file_open(os_real(), archive, O_WRONLY | O_CREAT | O_TRUNC, 0600, &err);
    if (fd < 0 || file_write_all(os_real(), fd, content, size, archive, &err) < 0 ||
        file_write_all(os_real(), fd, end.data, end.length, archive, &err) < 0)
        return report(&err);
    file_close(os_real(), &fd);
    printf("%s\n", result.metadata);
    for (size_t i = 0; i < result.incomplete.count; i++)
        printf("incomplete: %s\n", result.incomplete.items[i]);
    size_t out = segments_memory_out(memory);
    if (out)
        printf("%zu segments lost\n", out);
    free(content);
    buf_clear(&end);
    dump_result_clear(&result);
    segments_memory_free(memory);
    return out ? 1 : 0;
}

/* Frames as the dump made them cannot be told from the file: it is cut where members end. */
static void cut_frames(struct segments_memory *memory, const char *content, size_t size)
{
    size_t begin = 0;
    while (begin < size) {
        size_t part = size - begin < SEGMENT_SIZE ? size - begin : SEGMENT_SIZE;
        segments_memory_add(memory, SECTION_DATA, content + begin, part);
        begin += part;
    }
}

static int run_load(struct load *load, const struct arguments *a, struct segment_source *source,
                    struct error *err)
{
    struct load_preview preview = {0};
    if (load->ops->preview(load, source, &preview, err) < 0)
        return -1;
    printf("target: %s exists %d objects %lu bytes %lu\n", preview.target, preview.exists,
           (unsigned long)preview.objects, (unsigned long)preview.bytes);
    for (size_t i = 0; i < preview.conflicts.count; i++)
        printf("conflict: %s\n", preview.conflicts.items[i]);
    load_preview_clear(&preview);
    if (a->dry_run)
        return 0;
    if (load->ops->fill(load, source, err) < 0 || load->ops->check(load, err) < 0)
        return -1;
    printf("rows: %lu\nkept: %s\n", (unsigned long)load->rows_loaded, load->kept);
    fflush(stdout);
    return load->ops->commit(load, err);
}

static int load(struct os *os, const char *archive, const struct arguments *a)
{
    struct error err = ERROR_INIT;
    struct buf content = BUF_INIT;
    if (file_read_all(os_real(), archive, &content, &err) < 0)
        return report(&err);
    struct segments_memory_options memory_options = {.piece = a->piece};
    struct segments_memory *memory = segments_memory_new(&memory_options);
    cut_frames(memory, content.data, content.length);
    struct source_target target = {.name = (char[]){"test"}, .paths = a->paths};
    struct load_options load_options = {.os = os,
                                        .jobs = a->jobs,
                                        .format = "tar",
                                        .metadata = a->metadata,
                                        .plain_size = content.length,
                                        .include = a->include,
                                        .exclude = a->exclude,
                                        .to = a->to,
                                        .devices = a->devices,
                                        .id = a->id,
                                        .keep = a->keep};
    struct load *loading = NULL;
    int result = source_find("files")->load(&target, &load_options, &loading, &err);
    if (result == 0)
        result = run_load(loading, a, segments_memory_source(memory), &err);
    load_free(loading);
    size_t out = segments_memory_out(memory);
    segments_memory_free(memory);
    buf_clear(&content);
    if (result < 0)
        return report(&err);
    if (out)
        printf("%zu segments lost\n", out);
    return out ? 1 : 0;
}

static int afterwards(struct os *os, const char *verb, const char *kept, const struct arguments *a)
{
    struct error err = ERROR_INIT;
    struct source_target target = {.name = (char[]){"test"}, .paths = a->paths};
    const struct source_ops *ops = source_find("files");
    enum load_state state = LOAD_BEFORE;
    char *changed = NULL;
    int result = -1;
    if (strcmp(verb, "recover") == 0)
        result = ops->recover(os, kept, &target, &state, &err);
    else if (strcmp(verb, "undo") == 0)
        result = ops->undo(os, kept, &target, a->dry_run, &changed, &err);
    else if (strcmp(verb, "discard") == 0)
        result = ops->discard(os, kept, &target, &err);
    if (result < 0)
        return report(&err);
    if (strcmp(verb, "recover") == 0)
        printf("%s\n", state == LOAD_AFTER ? "after" : "before");
    if (changed)
        printf("changed: %s\n", changed);
    free(changed);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    const char *verb = argv[1], *subject = argv[2];
    struct arguments a = parse(argc - 2, argv + 2);
    struct os *os = os_faulty_from_environment();
    int result = strcmp(verb, "dump") == 0   ? dump(os, subject, &a)
                 : strcmp(verb, "load") == 0 ? load(os, subject, &a)
                                             : afterwards(os, verb, subject, &a);
    if (getenv("KEDGE_TEST_COUNT"))
        fprintf(stderr, "calls: %ld\n", os_faulty_calls());
    text_list_clear(&a.exclude);
    text_list_clear(&a.include);
    text_list_clear(&a.paths);
    return result;
}
