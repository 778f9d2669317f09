/*
 * Waiting for the answer of a server that is near.
 */
#ifndef KEDGE_DB_ANSWER_H
#define KEDGE_DB_ANSWER_H

#include <stdbool.h>

/* Is there something to be read from the socket within some 50 microseconds? A server on the same
 * machine mostly answers in that time, and a thread that has gone to sleep is woken in as much
 * again. False at once where only one processor is to be had: looking would keep the server from
 * answering. */
bool answer_comes_soon(int socket);

#endif
