/*
 * Who has a database file open.
 *
 * An idle connection holds no lock, so SQLite cannot tell; but after a restore it would go on with
 * the old file. The kernel grants a write lease on a file only when nobody else has it open; where
 * it grants none to us (another owner's file, a network file system) the descriptors of all
 * processes are looked through.
 */
#ifndef KEDGE_SOURCE_SQLITE_HOLDERS_H
#define KEDGE_SOURCE_SQLITE_HOLDERS_H

struct error;
struct os;

enum sqlite_holders {
    SQLITE_HOLDERS_NONE,
    SQLITE_HOLDERS_SOME,
    SQLITE_HOLDERS_UNKNOWN, /* neither way could tell */
};

/* *ret_who (to be freed, NULL for none known): "1234 (gunicorn), 99 (sqlite3)". `path` must exist.
 * No connection of this process may be open on it. */
int sqlite_holders(struct os *os, const char *path, enum sqlite_holders *ret_holders,
                   char **ret_who, struct error *err);

/* 0 when nobody has it open or it cannot be told (which is logged); -1 with ERROR_LOCKED that names
 * who. */
int sqlite_holders_refuse(struct os *os, const char *path, struct error *err);

#endif
