/*
 * Questions before something is lost.
 *
 * On a terminal the person is asked; elsewhere only --force (or --yes) goes on. There is no
 * variable and no configuration key that answers.
 */
#ifndef KEDGE_CLI_CONFIRM_H
#define KEDGE_CLI_CONFIRM_H

#include <stdbool.h>

struct cli;
struct error;

/* --force or --yes. */
bool confirm_is_forced(const struct cli *cli);

/* 0 when it may go on. -1 with ERROR_DECLINED: nobody to ask (`what` is then in the message:
 * "restoring into shop"), or the answer was not yes. `question` is asked on stderr, with
 * "(yes/no) [no]:" after it. */
int confirm_ask(const struct cli *cli, const char *what, const char *question, struct error *err);

/* The second question, where what is replaced is said to be production. */
int confirm_ask_production(const struct cli *cli, const char *what, struct error *err);

#endif
