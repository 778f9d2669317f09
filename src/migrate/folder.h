/*
 * A folder of migrations, ours or that of another tool, found out by looking.
 */
#ifndef KEDGE_MIGRATE_FOLDER_H
#define KEDGE_MIGRATE_FOLDER_H

#include "base/text.h"
#include "migrate/migration.h"

struct os;
struct parallel_helper;

#define MIGRATION_FILE_MAXIMUM ((size_t)256 << 20)

struct migration_folder {
    struct os *os;
    const char *path;
    enum db_engine dialect;
    const struct text_list *placeholders; /* Flyway's, "name=value"; may be NULL */
    bool keep_placeholders;               /* leave ${name} as it is */
    struct parallel_helper *helper;       /* may be NULL (migrate/parallel.h) */
};

/* Every migration in the folder, added to `set`, unsorted. `warnings` (may be NULL) gets a sentence
 * for each file that is passed over. ERROR_NOT_FOUND when there is no such folder, ERROR_USAGE when
 * it mixes the files of two tools; otherwise an error names the file, and the line when it is in
 * its text. */
int migration_folder_read(const struct migration_folder *folder, struct migration_set *set,
                          struct text_list *warnings, struct error *err);

#endif
