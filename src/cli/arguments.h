/*
 * The command line, read: which command, its options into the settings, its arguments.
 */
#ifndef KEDGE_CLI_ARGUMENTS_H
#define KEDGE_CLI_ARGUMENTS_H

struct cli;
struct error;

/* Fill cli->command, settings, arguments, help and version. Passwords in URLs are overwritten in
 * `argv` before anything else happens, since other users can read it there. cli->command is set as
 * far as it was understood, on failure too. ERROR_USAGE. */
int arguments_read(struct cli *cli, int argc, char **argv, struct error *err);

#endif
