/*
 * What the three statement readers share: the buffer, places in the file, quotes and comments, and
 * handing statements out. Used by db/statement_*.c only.
 *
 * The buffer begins at what is still needed (the current statement or comment). A scanner looks at
 * code from `at` on; when it needs bytes that have not come yet it leaves `at` at the start of the
 * token, notes in `resume` how far it has looked, and answers SCAN_MORE. Quotes, comments and COPY
 * rows are states of their own, so that long ones are walked through once.
 */
#ifndef KEDGE_DB_STATEMENT_CORE_H
#define KEDGE_DB_STATEMENT_CORE_H

#include "base/buf.h"
#include "db/statement.h"

#define STATEMENT_NONE SIZE_MAX

enum scan_state {
    SCAN_CODE,
    SCAN_QUOTE,
    SCAN_LINE_COMMENT,
    SCAN_BLOCK_COMMENT,
    SCAN_DOLLAR,    /* PostgreSQL */
    SCAN_SKIP_LINE, /* the rest of a line that is ignored */
    SCAN_COPY_LINE, /* the rest of a COPY's own line */
    SCAN_COPY_ROWS,
};

enum { SCAN_FAILED = -1, SCAN_MORE = 0, SCAN_GO = 1 };

struct dialect;

struct statement_reader {
    const struct dialect *dialect;
    struct statement_options options;
    struct statement_handler handler;
    struct buf buf;
    uint64_t base; /* offset in the file of buf.data[0] */

    /* Indexes into buf. */
    size_t at;     /* the next byte to look at */
    size_t resume; /* bytes after `at` that were looked at already */
    size_t begin;  /* of the current statement, STATEMENT_NONE before it has one */
    size_t end;    /* after its last byte that is no blank or comment */
    size_t opened; /* of the quote or comment in `state` */
    size_t mark;   /* where `line` and `column` are */
    size_t line;
    size_t column;

    enum scan_state state;
    char quote;       /* SCAN_QUOTE: the byte that closes it */
    bool escapes;     /* SCAN_QUOTE: a backslash hides the next byte */
    bool doubled;     /* SCAN_QUOTE: twice the quote stands for itself */
    size_t depth;     /* SCAN_BLOCK_COMMENT: nested ones */
    size_t open_line; /* of the comment in `state` */
    size_t open_column;
    size_t tag_size; /* SCAN_DOLLAR: `$tag$` is at `opened` */
    char stop_blank; /* a blank that the dialect looks at itself (a DELIMITER begins with it), or
                        NUL */
    bool own_line;   /* the comment in `state` */
    bool fresh;      /* only blanks so far on this line */
    bool eof;
    bool started; /* the byte order mark was looked for */
    bool block;
    size_t count; /* statements handed out */
};

struct dialect {
    size_t size; /* of the reader with the dialect's own fields */
    /* Look at one token of code at `at` (there is at least one byte). SCAN_GO, SCAN_MORE, -1. */
    int (*code)(struct statement_reader *reader, struct error *err);
    /* A statement was handed out or dropped: forget what was known about it. */
    void (*reset)(struct statement_reader *reader);
    /* As at the start of a file. NULL: the same as reset. */
    void (*restart)(struct statement_reader *reader);
    /* Is the text within parentheses or a body that has to end? */
    bool (*inside)(const struct statement_reader *reader);
    /* What is open at the end of the file ("BEGIN ... END body"), or NULL. */
    const char *(*unfinished)(const struct statement_reader *reader);
    /* Before the statement is handed out; may change its kind. May be NULL. */
    int (*found)(struct statement_reader *reader, struct statement *statement, struct error *err);
    /* Does a lone CR end a `--` comment? */
    bool cr_ends_comment;
    bool nested_comments;
    void (*free)(struct statement_reader *reader); /* the dialect's own fields; may be NULL */
};

extern const struct dialect dialect_postgres;
extern const struct dialect dialect_mysql;
extern const struct dialect dialect_sqlite;

/* The reader for a dialect; db/statement_new.c chooses. */
struct statement_reader *statement_reader_create(const struct dialect *dialect,
                                                 const struct statement_options *options,
                                                 const struct statement_handler *handler);

static inline const char *scan_text(const struct statement_reader *reader)
{
    return reader->buf.data + reader->at;
}

static inline size_t scan_left(const struct statement_reader *reader)
{
    return reader->buf.length - reader->at;
}

/* Is the text at `at` shorter than `size`, with more to come? */
static inline bool scan_short(const struct statement_reader *reader, size_t size)
{
    return scan_left(reader) < size && !reader->eof;
}

/* A statement begins at `at`. */
void scan_begin(struct statement_reader *reader);

/* Take `size` bytes as part of the statement. */
static inline void scan_take(struct statement_reader *reader, size_t size)
{
    if (reader->begin == STATEMENT_NONE)
        scan_begin(reader);
    reader->at += size;
    reader->end = reader->at;
    reader->resume = 0;
    reader->fresh = false;
}

/* Take `size` bytes that open a quote closed by `quote`. */
void scan_open_quote(struct statement_reader *reader, size_t size, char quote, bool escapes);
/* Take the `[` of a name that ends at the first `]`. */
void scan_open_bracket(struct statement_reader *reader);
/* Skip the `size` bytes that open a comment. `state` is SCAN_LINE_COMMENT or SCAN_BLOCK_COMMENT. */
void scan_open_comment(struct statement_reader *reader, size_t size, enum scan_state state);
/* Skip blanks (at least one byte is). */
void scan_blanks(struct statement_reader *reader);

enum scan_class {
    SCAN_LETTER = 1 << 0, /* and `_`, and what is beyond ASCII */
    SCAN_DIGIT = 1 << 1,
    SCAN_DOLLAR_SIGN = 1 << 2,
    SCAN_IN_WORD = SCAN_LETTER | SCAN_DIGIT | SCAN_DOLLAR_SIGN,
};

extern const unsigned char scan_classes[256];

/* Is the byte of one of the classes? */
static inline bool scan_in(char c, unsigned classes)
{
    return (scan_classes[(unsigned char)c] & classes) != 0;
}

/* The word at `at`, of bytes of these classes: its length, or 0 when its end has not come yet. */
size_t scan_word(struct statement_reader *reader, unsigned classes);

/* Hand out what there is, `skip` bytes of terminator after it. SCAN_GO or -1. */
int scan_emit(struct statement_reader *reader, size_t skip, bool terminated, struct error *err);

/* Move the place that `line` and `column` tell forward to `index`. */
void scan_mark(struct statement_reader *reader, size_t index);
/* An error that begins with the place of `index`. -1. */
int scan_fail(const struct statement_reader *reader, size_t index, bool usage, struct error *err,
              const char *format, ...) __attribute__((format(printf, 5, 6)));

static inline bool scan_blank(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The same for a place that is known. -1. */
int scan_fail_at(const struct statement_reader *reader, size_t line, size_t column, bool usage,
                 struct error *err, const char *what);

bool scan_same(const char *text, size_t size, const char *word);

/* Is the word `word`, without regard to case? Mostly its first letter says that it is not. */
static inline bool scan_is(const char *text, size_t size, const char *word)
{
    return (text[0] | 0x20) == (word[0] | 0x20) && scan_same(text, size, word);
}

#endif
