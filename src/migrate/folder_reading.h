/*
 * A folder of migrations that is read by a thread of its own, while whoever started it connects to
 * the database: of a thousand small files and a server, each takes about as long as the other.
 */
#ifndef KEDGE_MIGRATE_FOLDER_READING_H
#define KEDGE_MIGRATE_FOLDER_READING_H

#include "base/mem.h"
#include "migrate/folder.h"

struct error;
struct folder_reading;

/* What `folder` borrows has to stay until the reading is freed. */
struct folder_reading *folder_reading_start(const struct migration_folder *folder);

/* Help with it and wait for its end, once. `set`, which is empty, and `warnings` get what
 * migration_folder_read gives them; its errors. */
int folder_reading_finish(struct folder_reading *reading, struct migration_set *set,
                          struct text_list *warnings, struct error *err);

/* One that was not finished is waited for. */
void folder_reading_free(struct folder_reading *reading);

DEFINE_SCOPED(folder_reading, struct folder_reading *, folder_reading_free);

#endif
