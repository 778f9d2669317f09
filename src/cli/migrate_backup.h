/*
 * kedge migrate up --backup and down --restore: migrations and backups brought together.
 */
#ifndef KEDGE_CLI_MIGRATE_BACKUP_H
#define KEDGE_CLI_MIGRATE_BACKUP_H

#include "cli/session.h"

#include <stdbool.h>
#include <stdint.h>

struct error;
struct migrate_door;

/* The backup that was made before a run, and what is needed to make it and to go back to it. */
struct way_back {
    struct migrate_door *door;
    struct session session;
    struct session_keys keys;
    char *passphrase; /* for the backup */
    char *id;         /* of the backup; NULL before it is made */
    int64_t number;
};

#define WAY_BACK_INIT ((struct way_back){0})

/* Open the catalogue and let `door`, which is not open yet, make a backup before it runs anything.
 */
int way_back_prepare(struct way_back *way, struct migrate_door *door, struct error *err);

/* The run failed with `err`: has the database to be put back? */
bool way_back_needed(const struct way_back *way, const struct migrate_door *door,
                     const struct error *err);

/* It has not, but part of a migration is left: say where the way back is. */
void way_back_hint(const struct way_back *way, const struct migrate_door *door, struct error *err);

/* Tell the error, put the database back and say so. The door is closed. The exit status. */
int way_back_take(struct way_back *way, struct migrate_door *door, struct error *err);

/* Go back to the backup that the last migrations are linked to, after asking. Opens and closes the
 * door. */
int way_back_down(struct way_back *way, struct migrate_door *door, struct error *err);

void way_back_clear(struct way_back *way);

static inline void scoped_way_back_cleanup(struct way_back *way)
{
    way_back_clear(way);
}

#endif
