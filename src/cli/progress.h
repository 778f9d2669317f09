/*
 * The progress line: a live one on a terminal, a line a minute elsewhere, nothing with --quiet.
 *
 * A thread of its own reads the counters that the workers bump.
 */
#ifndef KEDGE_CLI_PROGRESS_H
#define KEDGE_CLI_PROGRESS_H

#include "base/mem.h"

#include <stddef.h>
#include <stdint.h>

struct cli;
struct progress;
struct progress_line;

/* `progress` is borrowed until progress_line_stop. Never fails: without a thread there is no line.
 */
struct progress_line *progress_line_start(const struct cli *cli, struct progress *progress);
void progress_line_stop(struct progress_line *line); /* clears the line; NULL is fine */

/* Keep the line away while something is asked or printed. NULL is fine. */
void progress_line_pause(struct progress_line *line);
void progress_line_resume(struct progress_line *line);

/* "reading  1.2 GB of 4.0 GB  30%  150.0 MB/s  19s left", appended to nothing: into `text`. */
void progress_line_format(const char *phase, uint64_t done, uint64_t total, int64_t elapsed_ms,
                          char *text, size_t size);

DEFINE_SCOPED(progress_line, struct progress_line *, progress_line_stop);

#endif
