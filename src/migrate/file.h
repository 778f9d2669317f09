/*
 * Migration files: a text read into the statements of its Up and Down sections.
 */
#ifndef KEDGE_MIGRATE_FILE_H
#define KEDGE_MIGRATE_FILE_H

#include "migrate/directive.h"
#include "migrate/migration.h"

struct migration_text {
    const char *text;
    size_t size;
    const char *path; /* for messages, and for the migration */
    enum db_engine dialect;
    enum syntax syntax;
    enum direction direction; /* SYNTAX_PLAIN: which way the text is */
};

/* Add what the text says to `migration` and sum it up. Every error is ERROR_FAILED and begins with
 * "path:line:column: "; `migration` is then half filled. */
int migration_read(struct migration *migration, const struct migration_text *text,
                   struct error *err);

/* The same for thousands of texts of one dialect, one after the other. */
struct migration_reader;

struct migration_reader *migration_reader_new(enum db_engine dialect);
/* What the migration is given is in `memory`, but for the path, which is borrowed. */
int migration_reader_read(struct migration_reader *reader, struct migration *migration,
                          struct arena *memory, const struct migration_text *text,
                          struct error *err);
void migration_reader_free(struct migration_reader *reader);

DEFINE_SCOPED(migration_reader, struct migration_reader *, migration_reader_free);

#endif
