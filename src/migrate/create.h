/*
 * New migration files.
 */
#ifndef KEDGE_MIGRATE_CREATE_H
#define KEDGE_MIGRATE_CREATE_H

struct error;
struct os;

/* Write YYYYMMDDHHMMSS_name.sql into the folder (made when it is not there), from a template: now
 * in UTC, or the next second that no file there has. A folder of goose's, dbmate's,
 * golang-migrate's, sqlx's, Flyway's or sql-migrate's gets a file as that tool has them, with the
 * next number where they are counted. Never over a file. *ret_path is to be freed; the way down of
 * a pair is beside it. ERROR_USAGE when nothing is left of the name. */
int migration_create(struct os *os, const char *folder, const char *name, char **ret_path,
                     struct error *err);

#endif
