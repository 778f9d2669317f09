/*
 * Secrets that the configuration names instead of holding: env:NAME, file:PATH,
 * command:PROGRAM ARG…
 */
#ifndef KEDGE_SERVICE_SECRET_TEXT_H
#define KEDGE_SERVICE_SECRET_TEXT_H

#include "base/mem.h"

struct error;
struct os;

/* The first line of a file, without its end: to be wiped and freed. */
int secret_text_read_file(struct os *os, const char *path, char **ret_secret, struct error *err);

/* What a program prints on stdout, its last line end taken off. `command_line` is cut at blanks,
 * without a shell; the program may be silent for 30 seconds and print 64 KiB. To be wiped and
 * freed. */
int secret_text_run(struct os *os, const char *command_line, char **ret_secret, struct error *err);

/* Overwrite and free; NULL is fine. */
void secret_text_free(char *secret);

DEFINE_SCOPED(secret_text, char *, secret_text_free);

#endif
