/*
 * kedge's own tables carried from one PostgreSQL database into another that takes its name.
 *
 * When the catalogue is in the database that a restore (or its undoing) replaces, the other one
 * would bring back older rows or none, and the record of the restore itself would be gone with the
 * old copy. So the tables are made in the other database, and the rows follow right before the
 * renaming, so that none is lost in between:
 *
 *     begin   locks our tables against writers, copies the rows; the session stays
 *     leave   the database is being renamed (nobody can connect to it any more): ends every other
 *             session in it, then its own, for which the renaming waits
 *
 * Whoever was about to write to the catalogue waits for the lock and is ended with his session
 * before it is given back. What is killed before the renaming leaves the live tables untouched.
 */
#ifndef KEDGE_SOURCE_POSTGRES_CARRY_H
#define KEDGE_SOURCE_POSTGRES_CARRY_H

struct db_url;
struct error;
struct os;
struct pq;

/* All but `session` is set, and borrowed. */
struct postgres_carry {
    struct os *os;
    const struct db_url *url;
    const char *from; /* the database that is live now */
    const char *to;
    struct pq *session; /* in `from`; NULL: nothing is carried */
};

/* Make the tables in `to`, empty, where `from` has them and `to` has not or others: what can fail
 * fails before the live database is touched, and what is slow is done. */
int postgres_carry_define(const struct postgres_carry *carry, struct error *err);

/* The rows. Without a catalogue in `from`: success, and no session. */
int postgres_carry_begin(struct postgres_carry *carry, struct error *err);

/* `renamer` is the server's process that renames the database. 1: every row that was ever committed
 * is in `to`, and all sessions are gone. 0: the renaming must be called off; so it must after -1.
 */
int postgres_carry_leave(struct postgres_carry *carry, int renamer, struct error *err);

/* The session goes, if it is still there. */
void postgres_carry_end(struct postgres_carry *carry);

#endif
