/* A COPY out, as it comes over the wire: whole, in pieces, with remarks between, broken off, and
 * from a server that does not speak as it should. */
#include "harness/postgres_fake.h"
#include "harness/test.h"

#include "base/mem.h"
#include "base/os.h"
#include "db/pq.h"
#include "db/url.h"

#include <stdlib.h>
#include <string.h>

#define MIB ((size_t)1 << 20)

static struct pq *open_fake(struct postgres_fake *fake)
{
    struct error err = ERROR_INIT;
    postgres_fake_start(fake);
    SCOPED(string)
    char *text = mem_format("postgresql://me@127.0.0.1:%d/db?sslmode=disable&gssencmode=disable",
                            fake->port);
    struct db_url url = {0};
    assert_ok(db_url_parse(text, &url, &err), err);
    struct pq_options options = {.os = os_real()};
    struct pq *pq = NULL;
    assert_ok(pq_open(&url, &options, &pq, &err), err);
    db_url_clear(&url);
    return pq;
}

/* Read all rows, one after the other into `rows`. */
static int read_all(struct pq *pq, struct buf *rows, struct error *err)
{
    if (pq_copy_out_begin(pq, "COPY t TO STDOUT", err) < 0)
        return -1;
    const char *row = NULL;
    size_t size = 0;
    int more;
    while ((more = pq_copy_out_row(pq, &row, &size, err)) > 0)
        buf_append(rows, row, size);
    return more;
}

static void assert_rows(const struct buf *rows, const char *wanted)
{
    assert_int_equal(rows->length, strlen(wanted));
    assert_memory_equal(rows->data, wanted, rows->length);
}

/* What is said next is heard and answered. */
static void assert_usable(struct pq *pq)
{
    struct error err = ERROR_INIT;
    assert_ok(pq_exec(pq, "SELECT", NULL, &err), err);
    assert_false(pq_fault(pq)->connection_lost);
}

static void close_fake(struct postgres_fake *fake, struct pq *pq)
{
    pq_close(pq);
    postgres_fake_end(fake);
}

static void remark(struct buf *script, size_t size)
{
    SCOPED(memory) void *memory = mem_alloc(size + 64, 1);
    char *text = memory;
    strcpy(text, "SNOTICE");
    strcpy(text + 8, "C00000");
    text[15] = 'M';
    memset(text + 16, 'n', size);
    postgres_fake_say(script, 'N', text, 16 + size + 2);
}

static void setting(struct buf *script, const char *name, const char *value)
{
    struct buf pair = BUF_INIT;
    buf_append(&pair, name, strlen(name) + 1);
    buf_append(&pair, value, strlen(value) + 1);
    postgres_fake_say(script, 'S', pair.data, pair.length);
    buf_clear(&pair);
}

TEST(rows_and_remarks_arrive_wherever_the_bytes_are_cut)
{
    for (size_t chunk = 0; chunk < 24; chunk++) {
        struct postgres_fake fake = {.script = BUF_INIT, .instead = BUF_INIT, .chunk = chunk};
        remark(&fake.script, 10);
        postgres_fake_copy(&fake.script);
        postgres_fake_row(&fake.script, "one\n");
        setting(&fake.script, "application_name", "changed");
        remark(&fake.script, 20);
        postgres_fake_row(&fake.script, "");
        postgres_fake_row(&fake.script, "two\tcolumns\n");
        postgres_fake_row(&fake.script, "\n");
        postgres_fake_done(&fake.script, 3);
        struct pq *pq = open_fake(&fake);
        struct error err = ERROR_INIT;
        struct buf rows = BUF_INIT;
        assert_ok(read_all(pq, &rows, &err), err);
        assert_rows(&rows, "one\ntwo\tcolumns\n\n");
        assert_string_equal(pq_parameter_status(pq, "application_name"), "changed");
        assert_usable(pq);
        buf_clear(&rows);
        close_fake(&fake, pq);
    }
}

TEST(rows_are_lent_from_where_they_arrived)
{
    struct postgres_fake fake = {.script = BUF_INIT, .instead = BUF_INIT};
    postgres_fake_copy(&fake.script);
    postgres_fake_row(&fake.script, "one\n");
    postgres_fake_row(&fake.script, "two\n");
    postgres_fake_done(&fake.script, 2);
    struct pq *pq = open_fake(&fake);
    struct error err = ERROR_INIT;
    assert_ok(pq_copy_out_begin(pq, "COPY", &err), err);
    const char *first = NULL, *second = NULL;
    size_t size = 0;
    assert_int_equal(pq_copy_out_row(pq, &first, &size, &err), 1);
    assert_int_equal(pq_copy_out_row(pq, &second, &size, &err), 1);
    assert_ptr_equal(second, first + 4 + 5);
    assert_int_equal(pq_copy_out_row(pq, &second, &size, &err), 0);
    close_fake(&fake, pq);
}

TEST(an_empty_table_has_no_rows)
{
    struct postgres_fake fake = {.script = BUF_INIT, .instead = BUF_INIT};
    postgres_fake_copy(&fake.script);
    postgres_fake_done(&fake.script, 0);
    struct pq *pq = open_fake(&fake);
    struct error err = ERROR_INIT;
    struct buf rows = BUF_INIT;
    assert_ok(read_all(pq, &rows, &err), err);
    assert_int_equal(rows.length, 0);
    assert_usable(pq);
    close_fake(&fake, pq);
}

/* Small rows around one of `size` bytes. */
static void try_large_row(size_t size)
{
    struct postgres_fake fake = {.script = BUF_INIT, .instead = BUF_INIT};
    SCOPED(memory) void *memory = mem_alloc(size + 1, 1);
    char *large = memory;
    memset(large, 'l', size);
    large[size - 1] = '\n';
    postgres_fake_copy(&fake.script);
    postgres_fake_row(&fake.script, "before\n");
    postgres_fake_row(&fake.script, large);
    postgres_fake_row(&fake.script, "after\n");
    remark(&fake.script, 10);
    postgres_fake_row(&fake.script, large);
    postgres_fake_done(&fake.script, 4);
    struct pq *pq = open_fake(&fake);
    struct error err = ERROR_INIT;
    struct buf rows = BUF_INIT;
    assert_ok(read_all(pq, &rows, &err), err);
    assert_int_equal(rows.length, 7 + size + 6 + size);
    assert_memory_equal(rows.data, "before\n", 7);
    assert_memory_equal(rows.data + 7, large, size);
    assert_memory_equal(rows.data + 7 + size, "after\n", 6);
    assert_memory_equal(rows.data + 13 + size, large, size);
    assert_usable(pq);
    buf_clear(&rows);
    close_fake(&fake, pq);
}

TEST(rows_larger_than_any_buffer_arrive)
{
    try_large_row(300000);
    try_large_row(3 * MIB);
    try_large_row(4 * MIB);
    try_large_row(9 * MIB);
}

TEST(a_long_copy_that_pauses_arrives_whole)
{
    struct postgres_fake fake = {
        .script = BUF_INIT, .instead = BUF_INIT, .chunk = 8192, .pause_at = 3 * MIB + 77};
    struct buf wanted = BUF_INIT;
    postgres_fake_copy(&fake.script);
    for (unsigned i = 0; i < 60000; i++) {
        SCOPED(string) char *row = mem_format("%u\tand what belongs to it, %u\n", i, i * 7919);
        postgres_fake_row(&fake.script, row);
        buf_append_text(&wanted, row);
        for (unsigned k = 0; i % 1000 == 0 && k < 3; k++) {
            SCOPED(string) char *filler = mem_format("%*u\n", 30000, k);
            postgres_fake_row(&fake.script, filler);
            buf_append_text(&wanted, filler);
        }
    }
    postgres_fake_done(&fake.script, 60180);
    assert_true(fake.script.length > 6 * MIB);
    struct pq *pq = open_fake(&fake);
    struct error err = ERROR_INIT;
    struct buf rows = BUF_INIT;
    assert_ok(read_all(pq, &rows, &err), err);
    assert_int_equal(rows.length, wanted.length);
    assert_memory_equal(rows.data, wanted.data, wanted.length);
    assert_usable(pq);
    buf_clear(&rows);
    buf_clear(&wanted);
    close_fake(&fake, pq);
}

TEST(more_remarks_than_a_socket_holds_do_not_jam)
{
    struct postgres_fake fake = {.script = BUF_INIT, .instead = BUF_INIT};
    postgres_fake_copy(&fake.script);
    for (int i = 0; i < 40; i++)
        remark(&fake.script, 60000);
    remark(&fake.script, 2 * MIB);
    postgres_fake_row(&fake.script, "row\n");
    postgres_fake_done(&fake.script, 1);
    struct pq *pq = open_fake(&fake);
    struct error err = ERROR_INIT;
    struct buf rows = BUF_INIT;
    assert_ok(read_all(pq, &rows, &err), err);
    assert_rows(&rows, "row\n");
    assert_usable(pq);
    buf_clear(&rows);
    close_fake(&fake, pq);
}

TEST(what_the_server_refuses_is_told_before_and_between_rows)
{
    for (int rows_first = 0; rows_first < 2; rows_first++) {
        struct postgres_fake fake = {.script = BUF_INIT, .instead = BUF_INIT};
        if (rows_first) {
            postgres_fake_copy(&fake.script);
            postgres_fake_row(&fake.script, "one\n");
        }
        postgres_fake_refuse(&fake.script, "42501", "not for you");
        struct pq *pq = open_fake(&fake);
        struct error err = ERROR_INIT;
        struct buf rows = BUF_INIT;
        assert_fails(read_all(pq, &rows, &err), err, ERROR_PERMISSION);
        assert_string_equal(err.message, "not for you");
        assert_int_equal(rows.length, rows_first ? 4 : 0);
        assert_usable(pq);
        buf_clear(&rows);
        close_fake(&fake, pq);
    }
}

TEST(a_statement_that_is_no_copy_out_is_an_error)
{
    struct postgres_fake fake = {.script = BUF_INIT, .instead = BUF_INIT};
    postgres_fake_say(&fake.script, 'C', "SELECT 0", sizeof "SELECT 0");
    postgres_fake_say(&fake.script, 'Z', "I", 1);
    struct pq *pq = open_fake(&fake);
    struct error err = ERROR_INIT;
    struct buf rows = BUF_INIT;
    assert_fails(read_all(pq, &rows, &err), err, ERROR_FAILED);
    assert_usable(pq);
    close_fake(&fake, pq);
}

TEST(a_connection_that_is_cut_anywhere_is_lost)
{
    struct buf whole = BUF_INIT;
    postgres_fake_copy(&whole);
    postgres_fake_row(&whole, "one\n");
    remark(&whole, 3);
    postgres_fake_row(&whole, "two\n");
    postgres_fake_done(&whole, 2);
    for (size_t cut = 0; cut < whole.length; cut++) {
        struct postgres_fake fake = {.script = BUF_INIT, .instead = BUF_INIT, .hang_up = true};
        buf_append(&fake.script, whole.data, cut);
        struct pq *pq = open_fake(&fake);
        struct error err = ERROR_INIT;
        struct buf rows = BUF_INIT;
        assert_fails(read_all(pq, &rows, &err), err, ERROR_FAILED);
        assert_true(pq_fault(pq)->connection_lost);
        assert_fails(pq_exec(pq, "SELECT", NULL, &err), err, ERROR_FAILED);
        buf_clear(&rows);
        close_fake(&fake, pq);
    }
    buf_clear(&whole);
}

TEST(lengths_that_cannot_be_are_an_error)
{
    static const char *const lengths[] = {"\0\0\0\0", "\0\0\0\3", "\377\377\377\377", "\200\0\0\0"};
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        struct postgres_fake fake = {.script = BUF_INIT, .instead = BUF_INIT, .hang_up = true};
        postgres_fake_copy(&fake.script);
        postgres_fake_row(&fake.script, "one\n");
        buf_append_char(&fake.script, 'd');
        buf_append(&fake.script, lengths[i], 4);
        buf_append_text(&fake.script, "and so on");
        struct pq *pq = open_fake(&fake);
        struct error err = ERROR_INIT;
        struct buf rows = BUF_INIT;
        assert_fails(read_all(pq, &rows, &err), err, ERROR_FAILED);
        assert_rows(&rows, "one\n");
        buf_clear(&rows);
        close_fake(&fake, pq);
    }
}

TEST(rows_that_are_missing_or_do_not_end_are_an_error)
{
    static const struct {
        const char *row;
        unsigned stated;
    } cases[] = {{"one\n", 2}, {"one\n", 0}, {"one", 1}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct postgres_fake fake = {.script = BUF_INIT, .instead = BUF_INIT};
        postgres_fake_copy(&fake.script);
        postgres_fake_row(&fake.script, cases[i].row);
        postgres_fake_done(&fake.script, cases[i].stated);
        struct pq *pq = open_fake(&fake);
        struct error err = ERROR_INIT;
        struct buf rows = BUF_INIT;
        assert_fails(read_all(pq, &rows, &err), err, ERROR_FAILED);
        buf_clear(&rows);
        close_fake(&fake, pq);
    }
}

TEST(a_server_that_falls_silent_inside_a_row_is_asked_to_stop_and_can_be_used_again)
{
    struct postgres_fake fake = {.script = BUF_INIT, .instead = BUF_INIT};
    postgres_fake_copy(&fake.script);
    postgres_fake_row(&fake.script, "one\n");
    fake.hold_at = fake.script.length + 7;
    postgres_fake_row(&fake.script, "two\n");
    buf_append(&fake.instead, fake.script.data + fake.hold_at, 2);
    postgres_fake_refuse(&fake.instead, "57014", "canceled");
    struct pq *pq = open_fake(&fake);
    pq_set_timeout(pq, 50);
    struct error err = ERROR_INIT;
    struct buf rows = BUF_INIT;
    assert_fails(read_all(pq, &rows, &err), err, ERROR_TIMEOUT);
    assert_rows(&rows, "one\n");
    pq_set_timeout(pq, 0);
    assert_usable(pq);
    buf_clear(&rows);
    close_fake(&fake, pq);
}

TEST(a_copy_that_is_left_half_way_can_be_closed)
{
    struct postgres_fake fake = {.script = BUF_INIT, .instead = BUF_INIT};
    postgres_fake_copy(&fake.script);
    postgres_fake_row(&fake.script, "one\n");
    postgres_fake_row(&fake.script, "two\n");
    struct pq *pq = open_fake(&fake);
    struct error err = ERROR_INIT;
    const char *row = NULL;
    size_t size = 0;
    assert_ok(pq_copy_out_begin(pq, "COPY", &err), err);
    assert_int_equal(pq_copy_out_row(pq, &row, &size, &err), 1);
    close_fake(&fake, pq);
}

/* ---- in binary ---- */

#define BEGINNING "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"

static void say_bytes(struct postgres_fake *fake, const char *bytes, size_t size)
{
    postgres_fake_say(&fake->script, 'd', bytes, size);
}

/* What a COPY of `parts` messages in binary is read as, and its count of rows. */
static int read_fields(const char *const *parts, const size_t *sizes, unsigned stated,
                       struct buf *rows, size_t *ret_count, struct error *err)
{
    struct postgres_fake fake = {.script = BUF_INIT, .instead = BUF_INIT};
    postgres_fake_copy(&fake.script);
    for (size_t i = 0; parts[i]; i++)
        say_bytes(&fake, parts[i], sizes[i]);
    postgres_fake_done(&fake.script, stated);
    struct pq *pq = open_fake(&fake);
    assert_ok(pq_copy_out_begin(pq, "COPY", err), *err);
    const char *fields = NULL;
    size_t size = 0;
    int more;
    while ((more = pq_copy_out_fields(pq, &fields, &size, err)) > 0) {
        buf_append(rows, fields, size);
        ++*ret_count;
    }
    close_fake(&fake, pq);
    return more;
}

TEST(rows_in_binary_come_without_what_is_around_them)
{
    static const struct {
        int line;
        const char *parts[5];
        size_t sizes[5];
        unsigned stated;
        bool good;
    } cases[] = {
        {__LINE__, {BEGINNING "\0\1ab", "\0\1cd", "\377\377"}, {23, 4, 2}, 2, true},
        {__LINE__, {BEGINNING, "\0\1ab\0\1cd", "\377\377"}, {19, 8, 2}, 1, true},
        {__LINE__, {BEGINNING "\377\377"}, {21}, 0, true},
        {__LINE__, {"PGCOPY\n\377\r\n\0\0\0\0\1\0\0\0\2xy\377\377"}, {23}, 0, true},
        {__LINE__, {"PGCOPY\n\377\r\n\0\0\1\0\0\0\0\0\0\377\377"}, {21}, 0, false},
        {__LINE__, {"PGCOPY\n\377\r\n\0\0\0\0\0\377\377\377\377\377\377"}, {21}, 0, false},
        {__LINE__, {"some text\n"}, {10}, 1, false},
        {__LINE__, {BEGINNING "\0\1ab"}, {23}, 1, false},
        {__LINE__, {BEGINNING "\377\377", "\0\1ab"}, {21, 4}, 1, false},
        {__LINE__, {BEGINNING "\0\1ab", "\377\377"}, {23, 2}, 2, false},
        {__LINE__, {NULL}, {0}, 0, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        struct buf rows = BUF_INIT;
        size_t count = 0;
        int result =
            read_fields(cases[i].parts, cases[i].sizes, cases[i].stated, &rows, &count, &err);
        assert_case(cases[i].line, (result == 0) == cases[i].good);
        assert_case(cases[i].line, !cases[i].good || count == cases[i].stated);
        assert_case(cases[i].line, cases[i].good || err.message[0]);
        assert_case(cases[i].line, i != 0 || memcmp(rows.data, "\0\1ab\0\1cd", 8) == 0);
        buf_clear(&rows);
    }
}

TEST(an_error_between_rows_in_binary_is_told)
{
    struct postgres_fake fake = {.script = BUF_INIT, .instead = BUF_INIT};
    postgres_fake_copy(&fake.script);
    say_bytes(&fake, BEGINNING "\0\1ab", 23);
    postgres_fake_refuse(&fake.script, "XX001", "a page is damaged");
    struct pq *pq = open_fake(&fake);
    struct error err = ERROR_INIT;
    const char *fields = NULL;
    size_t size = 0;
    assert_ok(pq_copy_out_begin(pq, "COPY", &err), err);
    assert_int_equal(pq_copy_out_fields(pq, &fields, &size, &err), 1);
    assert_int_equal(pq_copy_out_fields(pq, &fields, &size, &err), -1);
    assert_non_null(strstr(err.message, "a page is damaged"));
    assert_usable(pq);
    close_fake(&fake, pq);
}

TEST_MAIN(UNIT(rows_in_binary_come_without_what_is_around_them),
          UNIT(an_error_between_rows_in_binary_is_told),
          UNIT(rows_and_remarks_arrive_wherever_the_bytes_are_cut),
          UNIT(rows_are_lent_from_where_they_arrived), UNIT(an_empty_table_has_no_rows),
          UNIT(rows_larger_than_any_buffer_arrive), UNIT(a_long_copy_that_pauses_arrives_whole),
          UNIT(more_remarks_than_a_socket_holds_do_not_jam),
          UNIT(what_the_server_refuses_is_told_before_and_between_rows),
          UNIT(a_statement_that_is_no_copy_out_is_an_error),
          UNIT(a_connection_that_is_cut_anywhere_is_lost),
          UNIT(lengths_that_cannot_be_are_an_error),
          UNIT(rows_that_are_missing_or_do_not_end_are_an_error),
          UNIT(a_server_that_falls_silent_inside_a_row_is_asked_to_stop_and_can_be_used_again),
          UNIT(a_copy_that_is_left_half_way_can_be_closed))
