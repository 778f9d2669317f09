/*
 * One migration: a version, a name, and what it does on the way up and on the way down.
 *
 * It comes from a file (migrate/file.h), from a text in the program, or is a pair of C functions;
 * whatever it is, it has its place in one ordered set, one row in the history and one transaction.
 */
#ifndef KEDGE_MIGRATE_MIGRATION_H
#define KEDGE_MIGRATE_MIGRATION_H

#include "base/arena.h"
#include "base/buf.h"
#include "crypto/sha256.h"
#include "db/statement.h"

#include <stdbool.h>
#include <stddef.h>

struct db;
struct error;

enum direction { MIGRATE_UP, MIGRATE_DOWN };

struct migration_statement {
    enum statement_kind kind;
    char *text; /* NUL-ended */
    size_t size;
    size_t line; /* where it begins in the file */
    size_t column;
    bool block;       /* from StatementBegin to StatementEnd: may hold several */
    const char *rows; /* of a COPY ... FROM stdin; NULL when there are none */
    size_t rows_size;
};

/* One way of a migration. */
struct migration_part {
    struct migration_statement *items;
    size_t count;
    size_t capacity;
    bool exists;      /* there is such a section, though it may be empty */
    bool outside;     /* notransaction */
    const char *path; /* of its file; NULL when it has none */
};

/* 0, or -1. Runs in the open transaction of `db`. */
typedef int migration_fn(struct db *db, void *context, struct error *err);

struct migration {
    const char *version;
    const char *name;        /* as in the file's name, underscores and all */
    const char *description; /* the first comment of Up; NULL when there is none */
    struct migration_part parts[2];
    char checksum[SHA256_TEXT]; /* "" when a C function has no tag */
    migration_fn *functions[2]; /* instead of statements */
    void *context;
    bool repeatable;      /* Flyway's R__name: run after all others, again whenever it changes */
    bool detects_outside; /* of a peer that knows by itself what cannot run in a transaction */
    bool of_set;          /* it and all that it holds are in the memory of its set */
    struct arena memory;  /* else what it holds is here */
};

/* Ordered by version once sorted. */
struct migration_set {
    struct migration **items;
    size_t count;
    size_t capacity;
    bool mixed; /* one was given after one of a higher version */
    struct arena memory;
};

#define MIGRATION_SET_INIT ((struct migration_set){0})

/* One by itself, to be freed or given to a set. */
struct migration *migration_new(const char *version, const char *name);
/* One that is freed with `set`, where it is the last one now. What it is given must stay as long:
 * strings are borrowed. */
struct migration *migration_set_new(struct migration_set *set, const char *version,
                                    const char *name);
void migration_free(struct migration *migration);

/* A copy of the statement at the end of the part, in `memory`; returns it to be filled further. */
struct migration_statement *migration_part_add(struct migration_part *part, struct arena *memory,
                                               const struct statement *statement);
/* `from` before what `part` has; `from` is empty afterwards. */
void migration_part_prepend(struct migration_part *part, struct arena *memory,
                            struct migration_part *from);

/* The statements, with line ends and trailing blanks made equal, appended to `buf`. */
void migration_normal(const struct migration *migration, struct buf *buf);
/* Set the checksum: the sum of that text, which is made in `scratch`. */
void migration_sum(struct migration *migration, struct buf *scratch);
/* The sum of the first `count` statements of one way. */
void migration_sum_part(const struct migration_part *part, size_t count,
                        char ret_text[static SHA256_TEXT]);

/* Takes the migration over. */
void migration_set_give(struct migration_set *set, struct migration *migration);
/* Sort; -1 when two have one version, both named. */
int migration_set_sort(struct migration_set *set, struct error *err);
struct migration *migration_set_find(const struct migration_set *set, const char *version);
void migration_set_clear(struct migration_set *set);

/* As numbers where they are numbers: 2 before 10, 1.2 before 1.10, and 1.0 is 1. Repeatable ones
 * come last, by name. Negative, 0 or positive. */
int migration_version_compare(const char *a, const char *b);

/* Of a repeatable one? */
bool migration_version_repeatable(const char *version);

/* Is there a way down? What does nothing on the way up needs none. */
bool migration_reversible(const struct migration *migration);

/* The path of its file, or "registered migration VERSION", for messages. To be freed. */
char *migration_place(const struct migration *migration, enum direction direction);

DEFINE_SCOPED(migration, struct migration *, migration_free);

static inline void scoped_migration_set_cleanup(struct migration_set *set)
{
    migration_set_clear(set);
}

#endif
