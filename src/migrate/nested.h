/*
 * What lies in folders within a folder of migrations, where nothing but Flyway's files is looked
 * for: the files of tools that give each migration a folder of its own. Who runs `up` on such a
 * folder is not to be told that there is nothing to do.
 */
#ifndef KEDGE_MIGRATE_NESTED_H
#define KEDGE_MIGRATE_NESTED_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct text_list;

enum nested_kind {
    NESTED_DIESEL, /* 2024-01-31-120000_name/up.sql and down.sql; Hasura's are called so too */
    NESTED_PRISMA, /* 20240131120000_name/migration.sql */
    NESTED_OTHER,  /* files whose names would do in the folder itself */
    NESTED_KINDS,
};

struct nested {
    const char *first[NESTED_KINDS]; /* by name; borrowed */
    size_t count[NESTED_KINDS];
};

/* A file within such a folder; `numbered`: its name is that of a migration. */
void nested_note(struct nested *nested, const char *path, bool numbered);

/* For a folder without any file of its own: ERROR_USAGE when the migrations are in folders; a
 * warning, which may be NULL, when some are in one that may have been put aside. */
int nested_check(const struct nested *nested, const char *folder, struct text_list *warnings,
                 struct error *err);

#endif
