/*
 * Judging migrations before they run: which statements lock, rewrite, lose data or cannot be
 * undone.
 *
 * Nothing but the files is looked at, and nothing is made. Migrations are given in their order, so
 * that what earlier ones made is known when a later one is judged.
 */
#ifndef KEDGE_MIGRATE_LINT_H
#define KEDGE_MIGRATE_LINT_H

#include "base/text.h"
#include "migrate/folder.h"
#include "migrate/lint_allow.h"

struct error;
struct os;

/* The rules in order, ended by NULL. */
const struct lint_rule *lint_rule_at(size_t index);
const struct lint_rule *lint_rule_find(const char *name);

struct lint {
    enum db_engine engine;
    bool wants_down; /* a missing way back is worth a word */
    struct lint_schema schema;
};

/* The next migration. `texts` are those of its files, for the comments in them. `findings` NULL:
 * only learn what it makes. */
void lint_migration(struct lint *lint, const struct migration *migration,
                    const struct lint_text *texts, size_t text_count,
                    struct lint_findings *findings);
void lint_clear(struct lint *lint);

struct lint_request {
    struct migration_folder folder;
    const struct text_list *wanted; /* versions, or files of the folder; empty: all */
};

/* All of a folder. *ret_count: how many migrations were judged; each of `wanted` that is none is
 * ERROR_NOT_FOUND. `warnings`: files that are passed over. */
int lint_folder(const struct lint_request *request, struct lint_findings *findings,
                size_t *ret_count, struct text_list *warnings, struct error *err);

#endif
