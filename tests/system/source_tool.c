/*
 * A source without the rest of the house, for system tests: what it pushes goes to a file or
 * straight into a load of another target.
 *
 *     source_tool dump URL FILE [OPTION...]
 *     source_tool load FILE URL [OPTION...]      front to back
 *     source_tool copy URL URL [OPTION...]       by frames
 *     source_tool undo|recover|discard URL KEPT
 *
 * Options: --jobs N, --table T, --exclude-table T, --schema S, --wait MS, --roles, --force,
 * --no-owner, --no-tablespaces, --role R, --keep, --cascade, --preview, --thorough. Results are
 * lines NAME=value on stdout; an error is "error: ..." and "hint: ..." on stderr, and the exit
 * status is the error's.
 */
#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/stop.h"
#include "base/text.h"
#include "base/ulid.h"
#include "db/url.h"
#include "harness/segments_memory.h"
#include "source/source.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tool {
    struct dump_options dump;
    struct load_options load;
    bool preview;
    char *metadata;
};

enum {
    JOBS = 1,
    TABLE,
    EXCLUDE,
    SCHEMA,
    WAIT,
    ROLES,
    FORCE,
    NO_OWNER,
    NO_TABLESPACES,
    ROLE,
    KEEP,
    CASCADE,
    PREVIEW,
    THOROUGH
};

static const struct option names[] = {
    {"jobs", 1, NULL, JOBS},
    {"table", 1, NULL, TABLE},
    {"schema", 1, NULL, SCHEMA},
    {"exclude-table", 1, NULL, EXCLUDE},
    {"wait", 1, NULL, WAIT},
    {"roles", 0, NULL, ROLES},
    {"force", 0, NULL, FORCE},
    {"no-owner", 0, NULL, NO_OWNER},
    {"role", 1, NULL, ROLE},
    {"keep", 0, NULL, KEEP},
    {"cascade", 0, NULL, CASCADE},
    {"preview", 0, NULL, PREVIEW},
    {"thorough", 0, NULL, THOROUGH},
    {"no-tablespaces", 0, NULL, NO_TABLESPACES},
    {NULL, 0, NULL, 0},
};

static void parse(struct tool *tool, int argc, char **argv)
{
    int choice;
    while ((choice = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (choice) {
        case JOBS:
            tool->dump.jobs = tool->load.jobs = atoi(optarg);
            break;
        case TABLE:
            text_list_add(&tool->dump.tables, optarg);
            text_list_add(&tool->load.tables, optarg);
            break;
        case EXCLUDE:
            text_list_add(&tool->dump.exclude_tables, optarg);
            break;
        case SCHEMA:
            text_list_add(&tool->dump.schemas, optarg);
            break;
        case WAIT:
            tool->dump.max_wait_ms = atoi(optarg);
            break;
        case ROLES:
            tool->dump.roles = true;
            break;
        case FORCE:
            tool->load.force = true;
            break;
        case NO_OWNER:
            tool->load.no_owner = true;
            break;
        case NO_TABLESPACES:
            tool->load.no_tablespaces = true;
            break;
        case ROLE:
            tool->load.role = optarg;
            break;
        case KEEP:
            tool->load.keep = true;
            break;
        case CASCADE:
            tool->load.cascade = true;
            break;
        case THOROUGH:
            tool->load.thorough = true;
            break;
        case PREVIEW:
            tool->preview = true;
            break;
        default:
            exit(2);
        }
    }
}

static int open_target(const char *url, struct source_target *target,
                       const struct source_ops **ret_source, struct error *err)
{
    *target = (struct source_target){.name = mem_string("target")};
    if (db_url_parse(url, &target->url, err) < 0)
        return -1;
    *ret_source = source_find(db_engine_name(target->url.engine));
    return *ret_source ? 0 : error_set(err, ERROR_USAGE, "no source for %s", url);
}

static void target_clear(struct source_target *target)
{
    free(target->name);
    db_url_clear(&target->url);
}

static int dump_into(struct tool *tool, const char *url, struct segments_memory *memory,
                     struct error *err)
{
    struct source_target target;
    const struct source_ops *source;
    struct dump_result result = {0};
    if (open_target(url, &target, &source, err) < 0)
        return -1;
    int done = source->dump(&target, &tool->dump, segments_memory_sink(memory), &result, err);
    if (done == 0) {
        printf("VERSION=%s\nPOSITION=%s\nROWS=%llu\nBYTES=%llu\nMETADATA=%s\nFRAMES=%zu\n",
               result.engine_version, result.consistent_at, (unsigned long long)result.rows,
               (unsigned long long)result.source_bytes, result.metadata,
               segments_memory_count(memory));
        tool->metadata = mem_string(result.metadata);
        struct segment_source *segments = segments_memory_source(memory);
        for (size_t i = 0; i < segments->ops->table_count(segments); i++) {
            const struct segment_table *table = segments->ops->table(segments, i);
            printf("TABLE=%s.%s %llu %llu %s\n", table->schema, table->name,
                   (unsigned long long)table->rows, (unsigned long long)table->bytes,
                   table->digest);
        }
    }
    dump_result_clear(&result);
    target_clear(&target);
    return done;
}

static int run_load(struct tool *tool, const struct source_ops *source,
                    const struct source_target *target, struct segment_source *segments,
                    struct error *err)
{
    SCOPED(load) struct load *load = NULL;
    struct load_preview preview = {0};
    if (source->load(target, &tool->load, &load, err) < 0 ||
        load->ops->preview(load, segments, &preview, err) < 0)
        return -1;
    printf("TARGET=%s\nEXISTS=%d\nOBJECTS=%llu\n", preview.target, preview.exists,
           (unsigned long long)preview.objects);
    for (size_t i = 0; i < preview.conflicts.count; i++)
        printf("CONFLICT=%s\n", preview.conflicts.items[i]);
    load_preview_clear(&preview);
    if (tool->preview)
        return 0;
    if (load->ops->fill(load, segments, err) < 0 || load->ops->check(load, err) < 0)
        return -1;
    printf("KEPT=%s\n", load->kept);
    fflush(stdout);
    if (load->ops->commit(load, err) < 0)
        return -1;
    printf("LOADED=%llu\n", (unsigned long long)load->rows_loaded);
    return 0;
}

static int load_from(struct tool *tool, const char *url, struct segments_memory *memory,
                     struct error *err)
{
    struct source_target target;
    const struct source_ops *source;
    struct ulid id;
    if (open_target(url, &target, &source, err) < 0 || ulid_make(os_real(), &id, err) < 0)
        return -1;
    tool->load.id = id.text;
    tool->load.metadata = tool->metadata;
    int done = run_load(tool, source, &target, segments_memory_source(memory), err);
    target_clear(&target);
    return done;
}

static int write_file(struct segments_memory *memory, const char *path, struct error *err)
{
    size_t size = 0;
    SCOPED(string) char *content = segments_memory_content(memory, &size);
    return file_write_atomic(os_real(), path, content, size, 0600, err);
}

static int read_file(struct segments_memory *memory, const char *path, struct error *err)
{
    struct buf content = BUF_INIT;
    int result = file_read_all(os_real(), path, &content, err);
    if (result == 0)
        segments_memory_add(memory, SECTION_DATA, content.data, content.length);
    buf_clear(&content);
    return result;
}

static int after(const char *verb, const char *url, const char *kept, struct error *err)
{
    struct source_target target;
    const struct source_ops *source;
    if (open_target(url, &target, &source, err) < 0)
        return -1;
    int result = -1;
    if (strcmp(verb, "undo") == 0) {
        SCOPED(string) char *changed = NULL;
        result = source->undo(os_real(), kept, &target, false, &changed, err);
        printf("CHANGED=%s\n", changed ? changed : "");
    } else if (strcmp(verb, "recover") == 0) {
        enum load_state state = LOAD_BEFORE;
        result = source->recover(os_real(), kept, &target, &state, err);
        printf("STATE=%s\n", state == LOAD_AFTER ? "after" : "before");
    } else {
        result = source->discard(os_real(), kept, &target, err);
    }
    target_clear(&target);
    return result;
}

static int run(struct tool *tool, char **words, struct error *err)
{
    bool front_to_back = strcmp(words[0], "load") == 0;
    struct segments_memory_options options = {.at_once = 16,
                                              .piece = front_to_back ? (size_t)1 << 20 : 0};
    struct segments_memory *memory = segments_memory_new(&options);
    int result;
    if (strcmp(words[0], "dump") == 0) {
        result = dump_into(tool, words[1], memory, err);
        if (result == 0)
            result = write_file(memory, words[2], err);
    } else if (front_to_back) {
        result = read_file(memory, words[1], err);
        if (result == 0)
            result = load_from(tool, words[2], memory, err);
    } else if (strcmp(words[0], "copy") == 0) {
        result = dump_into(tool, words[1], memory, err);
        if (result == 0)
            result = load_from(tool, words[2], memory, err);
    } else {
        result = after(words[0], words[1], words[2], err);
    }
    if (result == 0 && segments_memory_out(memory))
        result = error_set(err, ERROR_FAILED, "%zu segments were not given back",
                           segments_memory_out(memory));
    segments_memory_free(memory);
    return result;
}

int main(int argc, char **argv)
{
    struct tool tool = {.dump = {.os = os_real(), .jobs = 2, .max_wait_ms = 10000},
                        .load = {.os = os_real(), .jobs = 2, .format = "sql"}};
    struct error err = ERROR_INIT;
    stop_install();
    parse(&tool, argc, argv);
    if (argc - optind != 3)
        return 2;
    int result = run(&tool, argv + optind, &err);
    if (result < 0) {
        fprintf(stderr, "error: %s\n", err.message);
        if (*err.hint)
            fprintf(stderr, "hint: %s\n", err.hint);
    }
    text_list_clear(&tool.dump.tables);
    text_list_clear(&tool.load.tables);
    text_list_clear(&tool.dump.exclude_tables);
    text_list_clear(&tool.dump.schemas);
    free(tool.metadata);
    return result < 0 ? error_exit_status(err.code) : 0;
}
