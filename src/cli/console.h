/*
 * What every command prints with: errors, lines for people, JSON.
 *
 * Results go to stdout, everything else to stderr. Text from outside is made visible on its way.
 */
#ifndef KEDGE_CLI_CONSOLE_H
#define KEDGE_CLI_CONSOLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli;
struct error;
struct text_list;

/* A line on stdout. The text is made harmless, a line end is added. */
void console_result(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line on stderr, unless --quiet. */
void console_note(const struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A line on stderr in any case: what the person is being asked about, for example. */
void console_message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "kedge: warning: …" */
void console_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "kedge: error: …" and "hint: …"; without the prefix for old spellings. */
void console_error(const struct cli *cli, const struct error *err);

/* One object on a line of its own on stdout; takes the object over. */
void console_json(json_t *object);

/* Is --json on? */
bool console_wants_json(const struct cli *cli);

/* "24.5MB", as the old lists have it: MB = 10^6 bytes, one digit; of less than a tenth the first
 * two that are not 0: "0.0081MB". */
void console_megabytes(uint64_t bytes, const char *between, char ret_text[static 32]);

/* For JSON: NULL, 0 and UINT64_MAX (not counted) become null. */
json_t *console_json_count(uint64_t count);
json_t *console_json_text(const char *text);
json_t *console_json_list(const struct text_list *list);
json_t *console_json_moment(int64_t moment_ns);

/* Everything printed has reached stdout. */
int console_flush(struct error *err);

/* The columns of the terminal on `fd`, 0 when it is none. */
size_t console_terminal_width(int fd);

#endif
