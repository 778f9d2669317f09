/*
 * A lock file beside a SQLite database, held by the operating system and gone with the process. A
 * transaction alone would not do: some statements run in none, and a batch has several. Does
 * nothing for other engines.
 */
#ifndef KEDGE_MIGRATE_FILELOCK_H
#define KEDGE_MIGRATE_FILELOCK_H

#include <stdint.h>

struct db;
struct error;
struct os;

struct filelock {
    struct os *os; /* NULL: nothing is held */
    int fd;
    char *path;
};

#define FILELOCK_INIT ((struct filelock){.fd = -1})

/* ERROR_LOCKED when it was not free within `wait_ms`. */
int filelock_take(struct filelock *lock, struct db *db, int64_t wait_ms, struct error *err);
/* Let go and remove the file. */
void filelock_release(struct filelock *lock);

static inline void scoped_filelock_cleanup(struct filelock *lock)
{
    filelock_release(lock);
}

#endif
