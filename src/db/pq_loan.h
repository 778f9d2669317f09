/*
 * libpq's socket, borrowed for the rows of one COPY ... TO STDOUT. Used by db/pq*.c only.
 *
 * libpq reads a few KiB at a time and hands each row out in memory of its own. For as long as the
 * rows come, its descriptor is therefore one end of a socket pair, and the server's socket is read
 * here in large pieces: rows are lent from the buffer they arrived in, and every other message is
 * passed on as it came. libpq sees a COPY of no rows. At whatever is not expected between rows
 * (their end, an error, a length that cannot be, a connection that is gone) all that is left unread
 * is passed on and the socket goes back: libpq reads on from there and says itself what happened.
 *
 * Connections whose bytes libpq must decrypt are not borrowed from.
 */
#ifndef KEDGE_DB_PQ_LOAN_H
#define KEDGE_DB_PQ_LOAN_H

#include <stddef.h>

struct error;
struct pq;

/* After the statement was sent: borrow, and pass on what precedes the rows, so that libpq has the
 * answer or the socket or both. 0 also where nothing is borrowed; -1 on time-out or stop. */
int loan_begin(struct pq *pq, struct error *err);

/* 1 and the next row, borrowed until the next call; 0 when libpq has the socket and must be asked;
 * -1 on time-out or stop. */
int loan_row(struct pq *pq, const char **ret_row, size_t *ret_size, struct error *err);

/* Give the socket back where it is out. */
void loan_end(struct pq *pq);

/* The same for the last time. */
void loan_free(struct pq *pq);

#endif
