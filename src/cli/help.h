/*
 * Help from the rows: the list of commands, and one screen about each.
 */
#ifndef KEDGE_CLI_HELP_H
#define KEDGE_CLI_HELP_H

struct buf;
struct command;
struct option_row;

/* Appended to `out`. */
void help_overview(struct buf *out);
void help_family(const char *family, struct buf *out);
void help_command(const struct command *command, struct buf *out);

/* "--retention DAYS", "-v, --verbose", "--compress[=zstd|gzip|none[:LEVEL]]" */
void help_option_usage(const struct option_row *row, struct buf *out);

#endif
