#include "db/statement_core.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

#define STATEMENT_MAXIMUM ((size_t)1 << 30)
#define COPY_END "\\."

void statement_reader_block(struct statement_reader *reader, bool on)
{
    reader->block = on;
}

int statement_reader_cut(struct statement_reader *reader, struct error *err)
{
    bool fresh = reader->fresh;
    if (scan_emit(reader, 0, false, err) < 0)
        return -1;
    if (reader->dialect->restart)
        reader->dialect->restart(reader);
    reader->fresh = fresh;
    return 0;
}

/* ---- states ---- */

static int state_quote(struct statement_reader *reader)
{
    const char *data = reader->buf.data;
    size_t length = reader->buf.length;
    size_t at = reader->at;
    while (at < length) {
        if (!reader->escapes) {
            const char *quote = memchr(data + at, reader->quote, length - at);
            at = quote ? (size_t)(quote - data) : length;
        } else {
            while (at < length && data[at] != reader->quote && data[at] != '\\')
                at++;
        }
        if (at == length)
            break;
        reader->at = at;
        bool hides = data[at] == '\\' && reader->escapes;
        if (at + 1 == length && !reader->eof && (hides || reader->doubled))
            return SCAN_MORE;
        bool twice = reader->doubled && at + 1 < length && data[at + 1] == reader->quote;
        if (hides || twice) {
            at += at + 1 < length ? 2 : 1;
            continue;
        }
        reader->at = at + 1;
        reader->end = reader->at;
        reader->state = SCAN_CODE;
        return SCAN_GO;
    }
    reader->at = at;
    return SCAN_MORE;
}

typedef int comment_fn(void *context, const struct statement_comment *comment, struct error *err);

static int comment_hand_out(struct statement_reader *reader, comment_fn *to, size_t end,
                            struct error *err)
{
    size_t size = end - reader->opened;
    while (size > 0 && scan_blank((unsigned char)reader->buf.data[reader->opened + size - 1]))
        size--;
    struct statement_comment comment = {
        .text = reader->buf.data + reader->opened,
        .size = size,
        .line = reader->open_line,
        .column = reader->open_column,
        .own_line = reader->own_line,
        .pending = reader->begin != STATEMENT_NONE,
        .inside = reader->dialect->inside(reader),
    };
    /* Without a statement before it, what is handed out by a cut ends where the comment began. */
    return to(reader->handler.context, &comment, err);
}

static int state_line_comment(struct statement_reader *reader, struct error *err)
{
    const char *text = scan_text(reader) + reader->resume;
    size_t left = scan_left(reader) - reader->resume;
    const char *stop = memchr(text, '\n', left);
    if (reader->dialect->cr_ends_comment) {
        const char *cr = memchr(text, '\r', stop ? (size_t)(stop - text) : left);
        stop = cr ? cr : stop;
    }
    if (!stop && !reader->eof) {
        reader->resume += left;
        return SCAN_MORE;
    }
    size_t end = stop ? (size_t)(stop - reader->buf.data) : reader->buf.length;
    reader->at = end;
    reader->resume = 0;
    reader->state = SCAN_CODE;
    comment_fn *to = reader->handler.comment;
    return to && comment_hand_out(reader, to, end, err) < 0 ? SCAN_FAILED : SCAN_GO;
}

static int block_comment_end(struct statement_reader *reader, struct error *err)
{
    comment_fn *to = reader->handler.block_comment;
    reader->state = SCAN_CODE;
    return to && comment_hand_out(reader, to, reader->at, err) < 0 ? SCAN_FAILED : SCAN_GO;
}

static int state_block_comment(struct statement_reader *reader, struct error *err)
{
    while (scan_left(reader) > 0) {
        const char *text = scan_text(reader);
        size_t step = strcspn(text, reader->dialect->nested_comments ? "*/" : "*");
        /* It stops at a NUL byte too. */
        if (step > 0 || !text[0]) {
            reader->at += step > 0 ? step : 1;
            continue;
        }
        if (scan_short(reader, 2))
            return SCAN_MORE;
        bool pair = scan_left(reader) >= 2;
        if (pair && text[0] == '*' && text[1] == '/') {
            reader->at += 2;
            if (--reader->depth == 0)
                return block_comment_end(reader, err);
        } else if (pair && text[0] == '/' && text[1] == '*') {
            reader->at += 2;
            reader->depth++;
        } else {
            reader->at++;
        }
    }
    return SCAN_MORE;
}

static int state_dollar(struct statement_reader *reader)
{
    const char *data = reader->buf.data;
    while (scan_left(reader) >= reader->tag_size) {
        const char *dollar = memchr(data + reader->at, '$', scan_left(reader));
        if (!dollar) {
            reader->at = reader->buf.length;
            return SCAN_MORE;
        }
        reader->at = (size_t)(dollar - data);
        if (scan_left(reader) < reader->tag_size)
            return SCAN_MORE;
        if (memcmp(dollar, data + reader->opened, reader->tag_size) == 0) {
            reader->at += reader->tag_size;
            reader->end = reader->at;
            reader->state = SCAN_CODE;
            return SCAN_GO;
        }
        reader->at++;
    }
    return SCAN_MORE;
}

/* psql runs it when the rows are through: later than it looks. */
static int after_copy(struct statement_reader *reader, size_t blanks, struct error *err)
{
    scan_fail(reader, reader->at + blanks, false, err,
              "text behind COPY ... FROM stdin, whose rows begin on the next line");
    return error_hint(err,
                      "move it to a line of its own below the line \\. that ends the rows, which "
                      "is when psql runs it");
}

/* The rest of a line: ignored after \restrict, blank or a comment after a COPY. */
static int state_rest_of_line(struct statement_reader *reader, struct error *err)
{
    const char *text = scan_text(reader);
    const char *newline = memchr(text, '\n', scan_left(reader));
    if (!newline && !reader->eof)
        return SCAN_MORE;
    size_t size = newline ? (size_t)(newline - text) : scan_left(reader);
    if (reader->state == SCAN_COPY_LINE) {
        size_t blanks = 0;
        while (blanks < size && scan_blank((unsigned char)text[blanks]))
            blanks++;
        if (blanks < size && (size - blanks < 2 || memcmp(text + blanks, "--", 2) != 0))
            return after_copy(reader, blanks, err);
        if (!newline)
            return scan_fail(reader, reader->at, false, err,
                             "COPY ... FROM stdin without its rows");
    }
    reader->state = reader->state == SCAN_COPY_LINE ? SCAN_COPY_ROWS : SCAN_CODE;
    reader->at += size + (newline != NULL);
    reader->fresh = true;
    scan_mark(reader, reader->at);
    return SCAN_GO;
}

/* Is this line (without its LF) the end of the rows? */
static bool copy_ends(const char *line, size_t size)
{
    if (size > 0 && line[size - 1] == '\r')
        size--;
    return size == strlen(COPY_END) && memcmp(line, COPY_END, size) == 0;
}

static int copy_pass(struct statement_reader *reader, size_t size, struct error *err)
{
    const char *text = scan_text(reader);
    reader->at += size;
    if (size > 0 && reader->handler.data(reader->handler.context, text, size, err) < 0)
        return -1;
    scan_mark(reader, reader->at);
    return 0;
}

static int copy_finish(struct statement_reader *reader, size_t line_size, struct error *err)
{
    reader->at += line_size;
    scan_mark(reader, reader->at);
    reader->state = SCAN_CODE;
    reader->fresh = true;
    if (reader->handler.data_end && reader->handler.data_end(reader->handler.context, err) < 0)
        return SCAN_FAILED;
    return SCAN_GO;
}

/* Rows go on in runs of whole lines; the part of a line that has no end yet goes too unless it may
 * become the end mark. */
static int state_copy_rows(struct statement_reader *reader, struct error *err)
{
    const char *text = scan_text(reader);
    size_t left = scan_left(reader);
    size_t run = 0;
    bool line_start = reader->fresh;
    while (run < left) {
        const char *line = text + run;
        const char *newline = memchr(line, '\n', left - run);
        size_t size = newline ? (size_t)(newline - line) : left - run;
        if (line_start && line[0] == '\\' && (newline || reader->eof) && copy_ends(line, size)) {
            if (copy_pass(reader, run, err) < 0)
                return SCAN_FAILED;
            return copy_finish(reader, size + (newline != NULL), err);
        }
        if (!newline) {
            if (!(line_start && line[0] == '\\' && size <= strlen(COPY_END "\r"))) {
                run = left;
                line_start = false;
            }
            break;
        }
        run += size + 1;
        line_start = true;
    }
    reader->fresh = line_start;
    return copy_pass(reader, run, err) < 0 ? SCAN_FAILED : SCAN_MORE;
}

static int scan_step(struct statement_reader *reader, struct error *err)
{
    switch (reader->state) {
    case SCAN_CODE:
        if (scan_blank((unsigned char)*scan_text(reader)) &&
            *scan_text(reader) != reader->stop_blank) {
            scan_blanks(reader);
            return SCAN_GO;
        }
        return reader->dialect->code(reader, err);
    case SCAN_QUOTE:
        return state_quote(reader);
    case SCAN_LINE_COMMENT:
        return state_line_comment(reader, err);
    case SCAN_BLOCK_COMMENT:
        return state_block_comment(reader, err);
    case SCAN_DOLLAR:
        return state_dollar(reader);
    case SCAN_SKIP_LINE:
    case SCAN_COPY_LINE:
        return state_rest_of_line(reader, err);
    case SCAN_COPY_ROWS:
        return state_copy_rows(reader, err);
    }
    return SCAN_FAILED;
}

/* ---- the reader ---- */

/* Drop from the buffer what nobody needs any more. */
static void buffer_compact(struct statement_reader *reader)
{
    size_t keep = reader->at;
    bool comment_wanted = (reader->state == SCAN_LINE_COMMENT && reader->handler.comment) ||
                          (reader->state == SCAN_BLOCK_COMMENT && reader->handler.block_comment);
    if (comment_wanted && reader->opened < keep)
        keep = reader->opened;
    if (reader->begin < keep)
        keep = reader->begin;
    if (keep == 0)
        return;
    if (reader->mark < keep)
        scan_mark(reader, keep);
    buf_consume(&reader->buf, keep);
    reader->base += keep;
    reader->at -= keep;
    reader->mark -= keep;
    reader->opened = reader->opened > keep ? reader->opened - keep : 0;
    if (reader->begin != STATEMENT_NONE) {
        reader->begin -= keep;
        reader->end -= keep;
    }
}

/* 1 when the text may be looked at, 0 while the first bytes have not come. */
static int buffer_start(struct statement_reader *reader, struct error *err)
{
    const unsigned char *data = (const unsigned char *)reader->buf.data;
    size_t length = reader->buf.length;
    if (reader->started)
        return 1;
    if (length < 3 && !reader->eof)
        return 0;
    reader->started = true;
    if (length >= 2 &&
        ((data[0] == 0xFF && data[1] == 0xFE) || (data[0] == 0xFE && data[1] == 0xFF)))
        return scan_fail_at(reader, 1, 1, false, err, "the file is UTF-16, not UTF-8");
    if (length >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0) {
        reader->at = 3;
        reader->mark = 3;
    }
    return 1;
}

static int scan_all(struct statement_reader *reader, struct error *err)
{
    int go = buffer_start(reader, err);
    if (go <= 0)
        return go;
    while (reader->at < reader->buf.length || (reader->eof && reader->state == SCAN_LINE_COMMENT)) {
        int result = scan_step(reader, err);
        if (result < 0)
            return -1;
        if (result == SCAN_MORE)
            break;
    }
    return 0;
}

static void begin_file(struct statement_reader *reader)
{
    const struct dialect *dialect = reader->dialect;
    reader->base = 0;
    reader->at = 0;
    reader->resume = 0;
    reader->begin = STATEMENT_NONE;
    reader->end = 0;
    reader->opened = 0;
    reader->mark = 0;
    reader->line = 1;
    reader->column = 1;
    reader->state = SCAN_CODE;
    reader->fresh = true;
    reader->eof = false;
    reader->started = false;
    reader->block = false;
    reader->count = 0;
    (dialect->restart ? dialect->restart : dialect->reset)(reader);
}

struct statement_reader *statement_reader_create(const struct dialect *dialect,
                                                 const struct statement_options *options,
                                                 const struct statement_handler *handler)
{
    struct statement_reader *reader = mem_alloc(1, dialect->size);
    reader->dialect = dialect;
    reader->options = *options;
    reader->handler = *handler;
    if (!reader->options.max_statement_bytes)
        reader->options.max_statement_bytes = STATEMENT_MAXIMUM;
    reader->buf = BUF_INIT;
    begin_file(reader);
    return reader;
}

void statement_reader_restart(struct statement_reader *reader, const char *name)
{
    reader->options.name = name;
    buf_reset(&reader->buf);
    begin_file(reader);
}

static int fail_too_long(struct statement_reader *reader, struct error *err)
{
    size_t maximum = reader->options.max_statement_bytes;
    scan_fail(reader, 0, false, err, "statement is longer than %zu bytes", maximum);
    return maximum < STATEMENT_MAXIMUM ? error_hint(err, "--max-statement-mb MB allows longer ones")
                                       : -1;
}

int statement_reader_push(struct statement_reader *reader, const void *data, size_t size,
                          struct error *err)
{
    buf_append(&reader->buf, data, size);
    if (scan_all(reader, err) < 0)
        return -1;
    buffer_compact(reader);
    if (reader->buf.length > reader->options.max_statement_bytes)
        return fail_too_long(reader, err);
    return 0;
}

/* What is still open, and where it began; NULL when nothing is. */
static const char *still_open(const struct statement_reader *reader)
{
    switch (reader->state) {
    case SCAN_QUOTE:
        return reader->quote == '\'' ? "unterminated string" : "unterminated quoted name";
    case SCAN_DOLLAR:
        return "unterminated dollar-quoted string";
    case SCAN_BLOCK_COMMENT:
        return "unterminated comment";
    case SCAN_COPY_LINE:
    case SCAN_COPY_ROWS:
        return "the rows of COPY ... FROM stdin do not end with a line \\.";
    default:
        return NULL;
    }
}

int statement_reader_finish(struct statement_reader *reader, struct error *err)
{
    reader->eof = true;
    if (scan_all(reader, err) < 0)
        return -1;
    const char *open = still_open(reader);
    if (open && reader->state == SCAN_BLOCK_COMMENT)
        return scan_fail_at(reader, reader->open_line, reader->open_column, false, err, open);
    if (open)
        return scan_fail(reader, reader->begin == STATEMENT_NONE ? reader->at : reader->opened,
                         false, err, "%s", open);
    const char *unfinished = reader->block ? NULL : reader->dialect->unfinished(reader);
    if (unfinished)
        return scan_fail(reader, reader->begin, false, err, "statement has an unterminated %s",
                         unfinished);
    return scan_emit(reader, 0, false, err) < 0 ? -1 : 0;
}

void statement_reader_free(struct statement_reader *reader)
{
    if (!reader)
        return;
    if (reader->dialect->free)
        reader->dialect->free(reader);
    buf_clear(&reader->buf);
    free(reader);
}
