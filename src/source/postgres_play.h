/*
 * Playing a script into a PostgreSQL database: statement by statement over the wire, rows through
 * COPY.
 *
 * What runs is decided by rules, not by the script: no client command, no file or program of the
 * server, nothing that reaches another database; settings that this server does not know are left
 * out, owners and grants when they are not wanted. Each COPY's rows are counted and digested on
 * their way, and the server's own count must be the same.
 */
#ifndef KEDGE_SOURCE_POSTGRES_PLAY_H
#define KEDGE_SOURCE_POSTGRES_PLAY_H

#include "base/mem.h"
#include "base/text.h"
#include "source/row_digest.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct error;
struct pq;
struct progress;
struct segment_source;
struct segment_table;
struct statement;

struct postgres_rules {
    bool no_owner;
    size_t max_statement_bytes;   /* 0: 1 GiB */
    bool no_properties;           /* the database keeps its own owner, grants and settings */
    struct text_list settings;    /* that the server knows */
    struct text_list tablespaces; /* that it has: they are not made again */
};

/* Ask the server what it knows. */
int postgres_rules_init(struct pq *pq, struct postgres_rules *ret_rules, struct error *err);
void postgres_rules_clear(struct postgres_rules *rules);

/* 1: run it, 0: leave it out, -1: refused. */
int postgres_rules_allow(const struct postgres_rules *rules, const char *statement,
                         struct error *err);

/* The rows each table has got so far, from all connections. */
struct postgres_count {
    char *schema;
    char *name;
    char *columns; /* as the COPY lists them; NULL when it does not */
    struct row_digest digest;
};

struct postgres_counts {
    pthread_mutex_t lock;
    struct postgres_count *items;
    size_t count;
    size_t capacity;
    size_t last; /* where the last one was found */
};

void postgres_counts_init(struct postgres_counts *counts);
void postgres_counts_clear(struct postgres_counts *counts);
uint64_t postgres_counts_rows(struct postgres_counts *counts);
/* In the order in which its rows came; borrowed. NULL: no rows came, or without a list. */
const char *postgres_counts_columns(struct postgres_counts *counts, const char *schema,
                                    const char *name);
int postgres_counts_check_table(struct postgres_counts *counts, const struct segment_table *table,
                                struct error *err);
/* Is every table that the artifact's index names as the index says? */
int postgres_counts_check(struct postgres_counts *counts, const struct segment_source *expected,
                          struct error *err);

struct postgres_play_options {
    struct pq *pq;
    const struct postgres_rules *rules;
    struct postgres_counts *counts; /* may be NULL */
    struct progress *progress;      /* may be NULL */
    const char *name;               /* of the script, for errors */
    /* Called for each statement that may run, instead of running it: 1 run it after all, 0 it was
     * taken, -1. NULL: run all. */
    int (*statement)(void *context, const struct statement *statement, struct error *err);
    /* Called for each COPY: 1 load it, into *ret_into ("schema"."name", to be freed) if set instead
     * of the table that is named; 0 pass its rows over; -1. NULL: load all as named. */
    int (*copy)(void *context, const char *schema, const char *table, char **ret_into,
                struct error *err);
    void *context;
};

struct postgres_player;

struct postgres_player *postgres_player_new(const struct postgres_play_options *options);
int postgres_player_push(struct postgres_player *player, const void *data, size_t size,
                         struct error *err);
int postgres_player_finish(struct postgres_player *player, struct error *err);
void postgres_player_free(struct postgres_player *player);

/* All of a text. */
int postgres_play(const struct postgres_play_options *options, const void *data, size_t size,
                  struct error *err);

DEFINE_SCOPED(postgres_player, struct postgres_player *, postgres_player_free);

#endif
