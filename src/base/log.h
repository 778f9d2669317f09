/*
 * The log: messages for whoever runs kedge, on stderr or in a file.
 *
 * An error is logged once, by whoever handles it. Under a service manager (JOURNAL_STREAM is set)
 * each line starts with "<N>" so that the journal knows its level. Secrets never come here; text
 * from outside is made visible.
 */
#ifndef KEDGE_BASE_LOG_H
#define KEDGE_BASE_LOG_H

#include <stdbool.h>

struct error;

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* What is shown: everything up to `level`. Called once, before threads. */
void log_set_level(enum log_level level);

/* Append log lines to `path` too, with time and level. 0 or -1. */
int log_set_file(const char *path, struct error *err);

/* Called before a line goes to stderr, so that a progress line can clear itself. NULL for none. */
void log_set_before(void (*before)(void));

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

#endif
