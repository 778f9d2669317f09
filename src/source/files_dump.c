#include "source/files_dump.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/segment.h"
#include "io/progress.h"
#include "source/files_entry.h"
#include "source/files_read.h"
#include "source/files_report.h"
#include "source/files_roots.h"
#include "source/files_walk.h"
#include "source/source.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define READERS_MAXIMUM 8
/* Units the walker may be ahead of the readers. */
#define AHEAD 2
#define LINKS_LIMIT ((size_t)24 << 20)

/* The walker puts units in; readers take them out in order, fill a segment each, and push the
 * segments in that same order. A reader takes its segment together with its unit, under one lock:
 * the unit whose turn it is to be pushed always has one, however few the sink owns. */
struct dump {
    const struct dump_options *options;
    struct segment_sink *sink;
    struct files_report report;

    pthread_mutex_t take_lock; /* around unit and segment */

    pthread_mutex_t lock; /* everything below */
    pthread_cond_t changed;
    struct files_unit *queue[AHEAD];
    size_t queued;
    uint64_t numbered; /* units put in so far */
    uint64_t turn;     /* the unit to be pushed next */
    bool walked;       /* no more units come */
    bool failed;
    struct error error; /* the first */
    struct files_facts facts;
};

static void fail(struct dump *dump, const struct error *err)
{
    pthread_mutex_lock(&dump->lock);
    if (!dump->failed)
        dump->error = *err;
    dump->failed = true;
    pthread_cond_broadcast(&dump->changed);
    pthread_mutex_unlock(&dump->lock);
}

static int put_unit(void *context, struct files_unit *unit, struct error *err)
{
    struct dump *dump = context;
    pthread_mutex_lock(&dump->lock);
    while (dump->queued == AHEAD && !dump->failed)
        pthread_cond_wait(&dump->changed, &dump->lock);
    bool failed = dump->failed;
    if (!failed) {
        unit->number = dump->numbered++;
        dump->queue[dump->queued++] = unit;
        pthread_cond_broadcast(&dump->changed);
    }
    pthread_mutex_unlock(&dump->lock);
    if (!failed)
        return 0;
    files_unit_free(unit);
    return error_set(err, ERROR_FAILED, "a reader failed");
}

/* NULL when there are no more, or when somebody failed. */
static struct files_unit *get_unit(struct dump *dump)
{
    struct files_unit *unit = NULL;
    pthread_mutex_lock(&dump->lock);
    while (!dump->queued && !dump->walked && !dump->failed)
        pthread_cond_wait(&dump->changed, &dump->lock);
    if (dump->queued && !dump->failed) {
        unit = dump->queue[0];
        memmove(dump->queue, dump->queue + 1, --dump->queued * sizeof *dump->queue);
        pthread_cond_broadcast(&dump->changed);
    }
    pthread_mutex_unlock(&dump->lock);
    return unit;
}

/* 1 and both, 0 when there are no more units, -1. */
static int take_work(struct dump *dump, struct files_unit **ret_unit, struct segment **ret_segment,
                     struct error *err)
{
    int result = 0;
    pthread_mutex_lock(&dump->take_lock);
    struct files_unit *unit = get_unit(dump);
    if (unit)
        result = dump->sink->ops->take(dump->sink, 0, ret_segment, err) < 0 ? -1 : 1;
    pthread_mutex_unlock(&dump->take_lock);
    if (result < 0)
        files_unit_free(unit);
    else
        *ret_unit = unit;
    return result;
}

/* Wait until everything before this unit was pushed, then push. Takes the segment. */
static int push_in_turn(struct dump *dump, uint64_t number, struct segment *segment,
                        struct error *err)
{
    pthread_mutex_lock(&dump->lock);
    while (dump->turn != number && !dump->failed)
        pthread_cond_wait(&dump->changed, &dump->lock);
    bool failed = dump->failed;
    pthread_mutex_unlock(&dump->lock);
    if (failed) {
        dump->sink->ops->drop(dump->sink, segment);
        return error_set(err, ERROR_FAILED, "another reader failed");
    }
    int result = dump->sink->ops->push(dump->sink, segment, NULL, err);
    pthread_mutex_lock(&dump->lock);
    dump->turn++;
    pthread_cond_broadcast(&dump->changed);
    pthread_mutex_unlock(&dump->lock);
    return result;
}

static int read_and_push(struct dump *dump, struct files_reader *reader,
                         const struct files_unit *unit, struct segment *segment, struct error *err)
{
    segment->section = SECTION_DATA;
    if (files_read_unit(reader, unit, segment, err) < 0) {
        dump->sink->ops->drop(dump->sink, segment);
        return -1;
    }
    return push_in_turn(dump, unit->number, segment, err);
}

static int read_units(struct dump *dump, struct files_reader *reader, struct error *err)
{
    for (;;) {
        SCOPED(files_unit) struct files_unit *unit = NULL;
        struct segment *segment = NULL;
        int got = take_work(dump, &unit, &segment, err);
        if (got <= 0)
            return got;
        if (read_and_push(dump, reader, unit, segment, err) < 0)
            return -1;
    }
}

static void *reader_thread(void *context)
{
    struct dump *dump = context;
    struct error err = ERROR_INIT;
    SCOPED(files_reader)
    struct files_reader *reader = files_reader_new(dump->options->os, dump->sink, &dump->report);
    if (read_units(dump, reader, &err) < 0)
        fail(dump, &err);
    pthread_mutex_lock(&dump->lock);
    dump->facts.members += files_reader_members(reader);
    dump->facts.bytes += files_reader_bytes(reader);
    pthread_mutex_unlock(&dump->lock);
    return NULL;
}

/* Each unit in flight keeps folders and files open; together they leave some descriptors for the
 * rest of the process. */
static size_t descriptors_per_unit(size_t readers)
{
    struct rlimit limit = {.rlim_cur = 1024};
    getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t spare = limit.rlim_cur > 512 ? limit.rlim_cur - 384 : limit.rlim_cur / 4;
    rlim_t share = spare / (readers + AHEAD + 1);
    return share > 1024 ? 1024 : share < 4 ? 4 : (size_t)share;
}

static int walk_trees(struct dump *dump, const struct files_roots *roots, size_t readers,
                      struct error *err)
{
    const struct dump_options *options = dump->options;
    struct files_walk_options walk = {
        .os = options->os,
        .roots = roots,
        .exclude = &options->exclude,
        .one_file_system = options->one_file_system,
        .exclude_caches = options->exclude_caches,
        .descriptors_per_unit = descriptors_per_unit(readers),
        .links_limit_bytes = LINKS_LIMIT,
        .report = &dump->report,
        .emit = put_unit,
        .context = dump,
    };
    int result = files_walk(&walk, err);
    if (result < 0)
        fail(dump, err);
    pthread_mutex_lock(&dump->lock);
    dump->walked = true;
    pthread_cond_broadcast(&dump->changed);
    pthread_mutex_unlock(&dump->lock);
    return result;
}

static int run_threads(struct dump *dump, const struct files_roots *roots, struct error *err)
{
    size_t wanted = dump->options->jobs < 1 ? 1 : (size_t)dump->options->jobs;
    if (wanted > READERS_MAXIMUM)
        wanted = READERS_MAXIMUM;
    pthread_t threads[READERS_MAXIMUM];
    size_t started = 0;
    while (started < wanted && pthread_create(&threads[started], NULL, reader_thread, dump) == 0)
        started++;
    if (!started)
        return error_set(err, ERROR_FAILED, "no thread to read with");
    walk_trees(dump, roots, started, err);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    while (dump->queued)
        files_unit_free(dump->queue[--dump->queued]);
    if (!dump->failed)
        return 0;
    *err = dump->error;
    return -1;
}

static void fill_result(struct dump *dump, const struct files_roots *roots,
                        struct dump_result *result)
{
    files_report_take(&dump->report, &result->incomplete);
    result->rows = dump->facts.members;
    result->source_bytes = dump->facts.bytes;
    result->metadata = files_metadata_format(roots, &dump->facts, &dump->options->exclude,
                                             dump->options->one_file_system);
}

int files_dump(const struct source_target *target, const struct dump_options *options,
               struct segment_sink *sink, struct dump_result *ret_result, struct error *err)
{
    *ret_result = (struct dump_result){0};
    SCOPED(files_roots) struct files_roots roots = {0};
    if (files_roots_make(&target->paths, &roots, err) < 0)
        return -1;
    progress_begin(options->progress, "reading", 0);
    struct dump dump = {.options = options, .sink = sink};
    files_report_init(&dump.report);
    pthread_mutex_init(&dump.take_lock, NULL);
    pthread_mutex_init(&dump.lock, NULL);
    pthread_cond_init(&dump.changed, NULL);
    int result = run_threads(&dump, &roots, err);
    if (result == 0)
        fill_result(&dump, &roots, ret_result);
    pthread_cond_destroy(&dump.changed);
    pthread_mutex_destroy(&dump.lock);
    pthread_mutex_destroy(&dump.take_lock);
    files_report_clear(&dump.report);
    return result;
}
