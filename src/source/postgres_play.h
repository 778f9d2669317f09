/*
 * Playing a script into a PostgreSQL database: statement by statement over the wire, rows through
 * COPY.
 *
 * No client command is obeyed; what else may run is said by postgres_rules.h. Each COPY's rows are
 * counted and digested on their way, and the server's own count must be the same.
 */
#ifndef KEDGE_SOURCE_POSTGRES_PLAY_H
#define KEDGE_SOURCE_POSTGRES_PLAY_H

#include "base/mem.h"

#include <stddef.h>

struct error;
struct postgres_counts;
struct postgres_rules;
struct pq;
struct progress;
struct statement;

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
