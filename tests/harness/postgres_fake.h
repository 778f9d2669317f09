/*
 * A PostgreSQL server of one connection that says what a test wants it to say, byte by byte.
 *
 * It lets everybody in. The first statement is answered with the script, every later one with
 * "nothing done" and readiness.
 */
#ifndef KEDGE_TESTS_HARNESS_POSTGRES_FAKE_H
#define KEDGE_TESTS_HARNESS_POSTGRES_FAKE_H

#include "base/buf.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct postgres_fake {
    struct buf script;
    size_t chunk;       /* bytes to a send; 0: all at once */
    size_t pause_at;    /* after so many bytes nothing comes for a while; 0: never */
    size_t hold_at;     /* after so many bytes nothing comes until a cancel request; 0: never */
    struct buf instead; /* what follows a cancel request, in place of the script's rest */
    bool hang_up;       /* close after the script */
    int port;
    int listener;
    pthread_t thread;
};

/* Listens once `script` is complete. */
void postgres_fake_start(struct postgres_fake *fake);
/* After the client has closed. */
void postgres_fake_end(struct postgres_fake *fake);

/* One message: its type, and `size` bytes that follow its length. */
void postgres_fake_say(struct buf *script, char type, const void *data, size_t size);
/* The beginning of a COPY TO of one column in text, a row of it, and its end with a count. */
void postgres_fake_copy(struct buf *script);
void postgres_fake_row(struct buf *script, const char *text);
void postgres_fake_done(struct buf *script, unsigned rows);
/* An error with this SQLSTATE, and readiness. */
void postgres_fake_refuse(struct buf *script, const char *state, const char *message);

#endif
