/*
 * What the commands of kedge migrate share: the database and its migrator, opened from the
 * settings; progress; and the exit statuses that are migrate's own.
 */
#ifndef KEDGE_CLI_MIGRATE_H
#define KEDGE_CLI_MIGRATE_H

#include "base/error.h"
#include "migrate/folder.h"
#include "migrate/migrator.h"

#include <jansson.h>

struct cli;
struct db_url;

struct migrate_door {
    struct cli *cli;
    struct db *db;
    struct migrator *migrator;
    struct migration_folder folder;
    char *target; /* the configured name, or the URL */
    bool configured;
    bool applies; /* to be set before opening: see heeds_peers (migrate/migrator.h) */
    /* To be set before opening: the database has to be one that can be backed up, and that is
     * done (migrate/migrator.h). */
    bool backed_up;
    int (*before)(void *context, const struct migrate_plan *plan, char ret_backup_id[static 27],
                  struct error *err);
    void *before_context;
};

#define MIGRATE_DOOR_INIT ((struct migrate_door){0})

/* The configured target, the URL given, or what DATABASE_URL says. */
int migrate_find_database(struct cli *cli, struct db_url *ret_url, struct error *err);

/* The folder of the settings, whose files are in `dialect`. */
struct migration_folder migrate_folder(const struct cli *cli, enum db_engine dialect);

/* The way down that --version, --steps and --batch ask for. ERROR_USAGE when more than one is
 * given. */
int migrate_down_request(struct cli *cli, struct migrate_request *request, struct error *err);

/* `looking`: nothing is written; a SQLite file that is not there is an empty database. Files that
 * are passed over are warned about. */
int migrate_door_open(struct migrate_door *door, struct cli *cli, bool looking, struct error *err);
/* Find out which database is meant, and that it can be backed up if it has to be. No connection is
 * made; opening does the same. */
int migrate_door_check(struct migrate_door *door, struct error *err);
/* End the connection; what it leads to stays known. */
void migrate_door_disconnect(struct migrate_door *door);
void migrate_door_close(struct migrate_door *door);

/* Print the error and answer migrate's own exit status: 4 for a checksum, 5 for a lock, 6 when a
 * decision is needed, 7 when the person declined. */
int migrate_fail(struct cli *cli, const struct error *err);
/* The same, and for a file that was changed what the change is. */
int migrate_door_fail(struct migrate_door *door, const struct error *err);

/* {"version", "name", "direction"}; the caller's. */
json_t *migrate_step_json(const struct migrate_step *step);

/* "create initial tables": the name with blanks; to be freed. */
char *migrate_title(const char *name);

static inline void scoped_migrate_door_cleanup(struct migrate_door *door)
{
    migrate_door_close(door);
}

#endif
