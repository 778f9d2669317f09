/*
 * The safe installation of the catalogue into a database that is in production: it looks first,
 * does everything in one transaction, tries it out inside it, and leaves the database exactly as it
 * was when anything goes wrong.
 */
#ifndef KEDGE_CATALOG_INSTALL_H
#define KEDGE_CATALOG_INSTALL_H

#include <stdint.h>

struct error;
struct os;

/* What kind of line: the door chooses the sign before it. */
enum install_mark {
    INSTALL_START,    /* the first line */
    INSTALL_PLAIN,    /* no sign */
    INSTALL_DONE,     /* a step is done */
    INSTALL_WARNING,  /* worth knowing */
    INSTALL_NEEDLESS, /* the end: it was there already */
    INSTALL_FINISHED, /* the end: it is there now */
};

struct install_options {
    const char *url;              /* of the database */
    int64_t lock_timeout_ms;      /* for one statement to wait for others; 0: 5 s */
    int64_t statement_timeout_ms; /* 0: 60 s */
    const char *warning;          /* said at the end when it is there; NULL: none */
    /* Called with each line, without a line end. */
    void (*line)(void *context, enum install_mark mark, const char *text);
    void *context;
};

/* 0 when it is there and good, now or before. Otherwise -1 and the database is as it was; where the
 * engine cannot undo such statements, the next call completes what was begun. */
int catalog_install(struct os *os, const struct install_options *options, struct error *err);

#endif
