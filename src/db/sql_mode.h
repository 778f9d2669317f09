/*
 * What `SET sql_mode` does to how the rest of a file is read.
 */
#ifndef KEDGE_DB_SQL_MODE_H
#define KEDGE_DB_SQL_MODE_H

#include <stdbool.h>
#include <stddef.h>

struct sql_mode {
    bool ansi_quotes;
    bool no_backslash_escapes;
};

/* Modes that were put aside with SET @name = @@sql_mode. */
struct sql_mode_saved {
    char name[32];
    struct sql_mode mode;
};

struct sql_modes {
    struct sql_mode initial;
    struct sql_mode now;
    struct sql_mode_saved saved[8];
    size_t saved_count;
};

/* Follow one SET statement. */
void sql_modes_follow(struct sql_modes *modes, const char *text, size_t size);

#endif
