#include "source/sqlite_dump.h"

#include "base/error.h"
#include "base/log.h"
#include "base/segment.h"
#include "base/stop.h"
#include "io/progress.h"
#include "source/source.h"
#include "source/sqlite_connection.h"
#include "source/sqlite_snapshot.h"
#include "source/sqlite_sql.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

struct image {
    struct sqlite_snapshot *snapshot;
    struct segment_sink *sink;
    const struct dump_options *options;
    uint32_t page_size;
    uint32_t page_count;
};

static int fill_segment(struct image *image, struct segment *segment, uint32_t first,
                        struct error *err)
{
    uint32_t count = (uint32_t)(SEGMENT_SIZE / image->page_size);
    if (count > image->page_count - first + 1)
        count = image->page_count - first + 1;
    if (sqlite_snapshot_read(image->snapshot, first, count, segment->data, err) < 0)
        return -1;
    segment->size = (size_t)count * image->page_size;
    segment->section = SECTION_DATA;
    if (first == 1) {
        sqlite_header_set_wal(segment->data, false);
        sqlite_header_set_pages(segment->data, image->page_count);
    }
    return 0;
}

static int push_image(struct image *image, struct error *err)
{
    uint32_t first = 1;
    while (image->page_count && first <= image->page_count) {
        struct segment *segment = NULL;
        if (stop_check(err) < 0 || image->sink->ops->take(image->sink, 0, &segment, err) < 0)
            return -1;
        if (sqlite_snapshot_check_writers(image->snapshot, err) < 0 ||
            fill_segment(image, segment, first, err) < 0) {
            image->sink->ops->drop(image->sink, segment);
            return -1;
        }
        size_t size = segment->size;
        first += (uint32_t)(size / image->page_size);
        if (image->sink->ops->push(image->sink, segment, NULL, err) < 0)
            return -1;
        progress_add(image->options->progress, size);
    }
    return 0;
}

static char *describe(const struct sqlite_snapshot *snapshot)
{
    static const char *const encodings[] = {"UTF-8", "UTF-8", "UTF-16le", "UTF-16be"};
    static const char *const vacuums[] = {"none", "full", "incremental"};
    const struct sqlite_header *header = sqlite_snapshot_header(snapshot);
    const char *encoding =
        header->encoding >= 0 && header->encoding <= 3 ? encodings[header->encoding] : "unknown";
    json_t *object = json_pack("{s:s,s:I,s:I,s:s,s:s,s:I,s:I,s:I}",                            //
                               "journal_mode", header->wal ? "wal" : "delete",                 //
                               "page_size", (json_int_t)header->page_size,                     //
                               "page_count", (json_int_t)sqlite_snapshot_page_count(snapshot), //
                               "encoding", encoding,                                           //
                               "auto_vacuum", vacuums[header->auto_vacuum],                    //
                               "user_version", (json_int_t)header->user_version,               //
                               "application_id", (json_int_t)header->application_id,           //
                               "reserved_bytes", (json_int_t)header->reserved);
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return text;
}

static void announce(const struct sqlite_snapshot *snapshot, const struct dump_options *options,
                     const char *path)
{
    uint64_t bytes = (uint64_t)sqlite_snapshot_header(snapshot)->page_size *
                     sqlite_snapshot_page_count(snapshot);
    progress_begin(options->progress, "reading", bytes);
    if (!sqlite_snapshot_blocks_writers(snapshot))
        return;
    char size[32];
    char longest[32];
    text_format_size(bytes, size);
    text_format_duration(options->max_wait_ms, longest);
    log_info("%s uses a rollback journal: commits of others wait while its %s are read, at most "
             "%s; in WAL mode they would not",
             path, size, longest);
}

/* What went wrong in reading is the source's failure; what the sink says is not. */
static int source_failed(struct error *err)
{
    if (err && err->code != ERROR_LOCKED && err->code != ERROR_TIMEOUT)
        error_recode(err, ERROR_SOURCE);
    return -1;
}

/* Before anything is pushed: does SQLite itself understand what is there? */
static int open_checked(const struct source_target *target, const struct dump_options *options,
                        struct sqlite_snapshot **ret_snapshot, struct error *err)
{
    SCOPED(string) char *path = sqlite_path_resolve(options->os, target->url.database, err);
    SCOPED(sqlite_snapshot) struct sqlite_snapshot *snapshot = NULL;
    int64_t objects = 0;
    if (!path ||
        sqlite_snapshot_open(options->os, path, options->max_wait_ms, &snapshot, err) < 0 ||
        sqlite_connection_number(sqlite_snapshot_connection(snapshot),
                                 "SELECT count(*) FROM sqlite_schema", &objects, err) < 0)
        return source_failed(err);
    *ret_snapshot = STEAL(snapshot);
    return 0;
}

int sqlite_dump_accepts(const struct dump_options *options, struct error *err)
{
    if (options->logical || (!options->tables.count && !options->exclude_tables.count))
        return 0;
    error_set(err, ERROR_USAGE, "a page image of a SQLite database holds all of its tables");
    return error_hint(err, "--format sql dumps single ones; restore --table takes single ones out "
                           "of an image");
}

int sqlite_dump(const struct source_target *target, const struct dump_options *options,
                struct segment_sink *sink, struct dump_result *ret_result, struct error *err)
{
    *ret_result = (struct dump_result){.incomplete = TEXT_LIST_INIT};
    if (sqlite_dump_accepts(options, err) < 0)
        return -1;
    SCOPED(sqlite_snapshot) struct sqlite_snapshot *snapshot = NULL;
    if (open_checked(target, options, &snapshot, err) < 0)
        return -1;
    struct image image = {
        .snapshot = snapshot,
        .sink = sink,
        .options = options,
        .page_size = sqlite_snapshot_header(snapshot)->page_size,
        .page_count = sqlite_snapshot_page_count(snapshot),
    };
    announce(snapshot, options, target->url.database);
    uint64_t rows = 0;
    if (options->logical ? sqlite_sql_dump(snapshot, options, sink, &rows, err) < 0
                         : push_image(&image, err) < 0)
        return -1;
    ret_result->rows = rows;
    ret_result->engine_version = mem_string(sqlite3_libversion());
    ret_result->metadata = describe(snapshot);
    ret_result->source_bytes = (uint64_t)image.page_size * image.page_count;
    return 0;
}
