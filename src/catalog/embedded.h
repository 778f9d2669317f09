/*
 * kedge's own schema as it is embedded in the binary: the files of migrations/, one row each, a
 * dialect's rows in the order in which they are applied. The rows are made by migrations/embed.py.
 */
#ifndef KEDGE_CATALOG_EMBEDDED_H
#define KEDGE_CATALOG_EMBEDDED_H

#include <stddef.h>

struct embedded_migration {
    const char *dialect; /* "sqlite" */
    const char *version; /* "20260101000001" */
    const char *name;    /* "create_backups" */
    const char *up;
    const char *down;
};

extern const struct embedded_migration embedded_migrations[];
extern const size_t embedded_migration_count;

#endif
