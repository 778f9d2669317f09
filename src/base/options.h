/*
 * Options as rows: one row says everything about an option, and the parser, the help, the manual,
 * the completions, the environment and the configuration file are read from it.
 *
 * The rows themselves are in service/settings_rows.c; here are their type and the values they
 * take.
 */
#ifndef KEDGE_BASE_OPTIONS_H
#define KEDGE_BASE_OPTIONS_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum option_type {
    OPTION_BOOL,
    OPTION_COUNT, /* a switch that may be repeated: -vv */
    OPTION_INT,
    OPTION_DURATION, /* 5s; held in milliseconds */
    OPTION_SIZE,     /* 512MB; held in bytes */
    OPTION_TEXT,
    OPTION_LIST, /* may be repeated; commas separate in the environment */
    OPTION_CHOICE,
    OPTION_PATH,
};

/* All text is static; NULL where a row has no such thing. */
struct option_row {
    const char *name; /* --name */
    char short_name;  /* -n, or 0 */
    enum option_type type;
    bool secret;             /* never shown; in the file it may be env:, file: or command: */
    bool later;              /* read and shown, but nothing in this version acts on it */
    const char *fallback;    /* the default, as text */
    const char *environment; /* variables, separated by blanks; the first that is not empty holds */
    const char *path;        /* "restore.undo_days" in the configuration file */
    const char *commands;    /* "backup,catalog install"; a family's name stands for all of it;
                                "*": all; NULL: none, not an option of the command line */
    const char *bare;        /* what the option means without a value; NULL: it needs one */
    const char *choices;     /* OPTION_CHOICE: separated by blanks */
    int64_t minimum, maximum; /* OPTION_INT; both 0: from 0 up */
    const char *metavar;      /* "DAYS" */
    const char *help;         /* half a sentence, lower case */
    const char *group;        /* in a command's help, those of one group share a line under this
                                 heading; NULL: a line of its own */
};

struct option_value {
    bool boolean;
    int64_t integer; /* also counts, milliseconds and bytes */
    char *text;
    struct text_list list;
};

void option_value_clear(struct option_value *value); /* secrets are wiped */

/* Parse `text` into `value`, replacing what it holds; a list gets one item more. ERROR_USAGE says
 * what is wrong with the text, without naming the option: the caller knows where it came from. */
int option_value_parse(const struct option_row *row, const char *text, struct option_value *value,
                       struct error *err);

/* As option_value_parse for a list whose items stand between commas; blanks around them go. */
int option_value_parse_list(const struct option_row *row, const char *text,
                            struct option_value *value, struct error *err);

/* The value as people write it, appended to `out`. Secrets come out as "(hidden)". */
void option_value_format(const struct option_row *row, const struct option_value *value,
                         struct buf *out);

/* Does the option need no value of its own (--verify)? */
bool option_is_switch(const struct option_row *row);

/* Is `command` ("catalog install") one of row->commands? */
bool option_of_command(const struct option_row *row, const char *command);

/* Of `names` (ended by NULL), the one that `text` was probably meant to be, or NULL. Borrowed. */
const char *option_nearest(const char *text, const char *const *names);

static inline void scoped_option_value_cleanup(struct option_value *value)
{
    option_value_clear(value);
}

#endif
