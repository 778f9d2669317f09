/*
 * The sums by which other migration tools know the files that they have applied (migrate/peer.h):
 * with them an import can tell which file has changed since.
 */
#ifndef KEDGE_MIGRATE_PEER_SUM_H
#define KEDGE_MIGRATE_PEER_SUM_H

struct error;
struct os;

enum peer_sum {
    PEER_SUM_NONE,
    PEER_SUM_FLYWAY, /* CRC-32 over the lines without their ends, as a signed number */
    PEER_SUM_SQLX,   /* SHA-384 of the file, in lower-case hex */
};

/* 1 with the sum of the file, to be freed; 0 when the file does not say what was summed. */
int peer_sum_of(enum peer_sum kind, struct os *os, const char *path, char **ret_sum,
                struct error *err);

#endif
