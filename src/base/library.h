/*
 * Libraries that are loaded on first use.
 *
 * `kedge list` answers in milliseconds, so what costs milliseconds to link (libpq, libmariadb,
 * libcurl, ...) is opened by the module that needs it, when it needs it. A module declares its
 * functions as a struct of pointers and a table of names:
 *
 *     static struct {
 *         PGconn *(*connectdb)(const char *);
 *     } pq;
 *     static const struct library_symbol symbols[] = {
 *         {"PQconnectdb", (void **)&pq.connectdb},
 *         {NULL, NULL},
 *     };
 *     static struct library library = {"libpq.so.5", "libpq5", symbols, false};
 *
 * and begins with library_load(&library, err).
 */
#ifndef KEDGE_BASE_LIBRARY_H
#define KEDGE_BASE_LIBRARY_H

#include <stdbool.h>

struct error;

struct library_symbol {
    const char *name;
    void **slot;
};

struct library {
    const char *file;                     /* "libpq.so.5" */
    const char *package;                  /* Debian's package, for the hint */
    const struct library_symbol *symbols; /* ended by a NULL name */
    bool loaded;
};

/* Thread-safe; does nothing the second time. The library stays open until the process ends.
 * ERROR_FAILED with the package's name as a hint when it cannot be opened or lacks a symbol; the
 * next call tries again. */
int library_load(struct library *library, struct error *err);

#endif
