/*
 * For the tests of the statement readers: a case is a text and what comes out of it, as one string
 * with " | " between statements. COPY rows are shown as "<rows>", an error as "error LINE:COLUMN".
 * Each case is read whole, and again in pieces of one, two, three and seven bytes.
 */
#ifndef KEDGE_TESTS_STATEMENT_CASES_H
#define KEDGE_TESTS_STATEMENT_CASES_H

#include "harness/test.h"

#include "base/buf.h"
#include "db/statement.h"

#include <stdio.h>
#include <string.h>

struct statement_case {
    int line;
    const char *text;
    const char *wanted;
};

static int show_statement(void *context, const struct statement *statement, struct error *err)
{
    (void)err;
    struct buf *shown = context;
    assert_int_equal(statement->text[statement->size], 0);
    if (shown->length)
        buf_append_text(shown, " | ");
    buf_append(shown, statement->text, statement->size);
    return 0;
}

static int show_data(void *context, const void *data, size_t size, struct error *err)
{
    (void)err;
    struct buf *shown = context;
    /* Rows come in any number of pieces. */
    if (shown->length && shown->data[shown->length - 1] == '>') {
        shown->data[--shown->length] = '\0';
    } else {
        buf_append_text(shown, " <");
    }
    buf_append(shown, data, size);
    buf_append_text(shown, ">");
    return 0;
}

static int show_data_end(void *context, struct error *err)
{
    (void)err;
    buf_append_text(context, "/");
    return 0;
}

static void show_error(struct buf *shown, const struct error *err)
{
    unsigned line = 0;
    unsigned column = 0;
    assert_int_equal(sscanf(err->message, "case:%u:%u: ", &line, &column), 2);
    if (shown->length)
        buf_append_text(shown, " | ");
    buf_append_format(shown, "error %u:%u", line, column);
}

static void read_case(const struct statement_options *options, const char *text, size_t piece,
                      struct buf *shown)
{
    struct error err = ERROR_INIT;
    const struct statement_handler handler = {.statement = show_statement,
                                              .data = show_data,
                                              .data_end = show_data_end,
                                              .context = shown};
    SCOPED(statement_reader)
    struct statement_reader *reader = statement_reader_new(options, &handler);
    size_t size = strlen(text);
    int result = 0;
    for (size_t at = 0; at < size && result == 0; at += piece)
        result =
            statement_reader_push(reader, text + at, size - at < piece ? size - at : piece, &err);
    if (result == 0)
        result = statement_reader_finish(reader, &err);
    if (result < 0)
        show_error(shown, &err);
}

static void check_cases(const struct statement_options *options, const struct statement_case *cases,
                        size_t count)
{
    static const size_t pieces[] = {1 << 20, 1, 2, 3, 7};
    for (size_t i = 0; i < count; i++) {
        for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
            SCOPED(buf) struct buf shown = BUF_INIT;
            read_case(options, cases[i].text, pieces[p], &shown);
            if (strcmp(shown.data, cases[i].wanted) != 0)
                fail_msg("case at line %d, in pieces of %zu:\n  got    %s\n  wanted %s",
                         cases[i].line, pieces[p], shown.data, cases[i].wanted);
        }
    }
}

#endif
