/*
 * The stop flag: set by SIGINT, SIGTERM and SIGHUP, looked at by every loop that can take long.
 */
#ifndef KEDGE_BASE_STOP_H
#define KEDGE_BASE_STOP_H

#include <stdbool.h>

struct error;

/* Install the handlers. SIGPIPE is ignored. A second signal does not end the process: the work is
 * being undone. */
void stop_install(void);
void stop_request(void);
void stop_clear(void);
bool stop_requested(void);

/* 0, or -1 with ERROR_INTERRUPTED "interrupted". */
int stop_check(struct error *err);

#endif
