/*
 * Statement readers: SQL text in, single statements out, split where the server would split.
 *
 * One reader per dialect, used by restores and by migrations. Bytes are pushed in pieces of any
 * size; each finished statement is handed to the handler with its place in the file. Rows of
 * PostgreSQL's `COPY ... FROM stdin` pass through as a stream, so memory holds one statement and
 * one pushed piece, whatever the size of the file. Nothing needs to be marked in the text: bodies,
 * quotes and comments are understood as the server understands them. Commands of psql, the mariadb
 * client and the sqlite3 shell are errors, except DELIMITER, and \restrict and \unrestrict, which
 * are skipped.
 *
 * Errors are ERROR_CORRUPT for text that cannot be split (an unterminated quote) and ERROR_USAGE
 * for a client's command; both begin with "name:line:column: ".
 */
#ifndef KEDGE_DB_STATEMENT_H
#define KEDGE_DB_STATEMENT_H

#include "base/mem.h"
#include "db/url.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum statement_kind {
    STATEMENT_SQL,
    STATEMENT_COPY, /* PostgreSQL: its rows follow in handler->data */
};

/* One statement; everything is borrowed until the handler returns. */
struct statement {
    enum statement_kind kind;
    const char *text; /* from its first word, no terminator, no comments around it; text[size] is
                         NUL */
    size_t size;
    size_t number;   /* 1 for the first one that was handed out */
    uint64_t offset; /* of text, in bytes from the start of the file */
    size_t line;     /* of text, from 1 */
    size_t column;   /* of text, in characters from 1 */
    bool terminated; /* false: the end of the file or a cut came first */
    bool block;      /* made by statement_reader_block */
};

/* A `--` comment outside of quotes and other comments; on MySQL a `#` comment too, on SQLite a line
 * that begins with one. */
struct statement_comment {
    const char *text; /* with its dashes or `#`, without the line's end */
    size_t size;
    size_t line;
    size_t column;
    bool own_line; /* only blanks before it on its line */
    bool pending;  /* a statement has begun before it */
    bool inside;   /* within parentheses or the body of a routine */
};

/* What happens with what is found. A negative answer stops the reader and comes back from push or
 * finish, with err set. */
struct statement_handler {
    int (*statement)(void *context, const struct statement *statement, struct error *err);
    /* Rows after a STATEMENT_COPY, as they are in the file, and their end. NULL where COPY is not
     * wanted: it is then an error. */
    int (*data)(void *context, const void *data, size_t size, struct error *err);
    int (*data_end)(void *context, struct error *err);
    /* NULL: comments are skipped. May call statement_reader_block and _cut. */
    int (*comment)(void *context, const struct statement_comment *comment, struct error *err);
    /* The same for what stands between slash and star, as a whole; may not call these two. */
    int (*block_comment)(void *context, const struct statement_comment *comment, struct error *err);
    void *context;
};

struct statement_options {
    enum db_engine dialect;
    const char *name;           /* of the file, for errors; borrowed */
    size_t max_statement_bytes; /* 0: 1 GiB */
    bool ansi_quotes;           /* MySQL: sql_mode at the start; `SET sql_mode` is followed */
    bool no_backslash_escapes;  /* MySQL: the same */
    bool escape_strings;        /* PostgreSQL: standard_conforming_strings is off */
    bool keep_carriage_returns; /* MySQL: hand on CRLF as it is; the mariadb client makes it LF */
};

struct statement_reader;

/* Never fails. `handler` is copied. */
struct statement_reader *statement_reader_new(const struct statement_options *options,
                                              const struct statement_handler *handler);

/* A new file begins, whatever came before; `name` is its, borrowed. */
void statement_reader_restart(struct statement_reader *reader, const char *name);

/* 0, or -1; after a -1 only restart and free may be called. */
int statement_reader_push(struct statement_reader *reader, const void *data, size_t size,
                          struct error *err);

/* The file has ended: hands out a last statement without terminator; -1 when a quote, comment, body
 * or COPY is open. */
int statement_reader_finish(struct statement_reader *reader, struct error *err);
void statement_reader_free(struct statement_reader *reader);

/* From the comment handler: until `false`, everything is one statement, terminators included. */
void statement_reader_block(struct statement_reader *reader, bool on);

/* From the comment handler: hand out what is pending and begin afresh, as at the start of a
 * file. */
int statement_reader_cut(struct statement_reader *reader, struct error *err);

/* All of a text at once. */
int statement_read_all(const struct statement_options *options,
                       const struct statement_handler *handler, const char *text, size_t size,
                       struct error *err);

/* Where in the file the `position`-th character (from 1; 0 is the first) of the statement is. */
void statement_locate(const struct statement *statement, size_t position, size_t *ret_line,
                      size_t *ret_column);

DEFINE_SCOPED(statement_reader, struct statement_reader *, statement_reader_free);

#endif
