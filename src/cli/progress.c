#include "cli/progress.h"

#include "base/log.h"
#include "base/os.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "io/progress.h"
#include "service/settings.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIVE_INTERVAL_MS 200
#define PLAIN_INTERVAL_MS 60000

struct progress_line {
    struct os *os;
    struct progress *progress;
    size_t width; /* 0: not a terminal */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    bool paused;
    const char *phase; /* the one that began at started_ns */
    int64_t started_ns;
};

/* log_set_before takes no context, and there is only one terminal. */
static atomic_bool line_is_shown;

static void clear_line(void)
{
    if (atomic_exchange(&line_is_shown, false))
        fputs("\r\033[K", stderr);
}

void progress_line_format(const char *phase, uint64_t done, uint64_t total, int64_t elapsed_ms,
                          char *text, size_t size)
{
    char done_text[32];
    char total_text[32];
    char rate_text[32];
    char left_text[32];
    double seconds = (double)elapsed_ms / 1000;
    double rate = seconds > 0 ? (double)done / seconds : 0;
    text_format_size(done, done_text);
    text_format_size((uint64_t)rate, rate_text);
    if (!total || done > total) {
        snprintf(text, size, "%s  %s  %s/s", phase, done_text, rate_text);
        return;
    }
    text_format_size(total, total_text);
    int length = snprintf(text, size, "%s  %s of %s  %d%%  %s/s", phase, done_text, total_text,
                          (int)((double)done * 100 / (double)total), rate_text);
    if (rate < 1 || length < 0 || (size_t)length >= size)
        return;
    text_format_duration((int64_t)((double)(total - done) / rate) * 1000, left_text);
    snprintf(text + length, size - (size_t)length, "  %s left", left_text);
}

static void show(struct progress_line *line)
{
    struct progress *progress = line->progress;
    const char *phase = atomic_load(&progress->phase);
    if (!phase)
        return;
    int64_t now = line->os->clock_monotonic_ns(line->os);
    if (phase != line->phase) {
        line->phase = phase;
        line->started_ns = now;
    }
    char text[160];
    progress_line_format(phase, atomic_load(&progress->done_bytes),
                         atomic_load(&progress->total_bytes), (now - line->started_ns) / 1000000,
                         text, sizeof text);
    if (!line->width) {
        fprintf(stderr, "%s\n", text);
        return;
    }
    if (strlen(text) >= line->width)
        text[line->width - 1] = '\0';
    fprintf(stderr, "\r\033[K%s", text);
    fflush(stderr);
    atomic_store(&line_is_shown, true);
}

static void *run(void *context)
{
    struct progress_line *line = context;
    pthread_mutex_lock(&line->lock);
    while (!line->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        int64_t wait_ms = line->width ? LIVE_INTERVAL_MS : PLAIN_INTERVAL_MS;
        until.tv_sec += wait_ms / 1000;
        until.tv_nsec += wait_ms % 1000 * 1000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        if (pthread_cond_timedwait(&line->wake, &line->lock, &until) != 0 && !line->stopping &&
            !line->paused)
            show(line);
    }
    pthread_mutex_unlock(&line->lock);
    return NULL;
}

/* Signals are for the thread that works: its system calls are the ones to interrupt. */
static int start_thread(struct progress_line *line)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int failure = pthread_create(&line->thread, NULL, run, line);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}

/* One that cannot go back to the start of a line gets what a file gets. */
static size_t live_width(void)
{
    const char *terminal = getenv("TERM");
    return terminal && strcmp(terminal, "dumb") == 0 ? 0 : console_terminal_width(STDERR_FILENO);
}

struct progress_line *progress_line_start(const struct cli *cli, struct progress *progress)
{
    if (settings_bool(cli->settings, SETTING_QUIET))
        return NULL;
    struct progress_line *line = MEM_NEW(struct progress_line);
    line->os = cli->os;
    line->progress = progress;
    line->width = live_width();
    line->started_ns = cli->os->clock_monotonic_ns(cli->os);
    pthread_mutex_init(&line->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&line->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    log_set_before(clear_line);
    if (start_thread(line) == 0)
        return line;
    pthread_cond_destroy(&line->wake);
    pthread_mutex_destroy(&line->lock);
    free(line);
    return NULL;
}

static void set_paused(struct progress_line *line, bool paused)
{
    if (!line)
        return;
    pthread_mutex_lock(&line->lock);
    line->paused = paused;
    clear_line();
    pthread_mutex_unlock(&line->lock);
}

void progress_line_pause(struct progress_line *line)
{
    set_paused(line, true);
}

void progress_line_resume(struct progress_line *line)
{
    set_paused(line, false);
}

void progress_line_stop(struct progress_line *line)
{
    if (!line)
        return;
    pthread_mutex_lock(&line->lock);
    line->stopping = true;
    pthread_cond_signal(&line->wake);
    pthread_mutex_unlock(&line->lock);
    pthread_join(line->thread, NULL);
    log_set_before(NULL);
    clear_line();
    pthread_cond_destroy(&line->wake);
    pthread_mutex_destroy(&line->lock);
    free(line);
}
