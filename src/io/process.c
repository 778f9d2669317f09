#include "io/process.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/os.h"
#include "base/stop.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ERRORS_MAXIMUM ((size_t)64 << 10)
#define POLL_SLICE_MS 200
#define END_GRACE_MS 2000

struct process {
    struct os *os;
    char *name;
    pid_t pid; /* 0 once reaped */
    int status;
    int input;
    int output;
    int errors;
    struct buf said;
    int64_t timeout_ms;
};

int process_secret_file(const void *data, size_t size, struct error *err)
{
    int fd = memfd_create("kedge", MFD_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "make a file for a secret");
    if (fchmod(fd, 0600) < 0 || write(fd, data, size) != (ssize_t)size ||
        lseek(fd, 0, SEEK_SET) < 0) {
        error_set_errno(err, ERROR_FAILED, errno, "write a file for a secret");
        close(fd);
        return -1;
    }
    return fd;
}

/* ---- starting ---- */

struct pipes {
    int child[3]; /* what becomes its 0, 1, 2 */
    int ours[3];
};

static void close_all(int fds[3])
{
    for (int i = 0; i < 3; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static int open_pipes(struct pipes *pipes, bool input, struct error *err)
{
    for (int i = 0; i < 3; i++) {
        int ends[2];
        if (i == 0 && !input) {
            pipes->child[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
            if (pipes->child[0] < 0)
                return error_set_errno(err, ERROR_FAILED, errno, "open /dev/null");
            continue;
        }
        if (pipe2(ends, O_CLOEXEC) < 0)
            return error_set_errno(err, ERROR_FAILED, errno, "make a pipe");
        pipes->child[i] = ends[i == 0 ? 0 : 1];
        pipes->ours[i] = ends[i == 0 ? 1 : 0];
    }
    return 0;
}

/* Above the numbers that the child's own will take: dup2 onto 0 to 3 must not hit a source. */
static int lift(int *fd, struct error *err)
{
    if (*fd > 3)
        return 0;
    int high = fcntl(*fd, F_DUPFD_CLOEXEC, 10);
    if (high < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "duplicate a descriptor");
    close(*fd);
    *fd = high;
    return 0;
}

static int spawn(const struct process_options *options, const int child[3], pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    for (int i = 0; i < 3; i++)
        posix_spawn_file_actions_adddup2(&actions, child[i], i);
    if (options->secret > 0)
        posix_spawn_file_actions_adddup2(&actions, options->secret, 3);

    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    int failure = posix_spawn(ret_pid, options->program, &actions, &attributes,
                              options->arguments->items, options->environment->items);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

int process_start(const struct process_options *options, struct process **ret_process,
                  struct error *err)
{
    struct pipes pipes = {{-1, -1, -1}, {-1, -1, -1}};
    pid_t pid = 0;
    int result = open_pipes(&pipes, options->input, err);
    for (int i = 0; result == 0 && i < 3; i++)
        result = lift(&pipes.child[i], err);
    if (result == 0) {
        int failure = spawn(options, pipes.child, &pid);
        if (failure)
            result = error_set_errno(err, ERROR_FAILED, failure, "start %s", options->program);
    }
    close_all(pipes.child);
    if (result < 0) {
        close_all(pipes.ours);
        return -1;
    }
    struct process *process = MEM_NEW(struct process);
    *process = (struct process){.os = options->os,
                                .name = mem_string(path_base(options->program)),
                                .pid = pid,
                                .input = pipes.ours[0],
                                .output = pipes.ours[1],
                                .errors = pipes.ours[2],
                                .said = BUF_INIT_MAX(ERRORS_MAXIMUM),
                                .timeout_ms = options->timeout_ms};
    fcntl(process->errors, F_SETFL, O_NONBLOCK);
    *ret_process = process;
    return 0;
}

/* ---- its pipes ---- */

const char *process_errors(struct process *process)
{
    while (process->said.length && process->said.data[process->said.length - 1] == '\n')
        process->said.data[--process->said.length] = '\0';
    return process->said.data;
}

void process_close_input(struct process *process)
{
    file_close(process->os, &process->input);
}

void process_read_errors(struct process *process)
{
    char piece[4096];
    while (process->errors >= 0) {
        ssize_t size = read(process->errors, piece, sizeof piece);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && errno == EAGAIN)
            return;
        if (size <= 0) {
            file_close(process->os, &process->errors);
            return;
        }
        /* The end is what tells why it failed. */
        if (process->said.length + (size_t)size > ERRORS_MAXIMUM)
            buf_consume(&process->said, (size_t)size);
        buf_append(&process->said, piece, (size_t)size);
    }
}

/* 0 when stdout has something or is closed. */
static int wait_output(struct process *process, struct error *err)
{
    int64_t begin = process->os->clock_monotonic_ns(process->os);
    for (;;) {
        if (stop_check(err) < 0)
            return -1;
        struct pollfd wait[2] = {{.fd = process->output, .events = POLLIN},
                                 {.fd = process->errors, .events = POLLIN}};
        int ready = poll(wait, 2, POLL_SLICE_MS);
        if (ready < 0 && errno != EINTR)
            return error_set_errno(err, ERROR_FAILED, errno, "wait for %s", process->name);
        if (ready > 0 && wait[1].revents)
            process_read_errors(process);
        if (ready > 0 && wait[0].revents)
            return 0;
        int64_t waited = process->os->clock_monotonic_ns(process->os) - begin;
        if (process->timeout_ms && waited > process->timeout_ms * 1000000)
            return error_set(err, ERROR_TIMEOUT, "%s was silent for too long", process->name);
    }
}

int process_read(struct process *process, void *data, size_t size, size_t *ret_size,
                 struct error *err)
{
    for (;;) {
        if (wait_output(process, err) < 0)
            return -1;
        ssize_t got = read(process->output, data, size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, ERROR_FAILED, errno, "read from %s", process->name);
        *ret_size = (size_t)got;
        return got > 0;
    }
}

/* ---- its end ---- */

static bool reap(struct process *process, int64_t patience_ms)
{
    for (int64_t waited = 0;; waited += 10) {
        pid_t ended = waitpid(process->pid, &process->status, WNOHANG);
        if (ended == process->pid || (ended < 0 && errno == ECHILD)) {
            process->pid = 0;
            return true;
        }
        if (waited >= patience_ms)
            return false;
        process_read_errors(process);
        process->os->sleep_ms(process->os, 10);
    }
}

static int set_failure(struct process *process, struct error *err)
{
    const char *said = process_errors(process);
    const char *last = strrchr(said, '\n');
    last = last ? last + 1 : said;
    if (WIFSIGNALED(process->status))
        return error_set(err, ERROR_FAILED, "%s was ended by signal %d%s%s", process->name,
                         WTERMSIG(process->status), *last ? ": " : "", last);
    if (*last)
        return error_set(err, ERROR_FAILED, "%s failed: %s", process->name, last);
    return error_set(err, ERROR_FAILED, "%s failed with status %d", process->name,
                     WEXITSTATUS(process->status));
}

int process_wait(struct process *process, struct error *err)
{
    process_close_input(process);
    while (process->pid && !reap(process, POLL_SLICE_MS))
        if (stop_check(err) < 0)
            return -1;
    process_read_errors(process);
    if (WIFEXITED(process->status) && WEXITSTATUS(process->status) == 0)
        return 0;
    return set_failure(process, err);
}

void process_free(struct process *process)
{
    if (!process)
        return;
    if (process->pid) {
        kill(process->pid, SIGTERM);
        if (!reap(process, END_GRACE_MS)) {
            kill(process->pid, SIGKILL);
            while (process->pid && waitpid(process->pid, &process->status, 0) < 0 && errno == EINTR)
                ;
        }
    }
    file_close(process->os, &process->input);
    file_close(process->os, &process->output);
    file_close(process->os, &process->errors);
    buf_clear(&process->said);
    free(process->name);
    free(process);
}
