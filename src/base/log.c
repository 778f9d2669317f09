#include "base/log.h"

#include "base/error.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static enum log_level shown = LOG_INFO;
static int log_fd = -1;
static void (*before_line)(void);
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const char *const names[] = {"error", "warning", "info", "debug"};
static const int journal_levels[] = {3, 4, 6, 7};

void log_set_level(enum log_level level)
{
    shown = level;
}

int log_set_file(const char *path, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "open log file %s", path);
    if (log_fd >= 0)
        close(log_fd);
    log_fd = fd;
    return 0;
}

void log_set_before(void (*before)(void))
{
    before_line = before;
}

static void write_line(int fd, const struct buf *line)
{
    /* A log that cannot be written must not stop the work. */
    ssize_t ignored = write(fd, line->data, line->length);
    (void)ignored;
}

static void write_to_file(enum log_level level, const char *text, size_t length)
{
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    char stamp[32];
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
    SCOPED(buf) struct buf line = BUF_INIT;
    buf_append_format(&line, "%s %s ", stamp, names[level]);
    buf_append(&line, text, length);
    buf_append_char(&line, '\n');
    write_line(log_fd, &line);
}

static void write_to_stderr(enum log_level level, const char *text, size_t length)
{
    SCOPED(buf) struct buf line = BUF_INIT;
    if (getenv("JOURNAL_STREAM") && !isatty(STDERR_FILENO))
        buf_append_format(&line, "<%d>", journal_levels[level]);
    if (level != LOG_INFO)
        buf_append_format(&line, "kedge: %s: ", names[level]);
    buf_append(&line, text, length);
    buf_append_char(&line, '\n');
    if (before_line)
        before_line();
    write_line(STDERR_FILENO, &line);
}

void log_write(enum log_level level, const char *format, ...)
{
    if (level > shown && log_fd < 0)
        return;
    va_list args;
    va_start(args, format);
    SCOPED(string) char *text = mem_format_v(format, args);
    va_end(args);
    SCOPED(buf) struct buf visible = BUF_INIT;
    text_append_visible(&visible, text, strlen(text));

    pthread_mutex_lock(&lock);
    if (log_fd >= 0)
        write_to_file(level, visible.data, visible.length);
    if (level <= shown)
        write_to_stderr(level, visible.data, visible.length);
    pthread_mutex_unlock(&lock);
}
