/*
 * What of a script may run in a PostgreSQL database: rules decide, not the script.
 *
 * No file or program of the server, nothing that reaches another database; settings that this
 * server does not know are left out, owners and grants when they are not wanted.
 */
#ifndef KEDGE_SOURCE_POSTGRES_RULES_H
#define KEDGE_SOURCE_POSTGRES_RULES_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct error;
struct pq;

struct postgres_rules {
    bool no_owner;
    bool no_tablespaces;          /* all is made in the database's own */
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

#endif
