/*
 * The statements of a PostgreSQL script that follow the data: noted as they are read, each with the
 * settings that are in force for it, and run later by whichever session is free.
 *
 * The caller serialises the noting; running only reads.
 */
#ifndef KEDGE_SOURCE_POSTGRES_LATER_H
#define KEDGE_SOURCE_POSTGRES_LATER_H

#include "base/text.h"
#include "source/postgres_words.h"

#include <stdbool.h>
#include <stddef.h>

struct error;
struct os;
struct pq;
struct statement;

/* One statement. Owned strings. */
struct later {
    enum post_kind kind;
    char *schema;
    char *table;
    char *sql;
    const char *settings; /* in force for it; borrowed */
    size_t line;
    bool taken; /* the caller's note: it has a task of its own */
};

struct laters {
    struct later *items;
    size_t count;
    size_t capacity;
    struct text_list state;    /* each setting's last SET, while statements are noted */
    struct text_list settings; /* all states there were, joined */
};

/* Does it set what is in force for those after it? Who grants is changed and changed back around
 * single statements: those keep their order. */
bool later_is_setting(const char *statement);

void laters_note(struct laters *laters, const struct statement *statement);

/* A function without a search_path of its own finds what it calls where its callers look, and a
 * dump's sessions look nowhere: an index or a check that calls such a one fails. Does the session's
 * last error say that? */
bool later_looked_in_vain(const struct pq *pq);

/* The statement that lets a session look in the table's schema and in public, and a semicolon; to
 * be freed. `setting`: SET or SET LOCAL. */
char *later_usual_path(const char *setting, const char *schema);

/* `in_force`: the settings of the session, changed where the statement needs others. A deadlock is
 * tried again a few times; what was looked for in vain once more, on the usual path. */
int later_run(struct os *os, struct pq *pq, const char **in_force, const struct later *later,
              struct error *err);

void laters_clear(struct laters *laters);

#endif
