#include "source/sqlite_image.h"

#include "base/error.h"
#include "base/file.h"
#include "base/os.h"
#include "base/segment.h"
#include "base/stop.h"
#include "io/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>

#define MAX_THREADS 16

struct image_write {
    const struct sqlite_image_options *options;
    struct segment_source *segments;
    pthread_mutex_t lock; /* guards what follows */
    size_t next;
    size_t count;
    bool failed;
    struct error err; /* the first one */
};

/* Claim the room at once, so that a full disk is said before the work is done. */
static int reserve(const struct sqlite_image_options *options, uint64_t size, struct error *err)
{
    struct os *os = options->os;
    if (!size)
        return 0;
    int result = -1;
    do
        result = os->fallocate(os, options->fd, 0, 0, (off_t)size);
    while (result < 0 && errno == EINTR);
    if (result == 0 || errno == EOPNOTSUPP || errno == ENOSYS)
        return 0;
    return error_set_errno(err, ERROR_FAILED, errno, "reserve %llu bytes for %s",
                           (unsigned long long)size, options->path);
}

static int write_segment(const struct sqlite_image_options *options, const struct segment *segment,
                         uint64_t offset, struct error *err)
{
    struct os *os = options->os;
    if (file_pwrite_all(os, options->fd, segment->data, segment->size, offset, options->path, err) <
        0)
        return -1;
    /* Only starts the writing, so that the sync at the end finds little left. */
    os->sync_file_range(os, options->fd, (off_t)offset, (off_t)segment->size,
                        SYNC_FILE_RANGE_WRITE);
    progress_add(options->progress, segment->size);
    return 0;
}

static int write_frame(struct image_write *write, size_t number, struct error *err)
{
    const struct segment_frame *frame = write->segments->ops->frame(write->segments, number);
    struct segment *segment = NULL;
    if (stop_check(err) < 0 ||
        write->segments->ops->read(write->segments, number, &segment, err) < 0)
        return -1;
    int result = segment->size == frame->size
                     ? write_segment(write->options, segment, frame->offset, err)
                     : error_set(err, ERROR_CORRUPT, "frame %zu holds %zu bytes and not %llu",
                                 number, segment->size, (unsigned long long)frame->size);
    write->segments->ops->drop(write->segments, segment);
    return result;
}

static bool claim(struct image_write *write, size_t *ret_number)
{
    pthread_mutex_lock(&write->lock);
    bool more = !write->failed && write->next < write->count;
    *ret_number = write->next;
    write->next += more;
    pthread_mutex_unlock(&write->lock);
    return more;
}

static void *work(void *context)
{
    struct image_write *write = context;
    size_t number = 0;
    while (claim(write, &number)) {
        struct error err = ERROR_INIT;
        if (write_frame(write, number, &err) == 0)
            continue;
        pthread_mutex_lock(&write->lock);
        if (!write->failed)
            write->err = err;
        write->failed = true;
        pthread_mutex_unlock(&write->lock);
    }
    return NULL;
}

/* The frames lie one after the other and come to the size that was promised. */
static int check_frames(const struct sqlite_image_options *options, struct segment_source *segments,
                        uint64_t *ret_size, struct error *err)
{
    uint64_t at = 0;
    size_t count = segments->ops->count(segments);
    for (size_t i = 0; i < count; i++) {
        const struct segment_frame *frame = segments->ops->frame(segments, i);
        if (frame->offset != at || frame->size > INT64_MAX - at)
            return error_set(err, ERROR_CORRUPT, "frame %zu is not where the one before it ends",
                             i);
        at += frame->size;
    }
    if (options->size && at != options->size)
        return error_set(err, ERROR_CORRUPT, "the frames hold %llu bytes and not %llu",
                         (unsigned long long)at, (unsigned long long)options->size);
    *ret_size = at;
    return 0;
}

static void run_threads(struct image_write *write, int jobs)
{
    pthread_t threads[MAX_THREADS];
    int started = 0;
    int wanted = jobs > MAX_THREADS ? MAX_THREADS : jobs;
    while (started < wanted - 1 && pthread_create(&threads[started], NULL, work, write) == 0)
        started++;
    work(write);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

static int write_frames(const struct sqlite_image_options *options, struct segment_source *segments,
                        uint64_t *ret_size, struct error *err)
{
    uint64_t size = 0;
    if (check_frames(options, segments, &size, err) < 0 || reserve(options, size, err) < 0)
        return -1;
    struct image_write write = {
        .options = options,
        .segments = segments,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .count = segments->ops->count(segments),
    };
    run_threads(&write, options->jobs);
    pthread_mutex_destroy(&write.lock);
    if (write.failed) {
        if (err)
            *err = write.err;
        return -1;
    }
    *ret_size = size;
    return 0;
}

static int write_stream(const struct sqlite_image_options *options, struct segment_source *segments,
                        uint64_t *ret_size, struct error *err)
{
    if (reserve(options, options->size, err) < 0)
        return -1;
    uint64_t at = 0;
    for (;;) {
        struct segment *segment = NULL;
        if (stop_check(err) < 0)
            return -1;
        int more = segments->ops->next(segments, &segment, err);
        if (more < 0)
            return -1;
        if (!more)
            break;
        size_t size = segment->size;
        int result = write_segment(options, segment, at, err);
        segments->ops->drop(segments, segment);
        if (result < 0)
            return -1;
        at += size;
    }
    *ret_size = at;
    return 0;
}

int sqlite_image_write(const struct sqlite_image_options *options, struct segment_source *segments,
                       uint64_t *ret_size, struct error *err)
{
    progress_begin(options->progress, "restoring", options->size);
    return segments->ops->count(segments) ? write_frames(options, segments, ret_size, err)
                                          : write_stream(options, segments, ret_size, err);
}
