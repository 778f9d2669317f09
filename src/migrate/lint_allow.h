/*
 * Comments that silence a rule: `-- kedge:allow drop-column: nobody reads it since 2.1`, above a
 * statement, in it, or behind it on its line. About the whole migration they may stand anywhere.
 */
#ifndef KEDGE_MIGRATE_LINT_ALLOW_H
#define KEDGE_MIGRATE_LINT_ALLOW_H

#include "migrate/lint_rule.h"

extern const struct lint_rule lint_allow_rules[];
extern const size_t lint_allow_count;

/* The text of a migration's file. */
struct lint_text {
    const char *path;
    const char *text;
    size_t size;
};

/* Take out of findings[from...] what a comment of the file allows, and report comments without a
 * reason, with an unknown rule, or without any use. `find` knows the rules. */
void lint_allow(const struct lint_text *text, enum db_engine engine,
                const struct migration *migration, struct lint_findings *findings, size_t from,
                const struct lint_rule *(*find)(const char *name));

#endif
