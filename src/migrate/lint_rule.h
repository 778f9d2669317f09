/*
 * Rules of kedge migrate lint, what they find, and the part of a migration they look at.
 *
 * A rule is a row. Its check stands in the file of its dialect (lint_postgres.c, lint_mysql.c,
 * lint_sqlite.c; lint_every.c for all of them, lint_down.c for the way back) and tells what it
 * finds with lint_report. docs/safe-migrations.md has a section for each rule; a test compares.
 */
#ifndef KEDGE_MIGRATE_LINT_RULE_H
#define KEDGE_MIGRATE_LINT_RULE_H

#include "migrate/lint_schema.h"
#include "migrate/migration.h"

#define LINT_DOCUMENT "docs/safe-migrations.md"

enum lint_level { LINT_WARNING, LINT_ERROR };

#define LINT_SQLITE (1u << DB_SQLITE)
#define LINT_POSTGRES (1u << DB_POSTGRES)
#define LINT_MYSQL (1u << DB_MYSQL)
#define LINT_EVERY (LINT_SQLITE | LINT_POSTGRES | LINT_MYSQL)

/* All text is static. */
struct lint_rule {
    const char *name; /* also the anchor in LINT_DOCUMENT */
    enum lint_level level;
    unsigned engines;
    bool down; /* looks at the way back too */
    const char *reason;
    const char *alternative;
};

struct lint_finding {
    const struct lint_rule *rule;
    char *path; /* owned, as the message */
    size_t line;
    size_t column;
    char *message;
    size_t statement; /* its index in the migration's part; SIZE_MAX: about all of it */
    enum direction direction;
};

struct lint_findings {
    struct lint_finding *items;
    size_t count;
    size_t capacity;
};

#define LINT_FINDINGS_INIT ((struct lint_findings){0})

void lint_findings_clear(struct lint_findings *findings);

/* One statement; of a StatementBegin block each of those within. */
struct lint_statement {
    char *text; /* owned */
    size_t size;
    size_t line;
    size_t column;
    size_t source;   /* its index in the migration's part */
    unsigned traits; /* enum statement_trait */
    struct outline outline;
};

/* One way of a migration while it is looked at. */
struct lint_part {
    enum db_engine engine;
    const struct migration *migration;
    enum direction direction;
    bool transaction; /* all of it runs in one */
    struct lint_statement *items;
    size_t count;
    size_t capacity;
    size_t at;                  /* the statement that is looked at */
    struct lint_schema *schema; /* as it is before that one */
    struct lint_findings *findings;
};

/* Tell that the rule fires at a token of the current statement; `subject` is printf for what it is
 * about: "users.email". The reason is added. */
void lint_report(struct lint_part *part, const struct lint_rule *rule, size_t token,
                 const char *subject, ...) __attribute__((format(printf, 4, 5)));
/* About all of the part: at its first statement, or the file's first line. */
void lint_report_whole(struct lint_part *part, const struct lint_rule *rule, const char *subject);
/* Anywhere. `message` is taken over. */
void lint_report_at(struct lint_findings *findings, const struct lint_rule *rule, const char *path,
                    size_t line, size_t column, char *message);

/* ---- what several rules ask ---- */

static inline const struct outline *lint_now(const struct lint_part *part)
{
    return &part->items[part->at].outline;
}

/* Does a later statement of this part give this name to a table or view again? */
bool lint_is_taken_again(const struct lint_part *part, const struct sql_name *name);

/* Is another table renamed to this name later, as one does to put a new table in its place? */
bool lint_is_replaced(const struct lint_part *part, const struct sql_name *name);

/* Has an earlier statement of this part changed a table that was there before? The index of the
 * first one, or TOKEN_NONE. */
size_t lint_altered_before(const struct lint_part *part);

static inline void scoped_lint_findings_cleanup(struct lint_findings *findings)
{
    lint_findings_clear(findings);
}

#endif
