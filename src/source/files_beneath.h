/*
 * Work beneath an open folder, without ever leaving it: paths are resolved by the kernel with
 * RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS, or one component at a time where it has no openat2.
 */
#ifndef KEDGE_SOURCE_FILES_BENEATH_H
#define KEDGE_SOURCE_FILES_BENEATH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct error;
struct os;

/* openat with these rules: fd, or -1 and errno (ELOOP for a symbolic link, EXDEV for a way out).
 * `path` is relative and clean; "" is the folder itself. */
int files_beneath_open(struct os *os, int folder, const char *path, int flags, mode_t mode);

/* The same, and missing folders are made on the way with mode 0755 under the umask; their number is
 * added to `made`. */
int files_beneath_make(struct os *os, int folder, const char *path, uint64_t *made);

/* Open an absolute path's folder without following a link anywhere. */
int files_beneath_top(struct os *os, const char *absolute, int flags);

/* True when something else is mounted on `name`, a folder of the same device included. */
bool files_beneath_mounted(struct os *os, int folder, const char *name);

/* Remove `name` and all beneath it, whatever it is. "Was not there" is success. */
int files_beneath_remove(struct os *os, int folder, const char *name, struct error *err);

#endif
