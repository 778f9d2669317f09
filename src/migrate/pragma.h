/*
 * SQLite's PRAGMA foreign_keys in a migration: obeyed before BEGIN, where it counts, checked before
 * COMMIT, and set again after it. Does nothing for other engines.
 */
#ifndef KEDGE_MIGRATE_PRAGMA_H
#define KEDGE_MIGRATE_PRAGMA_H

#include "migrate/migration.h"

struct pragma {
    struct db *db;      /* NULL: there is nothing to do */
    int64_t before;     /* what foreign_keys was */
    int64_t after;      /* what the file says last */
    int64_t violations; /* rows that broke a foreign key before */
};

#define PRAGMA_INIT ((struct pragma){0})

int pragma_before(struct pragma *pragma, struct db *db, const struct migration_part *part,
                  struct error *err);
/* In the transaction: -1 with the table when a foreign key is broken that was not before. */
int pragma_check(struct pragma *pragma, struct error *err);
/* After the commit: what the file says last. */
int pragma_after(struct pragma *pragma, struct error *err);
/* Without a commit: as it was. */
void pragma_clear(struct pragma *pragma);

static inline void scoped_pragma_cleanup(struct pragma *pragma)
{
    pragma_clear(pragma);
}

#endif
