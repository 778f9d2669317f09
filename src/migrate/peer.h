/*
 * The histories of other migration tools: which of their tables is in a database, and what it says,
 * brought into one form.
 */
#ifndef KEDGE_MIGRATE_PEER_H
#define KEDGE_MIGRATE_PEER_H

#include "base/mem.h"
#include "base/text.h"
#include "db/db.h"
#include "migrate/peer_sum.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum peer_state {
    PEER_APPLIED,
    PEER_FAILED,
    PEER_UNDONE,
    PEER_BASELINE,  /* everything up to the version counts as applied */
    PEER_REACHED,   /* likewise, the version itself too: the tool keeps one row */
    PEER_UNFINISHED /* likewise, but the version itself is half done */
};

/* One row, as the tool wrote it. Owned strings, NULL for what it does not keep. */
struct peer_row {
    char *version; /* as in the name of a file; "R__name" for Flyway's repeatable ones */
    char *name;
    enum peer_state state;
    char *applied_at; /* ISO 8601 in UTC */
    int64_t execution_time_ms;
    int64_t batch; /* 0: none */
    char *sum;     /* of the file, as peer_sum_of writes it */
};

/* In the order in which they count: what comes later about a version is right. */
struct peer_rows {
    struct peer_row *items;
    size_t count;
    size_t capacity;
    struct text_list passed_over; /* what the tool has applied without any version */
};

#define PEER_ROWS_INIT ((struct peer_rows){0})

struct peer;

/* The next tool that kedge knows, NULL after the last; begin with NULL. */
const struct peer *peer_next(const struct peer *peer);
const struct peer *peer_find(const char *name);
const char *peer_name(const struct peer *peer);
/* The name that the tool gives its table. */
const char *peer_table(const struct peer *peer);
enum peer_sum peer_sum_kind(const struct peer *peer);

/* Are these the columns of its table? */
bool peer_fits(const struct peer *peer, const struct text_list *columns);

/* `table` is quoted as it has to be. */
int peer_read(const struct peer *peer, struct db *db, const char *table, struct peer_rows *rows,
              struct error *err);
void peer_rows_clear(struct peer_rows *rows);

static inline void scoped_peer_rows_cleanup(struct peer_rows *rows)
{
    peer_rows_clear(rows);
}

#endif
