#include "source/files_records.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#define FLUSH ((size_t)256 << 10)
#define RECORD_MAXIMUM ((uint64_t)64 << 20)

struct files_records {
    struct os *os;
    int fd;
    char *name;
    pthread_mutex_t lock;
    struct buf pending; /* not written yet */
    uint64_t written;
    struct buf record;
};

static struct files_records *records_new(struct os *os, const char *name, int fd, uint64_t written)
{
    struct files_records *records = MEM_NEW(struct files_records);
    *records = (struct files_records){.os = os,
                                      .fd = fd,
                                      .name = mem_string(name),
                                      .pending = BUF_INIT,
                                      .written = written,
                                      .record = BUF_INIT};
    pthread_mutex_init(&records->lock, NULL);
    return records;
}

int files_records_create(struct os *os, int folder, const char *name,
                         struct files_records **ret_records, struct error *err)
{
    int fd = os->openat(os, folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "make %s of a restore", name);
    *ret_records = records_new(os, name, fd, 0);
    return 0;
}

int files_records_open(struct os *os, int folder, const char *name,
                       struct files_records **ret_records, struct error *err)
{
    struct stat stat;
    int fd = os->openat(os, folder, name, O_RDWR | O_NOFOLLOW, 0);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 || os->fstat(os, fd, &stat) < 0) {
        error_set_errno(err, ERROR_FAILED, errno, "open %s of a restore", name);
        file_close(os, &fd);
        return -1;
    }
    *ret_records = records_new(os, name, fd, (uint64_t)stat.st_size);
    return 1;
}

void files_records_close(struct files_records *records)
{
    if (!records)
        return;
    file_close(records->os, &records->fd);
    buf_clear(&records->pending);
    buf_clear(&records->record);
    pthread_mutex_destroy(&records->lock);
    free(records->name);
    free(records);
}

static int flush(struct files_records *records, struct error *err)
{
    if (file_pwrite_all(records->os, records->fd, records->pending.data, records->pending.length,
                        records->written, records->name, err) < 0)
        return -1;
    records->written += records->pending.length;
    buf_reset(&records->pending);
    return 0;
}

int files_records_add(struct files_records *records, const void *data, size_t size,
                      struct error *err)
{
    uint64_t length = size;
    pthread_mutex_lock(&records->lock);
    /* The length on both sides is what lets the file read both ways. */
    buf_append(&records->pending, &length, sizeof length);
    buf_append(&records->pending, data, size);
    buf_append(&records->pending, &length, sizeof length);
    int result = records->pending.length >= FLUSH ? flush(records, err) : 0;
    pthread_mutex_unlock(&records->lock);
    return result;
}

int files_records_sync(struct files_records *records, struct error *err)
{
    if (flush(records, err) < 0)
        return -1;
    return file_sync(records->os, records->fd, records->name, err);
}

static int read_exactly(struct files_records *records, void *data, size_t size, uint64_t offset,
                        struct error *err)
{
    size_t got = 0;
    if (file_pread(records->os, records->fd, data, size, offset, &got, records->name, err) < 0)
        return -1;
    if (got < size)
        return error_set(err, ERROR_CORRUPT, "%s of a restore is cut off", records->name);
    return 0;
}

static int read_length(struct files_records *records, uint64_t offset, uint64_t room,
                       uint64_t *ret_length, struct error *err)
{
    if (room < 2 * sizeof *ret_length)
        return error_set(err, ERROR_CORRUPT, "%s of a restore is cut off", records->name);
    if (read_exactly(records, ret_length, sizeof *ret_length, offset, err) < 0)
        return -1;
    if (*ret_length > RECORD_MAXIMUM || *ret_length > room - 2 * sizeof *ret_length)
        return error_set(err, ERROR_CORRUPT, "%s of a restore is damaged", records->name);
    return 0;
}

static int visit_record(struct files_records *records, uint64_t offset, uint64_t length,
                        files_record_fn *visit, void *context, struct error *err)
{
    buf_reset(&records->record);
    buf_reserve(&records->record, (size_t)length);
    if (read_exactly(records, records->record.data, (size_t)length, offset, err) < 0)
        return -1;
    records->record.data[length] = '\0';
    return visit(context, records->record.data, (size_t)length, err);
}

int files_records_forwards(struct files_records *records, files_record_fn *visit, void *context,
                           struct error *err)
{
    if (flush(records, err) < 0)
        return -1;
    uint64_t end = records->written;
    for (uint64_t at = 0, length = 0; at < end; at += length + 2 * sizeof length)
        if (read_length(records, at, end - at, &length, err) < 0 ||
            visit_record(records, at + sizeof length, length, visit, context, err) < 0)
            return -1;
    return 0;
}

int files_records_backwards(struct files_records *records, files_record_fn *visit, void *context,
                            struct error *err)
{
    if (flush(records, err) < 0)
        return -1;
    for (uint64_t at = records->written, length = 0; at;) {
        if (read_length(records, at - (at < sizeof length ? at : sizeof length), at, &length, err) <
            0)
            return -1;
        at -= length + 2 * sizeof length;
        if (visit_record(records, at + sizeof length, length, visit, context, err) < 0)
            return -1;
    }
    return 0;
}
