/*
 * Which changes of a column's type PostgreSQL makes without writing the table anew.
 */
#ifndef KEDGE_MIGRATE_LINT_PGTYPE_H
#define KEDGE_MIGRATE_LINT_PGTYPE_H

enum pgtype_change {
    PGTYPE_FREE,    /* only the catalogue changes */
    PGTYPE_REWRITE, /* every row is written, or at least read, under a lock */
    PGTYPE_UNKNOWN, /* the old type is not known, and the new one may be either */
};

/* Types as cursor_text has them: "varchar(20)". `before` NULL: not known. */
enum pgtype_change pgtype_change(const char *before, const char *after);

#endif
