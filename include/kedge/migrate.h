/*
 * Schema migrations from a program: files, and functions that are registered, as one ordered list
 * with one history, one lock and a transaction each.
 */
#ifndef KEDGE_MIGRATE_H
#define KEDGE_MIGRATE_H

#include <kedge/kedge.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kedge_migrator;

/* Zero fields mean the default. Texts are copied. */
struct kedge_migrator_options {
    const char *folder;        /* NULL: registered migrations only */
    const char *history_table; /* schema_migrations */
    int64_t wait_ms;           /* for another migrating process: 60 s */
    int64_t lock_timeout_ms;   /* for one statement: 5 s */
};

/* Runs in the open transaction of `database`; -1 with err set takes the migration back. */
typedef int kedge_migration_fn(struct kedge_database *database, void *context,
                               struct kedge_error *err);

struct kedge_migration {
    const char *version; /* "20240101000001" */
    const char *name;
    const char
        *tag; /* stands for what the functions do; a change is a checksum mismatch. NULL: none */
    kedge_migration_fn *up;
    kedge_migration_fn *down; /* NULL: cannot be undone */
    void *context;
};

/* `options` may be NULL. The database is borrowed until the migrator is closed. */
KEDGE_API int kedge_migrator_open(struct kedge_database *database,
                                  const struct kedge_migrator_options *options,
                                  struct kedge_migrator **ret_migrator, struct kedge_error *err);
/* NULL does nothing. */
KEDGE_API void kedge_migrator_close(struct kedge_migrator *migrator);

KEDGE_API int kedge_migrator_register(struct kedge_migrator *migrator,
                                      const struct kedge_migration *migration,
                                      struct kedge_error *err);
/* The same with SQL in the dialect of the database; `down` may be NULL. */
KEDGE_API int kedge_migrator_register_sql(struct kedge_migrator *migrator, const char *version,
                                          const char *name, const char *up, const char *down,
                                          struct kedge_error *err);

/* Everything pending, up to and with `version` unless it is NULL. *ret_count (may be NULL): how
 * many were run. */
KEDGE_API int kedge_migrator_up(struct kedge_migrator *migrator, const char *version,
                                size_t *ret_count, struct kedge_error *err);
/* Back to `version`, which stays applied; NULL: undo the latest one. */
KEDGE_API int kedge_migrator_down(struct kedge_migrator *migrator, const char *version,
                                  size_t *ret_count, struct kedge_error *err);

/* Borrowed for the length of the call. */
struct kedge_migration_state {
    const char *version;
    const char *name;
    const char *status;     /* "pending", "applied", "failed" or "rollback" */
    const char *applied_at; /* ISO 8601 in UTC, or NULL */
    int64_t batch;          /* 0: none */
    int64_t execution_time_ms;
    int missing; /* in the history only */
    int changed; /* applied, and something else now */
};

/* Non-zero stops and comes back from kedge_migrator_status. */
typedef int kedge_state_fn(void *context, const struct kedge_migration_state *state);

/* In the order of versions. Takes no lock and writes nothing. */
KEDGE_API int kedge_migrator_status(struct kedge_migrator *migrator, kedge_state_fn *visit,
                                    void *context, struct kedge_error *err);

/* The newest applied version into ret_version, "" when there is none. */
KEDGE_API int kedge_migrator_version(struct kedge_migrator *migrator, char ret_version[65],
                                     struct kedge_error *err);

#ifdef __cplusplus
}
#endif

#endif
