/*
 * In which order a PostgreSQL database is filled: pure decisions, no server.
 *
 * The server's work decides how long a restore takes, so what lies on the longest way to the end
 * starts first: a big table is loaded by several connections at once, its keys and indexes follow
 * at once, materialised views are refreshed beside the index builds of other tables, and small
 * tables fill the gaps. Statements that need everything before them run in their own order.
 *
 * The caller serialises all calls.
 */
#ifndef KEDGE_SOURCE_POSTGRES_PLAN_H
#define KEDGE_SOURCE_POSTGRES_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum task_kind {
    TASK_DATA,    /* a frame with rows */
    TASK_LARGE,   /* frames with large objects, in order */
    TASK_INDEX,   /* an index, primary or unique key */
    TASK_REFRESH, /* a materialised view that needs only tables */
    TASK_BEFORE,  /* statements between the indexes and the foreign keys */
    TASK_FOREIGN, /* a foreign key */
    TASK_AFTER,   /* the rest */
};

#define TASK_KINDS (TASK_AFTER + 1)

#define PLAN_NO_TABLE SIZE_MAX

struct plan_task {
    enum task_kind kind;
    size_t table;     /* that it loads, locks or refreshes; or PLAN_NO_TABLE */
    size_t other;     /* a foreign key's second table */
    bool exclusive;   /* nothing else may run on the table */
    size_t frame;     /* TASK_DATA */
    size_t statement; /* the caller's number of it; for the kinds that are one statement */
    size_t *needs;    /* TASK_REFRESH: tables that must be complete; owned */
    size_t need_count;
    unsigned effort; /* TASK_INDEX: per cent of what loading its table costs; 0: as a B-tree's */
    uint64_t cost;
    bool again;     /* TASK_DATA: it was put back */
    size_t started; /* TASK_DATA: how many had been done when it was taken */
};

struct plan_table {
    char *schema;
    char *name;
    uint64_t bytes;
    uint64_t bytes_left;
    size_t frames_left;
    size_t indexes_left;
    size_t sharing; /* tasks that run on it */
    bool locked;    /* by an exclusive one */
    uint64_t tail;  /* what follows its rows: indexes, refreshes */
    size_t next;    /* of the same bucket, or PLAN_NO_TABLE */
};

struct plan {
    struct plan_table *tables;
    size_t table_count;
    size_t table_capacity;
    size_t *buckets; /* of tables by name: the last that was added, or PLAN_NO_TABLE */
    size_t bucket_count;
    struct plan_task *tasks;
    size_t task_count;
    size_t task_capacity;
    size_t *waiting; /* tasks that have not started, in their order */
    size_t waiting_count;
    size_t left[TASK_KINDS]; /* tasks that are not done */
    size_t running[TASK_KINDS];
    size_t loaded; /* TASK_DATA that are done */
};

#define PLAN_INIT ((struct plan){0})

/* The table's number; it is added when it is new. */
size_t plan_table(struct plan *plan, const char *schema, const char *name);
/* The same, but PLAN_NO_TABLE when it is new. */
size_t plan_find_table(const struct plan *plan, const char *schema, const char *name);

/* The task is copied; its `needs` are taken over. */
void plan_add(struct plan *plan, const struct plan_task *task);

/* All tasks are there: work out costs. */
void plan_ready(struct plan *plan);

/* The best task that can start now, marked running; NULL when none can yet, or none is left. */
struct plan_task *plan_take(struct plan *plan);
void plan_finish(struct plan *plan, struct plan_task *task);
/* A TASK_DATA that was taken failed, and may do so no more when other tables have their rows: it is
 * taken again once each has been tried and one more is done. False: that cannot be, and nothing was
 * put back. */
bool plan_put_back(struct plan *plan, struct plan_task *task);
bool plan_complete(const struct plan *plan);

void plan_clear(struct plan *plan);

#endif
