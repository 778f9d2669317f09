/*
 * Commands as rows: parser, help, manual and completions come from them. A command is one file that
 * ends in its rows' function, a line here and a row in commands.c; the words of a family
 * ("catalog install") are part of the name.
 */
#ifndef KEDGE_CLI_COMMANDS_H
#define KEDGE_CLI_COMMANDS_H

#include "base/text.h"

#include <stdbool.h>

struct cli;
struct error;

enum command_flag {
    COMMAND_PLAIN = 1 << 0,    /* needs no settings: nothing is read before it runs */
    COMMAND_OLD = 1 << 1,      /* an old spelling: errors are printed bare, no help of its own */
    COMMAND_BEGINS = 1 << 2,   /* writes the configuration: it need not be there yet */
    COMMAND_READS = 1 << 3,    /* does its work also with a catalogue that cannot be written */
    COMMAND_REBUILDS = 1 << 4, /* begins with a catalogue that may have lost everything */
};

struct command {
    const char *name;
    const char *like;      /* old spellings: the command whose options it has */
    const char *arguments; /* "[TARGET…]", or NULL */
    int minimum, maximum;  /* of arguments; maximum -1: any number */
    unsigned flags;
    const char *compress; /* what a bare --compress means here, where it is not the row's */
    const char *summary;  /* for the list of commands */
    const char *family;   /* on the first row of a family: the summary of all of it */
    const char *examples; /* lines for the help, or NULL */
    /* The exit status, or -1 with err. */
    int (*run)(struct cli *cli, struct error *err);
};

/* What a command is given. */
struct cli {
    struct os *os;
    const struct command *command;
    char *family; /* "catalog", when help on all of a family is asked for; owned */
    struct settings *settings;
    struct text_list arguments;
    bool help;
    bool version;
    bool password_seen; /* one stood on the command line */
    bool error_told;    /* the error was printed where it happened */
};

/* All of them, ended by a NULL name. */
extern const struct command commands[];

const struct command *command_find(const char *name);

/* Does any command's name begin with this word and a blank? */
bool command_is_family(const char *word);

/* The name whose options and help it has. */
const char *command_options_name(const struct command *command);

int command_backup(struct cli *cli, struct error *err);
int command_catalog_check(struct cli *cli, struct error *err);
int command_catalog_install(struct cli *cli, struct error *err);
int command_catalog_rebuild(struct cli *cli, struct error *err);
int command_cleanup(struct cli *cli, struct error *err);
int command_completion(struct cli *cli, struct error *err);
int command_config(struct cli *cli, struct error *err);
int command_delete(struct cli *cli, struct error *err);
int command_doctor(struct cli *cli, struct error *err);
int command_help(struct cli *cli, struct error *err);
int command_init(struct cli *cli, struct error *err);
int command_keygen(struct cli *cli, struct error *err);
int command_list(struct cli *cli, struct error *err);
int command_manual(struct cli *cli, struct error *err);
int command_migrate_baseline(struct cli *cli, struct error *err);
int command_migrate_create(struct cli *cli, struct error *err);
int command_migrate_down(struct cli *cli, struct error *err);
int command_migrate_force(struct cli *cli, struct error *err);
int command_migrate_import(struct cli *cli, struct error *err);
int command_migrate_lint(struct cli *cli, struct error *err);
int command_migrate_plan(struct cli *cli, struct error *err);
int command_migrate_redo(struct cli *cli, struct error *err);
int command_migrate_refresh(struct cli *cli, struct error *err);
int command_migrate_repair(struct cli *cli, struct error *err);
int command_migrate_reset(struct cli *cli, struct error *err);
int command_migrate_status(struct cli *cli, struct error *err);
int command_migrate_up(struct cli *cli, struct error *err);
int command_migrate_verify(struct cli *cli, struct error *err);
int command_migrate_version(struct cli *cli, struct error *err);
int command_old_backup(struct cli *cli, struct error *err);
int command_restore(struct cli *cli, struct error *err);
int command_restores(struct cli *cli, struct error *err);
int command_show(struct cli *cli, struct error *err);
int command_stats(struct cli *cli, struct error *err);
int command_undo(struct cli *cli, struct error *err);
int command_verify(struct cli *cli, struct error *err);
int command_version(struct cli *cli, struct error *err);

#endif
