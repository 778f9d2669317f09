/*
 * What the name of a migration file says, in the manner of each tool: the version, the name, and
 * which way the file goes.
 */
#ifndef KEDGE_MIGRATE_NAMING_H
#define KEDGE_MIGRATE_NAMING_H

#include "migrate/migration.h"

enum naming_kind {
    NAMING_NONE,
    NAMING_ONE_FILE, /* 20240101000001_name.sql: kedge, goose, dbmate, sqlx, sql-migrate */
    NAMING_PAIR,     /* 1_name.up.sql and 1_name.down.sql: golang-migrate, sqlx */
    NAMING_FLYWAY,   /* V1.2__name.sql, U1.2__name.sql, R__name.sql, B1.2__name.sql */
};

/* Strings are in the memory that it was parsed with. */
struct naming {
    enum naming_kind kind;
    enum direction direction;
    bool loose;          /* no underscore after the version: dbmate and sql-migrate take it */
    bool repeatable;     /* R__name.sql: run again whenever it changes */
    bool baseline;       /* B1__name.sql: in place of all versions up to it */
    const char *version; /* repeatable: "R__name" */
    const char *name;
};

/* False, with nothing set, when it is none. */
bool naming_parse(const char *file, struct arena *memory, struct naming *ret_naming);

/* What editors, version control and systems leave behind. */
bool naming_is_dropping(const char *file);

#endif
