/*
 * The table of all settings, in the order of `enum setting`. Adding one is a word there and a row
 * in the file of its group; such a file is a part of this table, not a module of its own.
 */
#include "service/settings.h"

/* The heading of what few people need, in any group. */
#define MORE "also"

/* Commands of `kedge migrate` that have options in common. */
#define MIGRATE_RUNNING "migrate up,migrate down,migrate redo,migrate reset,migrate refresh"
#define MIGRATE_WRITING                                                                            \
    MIGRATE_RUNNING ",migrate force,migrate repair,migrate baseline,migrate import"
#define MIGRATE_READING                                                                            \
    MIGRATE_WRITING ",migrate status,migrate version,migrate plan,migrate verify"

const struct option_row settings_rows[SETTING_COUNT] = {
#include "service/settings_rows_general.inc"
#include "service/settings_rows_places.inc"
#include "service/settings_rows_backup.inc"
#include "service/settings_rows_keys.inc"
#include "service/settings_rows_restore.inc"
#include "service/settings_rows_looking.inc"
#include "service/settings_rows_migrations.inc"
#include "service/settings_rows_later.inc"
};
