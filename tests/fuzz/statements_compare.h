/*
 * For the statement fuzzers: a text read whole and read in pieces gives the same statements, the
 * same rows and the same answer.
 */
#ifndef KEDGE_TESTS_STATEMENTS_COMPARE_H
#define KEDGE_TESTS_STATEMENTS_COMPARE_H

#include "base/buf.h"
#include "base/error.h"
#include "db/statement.h"

#include <stdlib.h>
#include <string.h>

static int note_statement(void *context, const struct statement *statement, struct error *err)
{
    (void)err;
    struct buf *seen = context;
    if (statement->size == 0 || statement->line == 0 || statement->column == 0 ||
        statement->text[statement->size] != '\0')
        abort();
    buf_append_format(seen, "[%zu %zu:%zu %d ", statement->number, statement->line,
                      statement->column, (int)statement->kind);
    buf_append(seen, statement->text, statement->size);
    buf_append_text(seen, "]");
    return 0;
}

static int note_data(void *context, const void *data, size_t size, struct error *err)
{
    (void)err;
    buf_append(context, data, size);
    return 0;
}

static int note_data_end(void *context, struct error *err)
{
    (void)err;
    buf_append_text(context, "[end]");
    return 0;
}

static int note_comment(void *context, const struct statement_comment *comment, struct error *err)
{
    (void)err;
    buf_append_format(context, "{%zu:%zu %d%d%d ", comment->line, comment->column,
                      comment->own_line, comment->pending, comment->inside);
    buf_append(context, comment->text, comment->size);
    buf_append_text(context, "}");
    return 0;
}

static void read_pieces(enum db_engine dialect, const uint8_t *data, size_t size, size_t piece,
                        struct buf *seen)
{
    struct error err = ERROR_INIT;
    const struct statement_options options = {.dialect = dialect, .name = "fuzz"};
    const struct statement_handler handler = {.statement = note_statement,
                                              .data = note_data,
                                              .data_end = note_data_end,
                                              .comment = note_comment,
                                              .context = seen};
    SCOPED(statement_reader)
    struct statement_reader *reader = statement_reader_new(&options, &handler);
    int result = 0;
    for (size_t at = 0; at < size && result == 0; at += piece)
        result =
            statement_reader_push(reader, data + at, size - at < piece ? size - at : piece, &err);
    if (result == 0)
        result = statement_reader_finish(reader, &err);
    if (result < 0 && (err.code == ERROR_NONE || strncmp(err.message, "fuzz:", 5) != 0))
        abort();
    buf_append_text(seen, result < 0 ? err.message : "done");
}

static int statements_compare(enum db_engine dialect, const uint8_t *data, size_t size)
{
    static const size_t pieces[] = {1, 2, 5};
    SCOPED(buf) struct buf whole = BUF_INIT;
    read_pieces(dialect, data, size, size ? size : 1, &whole);
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        SCOPED(buf) struct buf seen = BUF_INIT;
        read_pieces(dialect, data, size, pieces[i], &seen);
        if (seen.length != whole.length || memcmp(seen.data, whole.data, whole.length) != 0)
            abort();
    }
    return 0;
}

#endif
