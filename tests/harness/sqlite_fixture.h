/*
 * SQLite files for tests: made, asked and compared in a line each, in a folder of their own.
 */
#ifndef KEDGE_TESTS_HARNESS_SQLITE_FIXTURE_H
#define KEDGE_TESTS_HARNESS_SQLITE_FIXTURE_H

#include "source/source.h"

#include <sqlite3.h>
#include <stddef.h>

struct segments_memory;

struct sqlite_fixture {
    char folder[64];
    char path[96]; /* <folder>/shop.db, not made yet */
};

/* A cmocka failure when something cannot be had, here and below. */
void sqlite_fixture_init(struct sqlite_fixture *fixture);
/* Removes the folder with all in it. */
void sqlite_fixture_clear(struct sqlite_fixture *fixture);

/* Run statements in a connection of their own, making the file if need be. */
void sqlite_fixture_run(const char *path, const char *sql);
/* The first column of the first row as text, in one of 16 buffers that take turns. */
const char *sqlite_fixture_ask(const char *path, const char *sql);

sqlite3 *sqlite_fixture_open(const char *path);

/* A database with `rows` rows in three tables, in that journal mode. */
void sqlite_fixture_shop(const char *path, const char *journal_mode, int rows);

/* Dump into memory through the source; what comes back is the driver's answer. */
int sqlite_fixture_dump(const char *path, bool logical, struct segments_memory *memory,
                        struct dump_result *ret_result, struct error *err);

/* All steps of a restore. *ret_kept (may be NULL) is to be freed. */
int sqlite_fixture_restore(struct os *os, const char *path, struct segments_memory *memory,
                           const char *format, const char *metadata, bool keep, char **ret_kept,
                           struct error *err);

/* The same for single tables, "a b c". `os` may end the process at any call: *kept_path (may be
 * NULL) then holds the line of the restore log. */
int sqlite_fixture_restore_tables(struct os *os, const char *path, struct segments_memory *memory,
                                  const char *tables, bool cascade, const char *kept_path,
                                  char **ret_kept, struct error *err);

/* Names in the folder, sorted and separated by spaces; as sqlite_fixture_ask. */
const char *sqlite_fixture_names(const char *folder);

#endif
