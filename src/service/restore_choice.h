/*
 * Which files of a backup a restore is about: all of them, or of a full backup only the database or
 * only the files, because that was asked for or because nothing else can be meant.
 */
#ifndef KEDGE_SERVICE_RESTORE_CHOICE_H
#define KEDGE_SERVICE_RESTORE_CHOICE_H

#include <stddef.h>

struct error;
struct located;
struct os;
struct restore_request;

#define RESTORE_DATABASE "database"
#define RESTORE_FILES "files"

struct restore_choice {
    const char *files[2]; /* borrowed from the located backup; the database first */
    size_t count;
    const char *left_out; /* RESTORE_DATABASE, RESTORE_FILES or NULL */
};

/* ERROR_USAGE when options contradict each other or the backup. */
int restore_choose(struct os *os, const struct restore_request *request,
                   const struct located *located, struct restore_choice *ret_choice,
                   struct error *err);

#endif
