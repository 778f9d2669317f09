/*
 * An open service for one command, and the small things all of them do with it.
 */
#ifndef KEDGE_CLI_SESSION_H
#define KEDGE_CLI_SESSION_H

#include "artifact/artifact.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct cli;
struct error;
struct service;
struct setup;

struct session {
    struct setup *setup;
    struct service *service;
};

#define SESSION_INIT ((struct session){0})

/* `secrets`: the command goes to databases or destinations, not only to the catalogue. Says on
 * stderr what opening found out. */
int session_open(struct cli *cli, bool secrets, struct session *ret_session, struct error *err);

/* For a command that can do without a catalogue: what kept it from being opened is an answer, and
 * the service has none then. */
int session_open_anyway(struct cli *cli, struct session *ret_session, struct error *catalog_failure,
                        struct error *err);
void session_close(struct session *session);

/* The threads to use: --jobs, or one for each processor. */
int session_jobs(const struct cli *cli);

/* The backup that is meant: the first argument, or --id of the old spellings. */
const char *session_backup(const struct cli *cli);

/* After a lookup that failed: when the backup is not known, the list of those that are. Gives err
 * the words of the old documents. Always -1. */
int session_not_found(struct cli *cli, struct session *session, const char *name,
                      struct error *err);

/* A line of the old documents: on stdout under the old spelling, else a note on stderr. */
void session_say(const struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same, but also with --quiet and --json (then on stderr): what a question is about. */
void session_tell(const struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Identities and passphrase from --identity and --passphrase-file; to be cleared. */
struct session_keys {
    struct artifact_keys keys;
    char *passphrase;
};

int session_read_keys(struct cli *cli, struct session_keys *ret_keys, struct error *err);
void session_keys_clear(struct session_keys *keys);

/* The passphrase of --passphrase-file, to be wiped and freed. -1 when there is none. */
int session_passphrase(struct cli *cli, char **ret_passphrase, struct error *err);

/* --since: a date, or how long ago. 0 when it was not given. */
int session_since(const struct cli *cli, int64_t *ret_moment_ns, struct error *err);

static inline void scoped_session_keys_cleanup(struct session_keys *keys)
{
    session_keys_clear(keys);
}

static inline void scoped_session_cleanup(struct session *session)
{
    session_close(session);
}

#endif
