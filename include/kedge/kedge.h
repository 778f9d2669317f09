/*
 * libkedge: databases that can be moved and hauled back.
 *
 * Functions return 0, or -1 with the error filled in; what they open is closed with the function
 * beside it. A database and what hangs on it belong to one thread at a time.
 */
#ifndef KEDGE_KEDGE_H
#define KEDGE_KEDGE_H

#ifdef __cplusplus
extern "C" {
#endif

#define KEDGE_API __attribute__((visibility("default")))

enum kedge_error_code {
    KEDGE_OK = 0,
    KEDGE_FAILED = 1,
    KEDGE_USAGE = 2,    /* wrong arguments */
    KEDGE_CHECKSUM = 4, /* an applied migration has changed */
    KEDGE_LOCKED = 5,   /* another process holds the lock */
    KEDGE_DECISION = 6, /* a person has to decide; the hint names the choices */
    KEDGE_INTERRUPTED = 130,
};

/* Lives on the caller's stack, owns nothing. */
struct kedge_error {
    enum kedge_error_code code;
    char message[1024];
    char hint[512]; /* what helps, or "" */
};

struct kedge_database;

/* postgres://, mysql://, mariadb:// and sqlite: URLs, or a path to a SQLite file, which is made
 * when it is not there. */
KEDGE_API int kedge_database_open(const char *url, struct kedge_database **ret_database,
                                  struct kedge_error *err);
/* NULL does nothing. */
KEDGE_API void kedge_database_close(struct kedge_database *database);

/* One statement whose rows, if it has any, are of no interest. */
KEDGE_API int kedge_database_execute(struct kedge_database *database, const char *sql,
                                     struct kedge_error *err);

#ifdef __cplusplus
}
#endif

#endif
