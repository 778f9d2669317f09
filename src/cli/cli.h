/*
 * The command line: one of the two doors to src/service.
 */
#ifndef KEDGE_CLI_CLI_H
#define KEDGE_CLI_CLI_H

struct os;

/* Parse, act, print; returns the exit status. */
int cli_main(struct os *os, int argc, char **argv);

#endif
