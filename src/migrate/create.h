/*
 * New migration files.
 */
#ifndef KEDGE_MIGRATE_CREATE_H
#define KEDGE_MIGRATE_CREATE_H

struct error;
struct os;

/* Write YYYYMMDDHHMMSS_name.sql into the folder (made when it is not there), from a template, in a
 * folder of sqlx's without directives: now in UTC, or the next second that no file there has. Never
 * over a file. *ret_path is to be freed. ERROR_USAGE when nothing is left of the name. */
int migration_create(struct os *os, const char *folder, const char *name, char **ret_path,
                     struct error *err);

#endif
