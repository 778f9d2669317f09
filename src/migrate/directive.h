/*
 * Directives: the comments that divide a migration file, in our own spelling and in those of goose
 * and dbmate.
 */
#ifndef KEDGE_MIGRATE_DIRECTIVE_H
#define KEDGE_MIGRATE_DIRECTIVE_H

#include <stdbool.h>
#include <stddef.h>

/* How a file says what is what. */
enum syntax {
    SYNTAX_KEDGE,  /* -- +migrate Up */
    SYNTAX_GOOSE,  /* -- +goose Up */
    SYNTAX_DBMATE, /* -- migrate:up */
    SYNTAX_PLAIN,  /* nothing: the whole file is one way (golang-migrate, sqlx, Flyway) */
};

enum directive_kind {
    DIRECTIVE_NONE, /* an ordinary comment */
    DIRECTIVE_UP,
    DIRECTIVE_DOWN,
    DIRECTIVE_STATEMENT_BEGIN,
    DIRECTIVE_STATEMENT_END,
    DIRECTIVE_NO_TRANSACTION, /* for the whole file */
    DIRECTIVE_ENVSUB,         /* goose: the text was replaced before (migrate/envsub.h) */
    DIRECTIVE_BAD,            /* meant as one, but wrong */
};

struct directive {
    enum directive_kind kind;
    bool outside;        /* notransaction */
    const char *problem; /* DIRECTIVE_BAD: what is wrong, a literal */
};

/* `comment` is a whole `--` comment; a directive counts only where a line of its own begins. */
struct directive directive_parse(enum syntax syntax, const char *comment, size_t size,
                                 bool own_line, size_t column);

/* Which way a comment announces, in the manner of any tool or in plain words: DIRECTIVE_UP,
 * DIRECTIVE_DOWN, or DIRECTIVE_NONE. Statements below it are not meant for the other way. */
enum directive_kind directive_announces(const char *comment, size_t size);

/* Is this block comment, whole, what would be a directive behind dashes? */
bool directive_in_block(const char *comment, size_t size);

/* By the first line that is a directive; SYNTAX_PLAIN when none is. */
enum syntax directive_detect(const char *text, size_t size);

#endif
