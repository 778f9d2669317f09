/*
 * Writing early what an extraction leaves in the page cache.
 *
 * A restore ends with a sync, and many small files get their place on the disk only then. A thread
 * of its own has the file system write each time so much has gathered, while the workers decode and
 * make the next ones. It only begins the work sooner: what counts is the sync at the end. But a
 * failure to write is told once for each descriptor, so one that is seen here is kept.
 */
#ifndef KEDGE_SOURCE_FILES_EARLY_H
#define KEDGE_SOURCE_FILES_EARLY_H

#include "base/mem.h"

#include <stdint.h>

struct error;
struct files_early;
struct os;

/* After each so many bytes. */
#define FILES_EARLY_STEP ((uint64_t)100 << 20)

/* The thread starts when it is first needed. */
struct files_early *files_early_new(struct os *os);

/* `bytes` more lie in the cache, for the file system of `fd`, which stays open until the end. Any
 * thread. */
void files_early_wrote(struct files_early *early, int fd, uint64_t bytes);

/* Wait for what it is at. -1: something could not be written. */
int files_early_end(struct files_early *early, struct error *err);
void files_early_free(struct files_early *early); /* ends it too; NULL is fine */

DEFINE_SCOPED(files_early, struct files_early *, files_early_free);

#endif
