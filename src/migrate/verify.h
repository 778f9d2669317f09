/*
 * Does Down undo what Up does? Each migration is applied, undone and applied again in a scratch
 * database, and the schema before is compared with the one after.
 */
#ifndef KEDGE_MIGRATE_VERIFY_H
#define KEDGE_MIGRATE_VERIFY_H

#include "base/text.h"
#include "db/url.h"

#include <stdbool.h>

struct error;
struct migration_folder;
struct os;

enum verify_outcome {
    VERIFY_GOOD,
    VERIFY_NO_DOWN,
    VERIFY_DIFFERENT, /* Down leaves another schema than before Up */
    VERIFY_AGAIN,     /* a second Up makes another schema than the first */
    VERIFY_FAILED,    /* a statement fails */
};

struct verify_result {
    const char *version;
    const char *name;
    enum verify_outcome outcome;
    const char *message;           /* VERIFY_FAILED: what the server said; else NULL */
    const struct text_list *lines; /* the difference: "- object: definition", "+ ..." */
};

typedef void verify_notify_fn(void *context, const struct verify_result *result);

/* All borrowed. */
struct verify_options {
    struct os *os;
    const struct db_url *url;     /* of the real database; it is not touched */
    const struct db_url *scratch; /* an empty one to use instead of making one; may be NULL */
    const struct migration_folder *folder;
    const char *history_table; /* may be NULL */
    const char *version;       /* only this one; NULL: all */
    verify_notify_fn *notify;  /* for each that was looked at */
    void *context;
};

/* How many there were of each outcome. */
struct verify_counts {
    size_t of[VERIFY_FAILED + 1];
};

/* -1 when it could not be tried: ERROR_NOT_FOUND for an unknown version, ERROR_USAGE for migrations
 * that would reach out of the scratch database. Bad migrations are results, not errors. */
int migration_verify_run(const struct verify_options *options, struct verify_counts *ret_counts,
                         struct error *err);

#endif
