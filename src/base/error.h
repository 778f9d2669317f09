/*
 * What went wrong, for the person who has to mend it.
 *
 * Every function that can fail takes a `struct error *err` as its last parameter and returns 0, or
 * -1 with the error filled in. A question that can fail answers 1, 0 or -1. An error is a value: it
 * lives on the caller's stack, owns nothing, and is never freed.
 *
 * The text is lower case, names the thing and has no full stop; the hint, when the cure is known,
 * is a second sentence that the door (command line or panel) prints on a line of its own.
 */
#ifndef KEDGE_BASE_ERROR_H
#define KEDGE_BASE_ERROR_H

#include <stdarg.h>

/* What kind of failure. The exit status of each is in error.c, in the order of docs/cli. */
enum error_code {
    ERROR_NONE = 0,
    ERROR_FAILED,        /* anything without a kind of its own */
    ERROR_USAGE,         /* wrong arguments or configuration */
    ERROR_NOT_FOUND,     /* the named thing is not there */
    ERROR_DECLINED,      /* the person, or the lack of one, said no */
    ERROR_NO_REPOSITORY, /* no repository at that destination */
    ERROR_LOCKED,        /* another process holds it */
    ERROR_WRONG_KEY,     /* wrong password, passphrase or identity */
    ERROR_SOURCE,        /* the thing to be backed up could not be read */
    ERROR_CORRUPT,       /* stored bytes are not what they should be */
    ERROR_RESTORE,       /* restore failed, target as before */
    ERROR_STRANDED,      /* restore failed and so did the way back */
    ERROR_UNHEALTHY,     /* health check failed, rolled back */
    ERROR_INTERRUPTED,   /* SIGINT, SIGTERM or a cancelled job */
    ERROR_NO_SPACE,      /* disk or quota full */
    ERROR_PERMISSION,    /* not allowed */
    ERROR_EXISTS,        /* the name is taken */
    ERROR_TIMEOUT,       /* a deadline passed */
    ERROR_CHANGED,       /* the source changed while it was read; another try may succeed */
};

struct error {
    enum error_code code;
    int sys; /* errno of the failing call, or 0 */
    char message[1024];
    char hint[512];
};

/* clang-format off */
#define ERROR_INIT {.code = ERROR_NONE}
/* clang-format on */

/* Fill `err` and return -1, so that a failure is raised in one line. `err` may be NULL. The text is
 * cut at the size of the field; control characters in it are kept as they are (the door makes them
 * harmless). */
int error_set(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set, with ": <strerror>" added. ENOSPC, EDQUOT, EACCES, EPERM, ENOENT and EEXIST choose
 * their own code when `code` is ERROR_FAILED. */
int error_set_errno(struct error *err, enum error_code code, int sys, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Put "<text>: " before the message that is there, and return -1. */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Set or replace the hint, and return -1. */
int error_hint(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Change the kind and keep the text, unless the kind is ERROR_INTERRUPTED, which always stays.
 * Returns -1. */
int error_recode(struct error *err, enum error_code code);

#ifdef __clang_analyzer__
/* The analyzer sees one file at a time: tell it what all of these answer. */
#define error_set(...) (error_set(__VA_ARGS__), -1)
#define error_set_errno(...) (error_set_errno(__VA_ARGS__), -1)
#define error_prefix(...) (error_prefix(__VA_ARGS__), -1)
#define error_hint(...) (error_hint(__VA_ARGS__), -1)
#define error_recode(...) (error_recode(__VA_ARGS__), -1)
#endif

/* Forget what is there. */
void error_clear(struct error *err);

/* The exit status that spec'd scripts read for this kind. */
int error_exit_status(enum error_code code);

#endif
