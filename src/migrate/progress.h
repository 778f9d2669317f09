/*
 * How far a migration outside of a transaction has come: written to its row before and after each
 * statement, so that the next run knows where to go on.
 *
 * As text: "up 3 of 7, 4 begun, SUM" - three statements are done and have that sum, the fourth was
 * begun.
 */
#ifndef KEDGE_MIGRATE_PROGRESS_H
#define KEDGE_MIGRATE_PROGRESS_H

#include "migrate/migration.h"

struct migrate_progress {
    enum direction direction;
    size_t done;
    size_t total;
    bool begun; /* the one after them was begun, and its end was not written */
    char sum[SHA256_TEXT];
};

void migrate_progress_format(const struct migrate_progress *progress, char ret_text[static 128]);
/* False when the text is none. */
bool migrate_progress_parse(const char *text, struct migrate_progress *ret_progress);
/* As `part` stands with `done` statements of it run. */
struct migrate_progress migrate_progress_of(const struct migration_part *part,
                                            enum direction direction, size_t done, bool begun);

#endif
