/*
 * Files and folders with errors: the layer everyone uses over `struct os`.
 *
 * Reads and writes here are whole, interrupted calls are tried again, and every failure names the
 * path.
 */
#ifndef KEDGE_BASE_FILE_H
#define KEDGE_BASE_FILE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct error;
struct os;

/* Descriptors are plain ints, -1 for none; they are close-on-exec. The answer is the descriptor. */
int file_open(struct os *os, const char *path, int flags, mode_t mode, struct error *err);

/* Close *fd unless it is -1, and set it to -1. */
void file_close(struct os *os, int *fd);

/* `path` is for the error. On failure part of the bytes may be there. */
int file_write_all(struct os *os, int fd, const void *data, size_t size, const char *path,
                   struct error *err);
int file_pwrite_all(struct os *os, int fd, const void *data, size_t size, uint64_t offset,
                    const char *path, struct error *err);

/* Fill `data`; *ret_size is less than `size` only at the end of the file. */
int file_pread(struct os *os, int fd, void *data, size_t size, uint64_t offset, size_t *ret_size,
               const char *path, struct error *err);

/* All of a small file, at most buf->maximum bytes. ERROR_NOT_FOUND when it is not there. */
int file_read_all(struct os *os, const char *path, struct buf *buf, struct error *err);
/* The same of `name` in the folder that is open as `dir`; errors say `path`. */
int file_read_at(struct os *os, int dir, const char *name, const char *path, struct buf *buf,
                 struct error *err);

/* Durable and whole or not at all: temporary name beside it, fsync, rename, fsync of the folder. */
int file_write_atomic(struct os *os, const char *path, const void *data, size_t size, mode_t mode,
                      struct error *err);

int file_sync(struct os *os, int fd, const char *path, struct error *err);
int folder_sync(struct os *os, const char *path, struct error *err);

/* `path` and whatever is missing above it. New folders get `mode`. */
int folder_make(struct os *os, const char *path, mode_t mode, struct error *err);

/* 1 and the stat, 0 when there is nothing at `path`, -1. */
int file_stat(struct os *os, const char *path, struct stat *ret_stat, struct error *err);

/* Remove; "was not there" is success. */
int file_remove(struct os *os, const char *path, struct error *err);

/* Take the name `to` for the file `from` without ever replacing: 1 done, 0 the name is taken, -1.
 * renameat2(RENAME_NOREPLACE), else link and unlink. */
int file_rename_noreplace(struct os *os, const char *from, const char *to, struct error *err);

int file_rename(struct os *os, const char *from, const char *to, struct error *err);

/* Bytes an ordinary user may still write in the file system of `path` (the nearest part of it that
 * exists). */
int file_free_space(struct os *os, const char *path, uint64_t *ret_bytes, struct error *err);

/* Names in a folder, without "." and "..", in no order. Return non-zero from `visit` to stop; that
 * value comes back (a negative one must have set err). */
typedef int file_visit_fn(void *context, const char *name, struct error *err);
int folder_list(struct os *os, const char *path, file_visit_fn *visit, void *context,
                struct error *err);

/* The same with what each is, a DT_... of <dirent.h>; DT_UNKNOWN where the file system does not
 * tell. */
typedef int file_entry_fn(void *context, const char *name, unsigned char type, struct error *err);
int folder_entries(struct os *os, const char *path, file_entry_fn *visit, void *context,
                   struct error *err);

/* The same of an open folder, which stays open and as it was; errors call it `name`. */
int folder_entries_at(struct os *os, int folder, const char *name, file_entry_fn *visit,
                      void *context, struct error *err);

/* Path arithmetic; results are the caller's to free. */
char *path_join(const char *folder, const char *name);
char *path_folder(const char *path);     /* "." when there is none */
const char *path_base(const char *path); /* within `path` */
/* Is `path` the folder, or below it? Both absolute, or both relative to the same place. */
bool path_holds(const char *folder, const char *path);
char *path_absolute(const char *path); /* against the working folder, no links resolved, no "/"
                                        at its end */

#endif
