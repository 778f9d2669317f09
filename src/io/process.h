/*
 * A child process behind pipes: pg_dump for a schema, ssh for SFTP.
 *
 * No shell: a program, its arguments and its whole environment are given as they are. The child
 * gets nothing else of ours: descriptors are close-on-exec, signals as by default, a process group
 * of its own. What it says on stderr is kept up to a bound and becomes the error when it fails. A
 * secret for it goes into an anonymous file that only its descriptor leads to. Freed before it was
 * waited for, it is killed.
 */
#ifndef KEDGE_IO_PROCESS_H
#define KEDGE_IO_PROCESS_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct os;
struct text_list;
struct process;

struct process_options {
    struct os *os;
    const char *program;                 /* its path; no PATH is searched */
    const struct text_list *arguments;   /* the program's own name first */
    const struct text_list *environment; /* NAME=value, all there is */
    int secret;         /* a descriptor the child has as PROCESS_SECRET_PATH; 0 for none */
    bool input;         /* a pipe to its stdin; else it reads /dev/null */
    int64_t timeout_ms; /* longest silence on stdout; 0: for ever */
};

#define PROCESS_SECRET_PATH "/dev/fd/3"

/* An anonymous file of mode 0600 with this content, for options->secret. The caller closes it. -1
 * on failure. */
int process_secret_file(const void *data, size_t size, struct error *err);

int process_start(const struct process_options *options, struct process **ret_process,
                  struct error *err);

/* What comes next from its stdout: 1 and 1 to `size` bytes, 0 at the end, -1. stderr is read
 * beside. Leaves with ERROR_INTERRUPTED when a stop is requested. */
int process_read(struct process *process, void *data, size_t size, size_t *ret_size,
                 struct error *err);

/* Take what is in the pipe of stderr without waiting. */
void process_read_errors(struct process *process);
/* What it said on stderr so far, without the last line's end. */
const char *process_errors(struct process *process);
void process_close_input(struct process *process);

/* Its end. 0 when it exits with 0; else -1 with ERROR_FAILED "<program> failed: <its last line>".
 */
int process_wait(struct process *process, struct error *err);

/* Kills what is still running. NULL does nothing. */
void process_free(struct process *process);

DEFINE_SCOPED(process, struct process *, process_free);

#endif
