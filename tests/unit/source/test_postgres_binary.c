/*
 * Rows in binary: what they become, and what is refused. With a server (KEDGE_TEST_POSTGRES_URL)
 * every type is read in both formats, and the text must be the same byte for byte.
 */
#include "harness/test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/text.h"
#include "db/pq.h"
#include "db/url.h"
#include "source/postgres_binary.h"
#include "source/postgres_session.h"

#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BYTES(literal) literal, sizeof(literal) - 1

/* ---- single rows ---- */

static const struct {
    int line;
    const char *output, *send;
    const char *value;
    size_t size;
    const char *text; /* NULL: refused */
} cases[] = {
    {__LINE__, "boolout", "boolsend", BYTES("\1"), "t"},
    {__LINE__, "boolout", "boolsend", BYTES("\0"), "f"},
    {__LINE__, "boolout", "boolsend", BYTES("\2"), NULL},
    {__LINE__, "boolout", "boolsend", BYTES(""), NULL},
    {__LINE__, "int2out", "int2send", BYTES("\x80\0"), "-32768"},
    {__LINE__, "int4out", "int4send", BYTES("\xff\xff\xff\xff"), "-1"},
    {__LINE__, "int4out", "int4send", BYTES("\0\0\0"), NULL},
    {__LINE__, "int8out", "int8send", BYTES("\x80\0\0\0\0\0\0\0"), "-9223372036854775808"},
    {__LINE__, "int8out", "int8send", BYTES("\0\0\0\0\0\0\0\0\0"), NULL},
    {__LINE__, "oidout", "oidsend", BYTES("\xff\xff\xff\xff"), "4294967295"},
    {__LINE__, "date_out", "date_send", BYTES("\0\0\0\0"), "2000-01-01"},
    {__LINE__, "date_out", "date_send", BYTES("\0\0\0\x3b"), "2000-02-29"},
    {__LINE__, "date_out", "date_send", BYTES("\x7f\xff\xff\xff"), "infinity"},
    {__LINE__, "date_out", "date_send", BYTES("\x7f\xff\xff\xfe"), NULL},
    {__LINE__, "time_out", "time_send", BYTES("\0\0\0\0\0\0\0\x0a"), "00:00:00.00001"},
    {__LINE__, "time_out", "time_send", BYTES("\0\0\x01\0\0\0\0\0"), NULL},
    {__LINE__, "timestamptz_out", "timestamptz_send", BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"),
     "1999-12-31 23:59:59.999999+00"},
    {__LINE__, "timestamp_out", "timestamp_send", BYTES("\x80\0\0\0\0\0\0\0"), "-infinity"},
    {__LINE__, "timestamp_out", "timestamp_send", BYTES("\x80\0\0\0\0\0\0\1"), NULL},
    {__LINE__, "textout", "textsend", BYTES("a\tb\\"), "a\\tb\\\\"},
    {__LINE__, "textout", "textsend", BYTES(""), ""},
    {__LINE__, "jsonb_out", "jsonb_send", BYTES("\1{}"), "{}"},
    {__LINE__, "jsonb_out", "jsonb_send", BYTES("\2{}"), NULL},
    {__LINE__, "jsonb_out", "jsonb_send", BYTES(""), NULL},
    {__LINE__, "byteaout", "byteasend", BYTES("\0\xff"), "\\\\x00ff"},
    {__LINE__, "byteaout", "byteasend", BYTES(""), "\\\\x"},
    {__LINE__, "uuid_out", "uuid_send", BYTES("0123456789abcdef"),
     "30313233-3435-3637-3839-616263646566"},
    {__LINE__, "uuid_out", "uuid_send", BYTES("0123456789abcde"), NULL},
    {__LINE__, "numeric_out", "numeric_send", BYTES("\0\0\0\0\xc0\0\0\0"), "NaN"},
    {__LINE__, "numeric_out", "numeric_send", BYTES("\0\0\0\0\xf0\0\0\x20"), "-Infinity"},
    {__LINE__, "numeric_out", "numeric_send", BYTES("\0\0\0\0\0\0\0\2"), "0.00"},
    {__LINE__, "numeric_out", "numeric_send", BYTES("\0\1\xff\xfe\x40\0\0\6\0\x0c"), "-0.000000"},
    {__LINE__, "numeric_out", "numeric_send", BYTES("\0\1\0\1\0\0\0\0\0\x0c"), "120000"},
    {__LINE__, "numeric_out", "numeric_send", BYTES("\0\1\0\0\0\0\0\0\x27\x10"), NULL},
    {__LINE__, "numeric_out", "numeric_send", BYTES("\0\1\0\0\0\0\x40\0\0\1"), NULL},
    {__LINE__, "numeric_out", "numeric_send", BYTES("\0\1\0\0\1\0\0\0\0\1"), NULL},
    {__LINE__, "numeric_out", "numeric_send", BYTES("\0\2\0\0\0\0\0\0\0\1"), NULL},
    {__LINE__, "numeric_out", "numeric_send", BYTES("\0\0\0"), NULL},
};

static void add_field(struct buf *row, const char *value, size_t size)
{
    const char length[] = {(char)(size >> 24), (char)(size >> 16), (char)(size >> 8), (char)size};
    buf_append(row, length, sizeof length);
    buf_append(row, value, size);
}

/* As a server would send it, in memory of its own size. */
static int convert(const struct binary_layout *layout, const struct buf *row, struct buf *text,
                   struct error *err)
{
    SCOPED(memory) void *exact = mem_alloc(row->length + 1, 1);
    char *fields = (char *)exact + 1;
    memcpy(fields, row->data, row->length);
    return binary_row_text(layout, fields, row->length, text, err);
}

TEST(values_become_what_the_server_writes_or_are_refused)
{
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        struct binary_layout layout = {0};
        struct buf row = BUF_INIT, text = BUF_INIT;
        binary_layout_add(&layout, "c", cases[i].output, cases[i].send);
        buf_append(&row, "\0\1", 2);
        add_field(&row, cases[i].value, cases[i].size);
        int result = convert(&layout, &row, &text, &err);
        assert_case(cases[i].line, (result == 0) == (cases[i].text != NULL));
        if (cases[i].text)
            assert_case(cases[i].line, text.length == strlen(cases[i].text) + 1 &&
                                           memcmp(text.data, cases[i].text, text.length - 1) == 0 &&
                                           text.data[text.length - 1] == '\n');
        else
            assert_case(cases[i].line, err.code == ERROR_FAILED && text.length == 0);
        binary_layout_clear(&layout);
        buf_clear(&row);
        buf_clear(&text);
    }
}

/* Whatever the room: all of the row or nothing, the same bytes, and none past the room. */
static void assert_put(int line, const struct binary_layout *layout, const struct buf *row,
                       const char *text, size_t length)
{
    struct error err = ERROR_INIT;
    bool fitted = false;
    for (size_t room = 0; room < length + 400; room++) {
        SCOPED(memory) void *exact = mem_alloc(room + 1, 1);
        char *out = (char *)exact + 1;
        size_t size = 0;
        int done = binary_row_put(layout, row->data, row->length, out, room, &size, &err);
        assert_case(line, done == 1 || (done == 0 && !fitted));
        fitted = done == 1;
        assert_case(line, !fitted || (size == length && memcmp(out, text, length) == 0));
    }
    assert_case(line, fitted);
}

TEST(a_row_is_written_in_place_where_there_is_room_for_all_of_it)
{
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        struct binary_layout layout = {0};
        struct buf row = BUF_INIT, text = BUF_INIT;
        size_t size = 0;
        char out[64 << 10]; /* a scale asks for its decimals before it is refused */
        binary_layout_add(&layout, "c", cases[i].output, cases[i].send);
        binary_layout_add(&layout, "c", "textout", "textsend");
        buf_append(&row, "\0\2", 2);
        add_field(&row, cases[i].value, cases[i].size);
        add_field(&row, BYTES("thirty bytes, and one newline\n"));
        if (convert(&layout, &row, &text, &err) == 0)
            assert_put(cases[i].line, &layout, &row, text.data, text.length);
        else
            assert_case(cases[i].line, binary_row_put(&layout, row.data, row.length, out,
                                                      sizeof out, &size, &err) < 0);
        binary_layout_clear(&layout);
        buf_clear(&row);
        buf_clear(&text);
    }
}

TEST(integers_of_every_length_are_written)
{
    struct binary_layout layout = {0};
    binary_layout_add(&layout, "c", "int8out", "int8send");
    for (uint64_t power = 1, digits = 1; digits < 19; power *= 10, digits++)
        for (int sign = -1; sign <= 1; sign += 2)
            for (int beside = -1; beside <= 1; beside++) {
                struct error err = ERROR_INIT;
                struct buf row = BUF_INIT, text = BUF_INIT;
                int64_t value = sign * ((int64_t)power + beside);
                uint64_t wire = htobe64((uint64_t)value);
                SCOPED(string) char *wanted = mem_format("%" PRId64 "\n", value);
                buf_append(&row, "\0\1", 2);
                add_field(&row, (const char *)&wire, sizeof wire);
                assert_ok(convert(&layout, &row, &text, &err), err);
                assert_string_equal(text.data, wanted);
                buf_clear(&row);
                buf_clear(&text);
            }
    binary_layout_clear(&layout);
}

static void two_columns(struct binary_layout *layout, struct buf *row)
{
    binary_layout_add(layout, "c", "textout", "textsend");
    binary_layout_add(layout, "c", "int4out", "int4send");
    buf_append(row, "\0\2", 2);
    add_field(row, "some text", 9);
    add_field(row, "\0\0\0\7", 4);
}

TEST(a_row_that_is_cut_anywhere_is_refused)
{
    struct error err = ERROR_INIT;
    struct binary_layout layout = {0};
    struct buf row = BUF_INIT, text = BUF_INIT;
    two_columns(&layout, &row);
    size_t whole = row.length;
    for (row.length = 0; row.length < whole; row.length++)
        assert_fails(convert(&layout, &row, &text, &err), err, ERROR_FAILED);
    error_clear(&err);
    assert_ok(convert(&layout, &row, &text, &err), err);
    assert_string_equal(text.data, "some text\t7\n");
    buf_append_char(&row, '\0');
    assert_fails(convert(&layout, &row, &text, &err), err, ERROR_FAILED);
    assert_string_equal(text.data, "some text\t7\n");
    buf_clear(&row);
    buf_clear(&text);
    binary_layout_clear(&layout);
}

TEST(lengths_and_counts_that_cannot_be_are_refused)
{
    static const char *const lengths[] = {"\xff\xff\xff\xfe", "\x80\0\0\0", "\x7f\xff\xff\xff",
                                          "\0\0\0\x12"};
    struct error err = ERROR_INIT;
    struct binary_layout layout = {0};
    struct buf row = BUF_INIT, text = BUF_INIT;
    two_columns(&layout, &row);
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        memcpy(row.data + 2, lengths[i], 4);
        assert_fails(convert(&layout, &row, &text, &err), err, ERROR_FAILED);
    }
    memcpy(row.data, "\0\3\0\0\0\x09", 6);
    assert_fails(convert(&layout, &row, &text, &err), err, ERROR_FAILED);
    memcpy(row.data, "\xff\xff", 2);
    assert_fails(convert(&layout, &row, &text, &err), err, ERROR_FAILED);
    buf_clear(&row);
    buf_clear(&text);
    binary_layout_clear(&layout);
}

TEST(null_is_not_empty_text)
{
    struct error err = ERROR_INIT;
    struct binary_layout layout = {0};
    struct buf row = BUF_INIT, text = BUF_INIT;
    binary_layout_add(&layout, "c", "textout", "textsend");
    binary_layout_add(&layout, "c", "textout", "textsend");
    buf_append(&row, "\0\2\xff\xff\xff\xff\0\0\0\0", 10);
    assert_ok(convert(&layout, &row, &text, &err), err);
    assert_string_equal(text.data, "\\N\t\n");
    buf_clear(&row);
    buf_clear(&text);
    binary_layout_clear(&layout);
}

TEST(a_table_with_a_column_that_we_cannot_write_is_not_read_in_binary)
{
    struct binary_layout layout = {0};
    assert_false(binary_layout_is_known(&layout));
    binary_layout_add(&layout, "c", "textout", "textsend");
    assert_true(binary_layout_is_known(&layout));
    binary_layout_add(&layout, "c", "textout", NULL);
    assert_false(binary_layout_is_known(&layout));
    binary_layout_clear(&layout);
    binary_layout_add(&layout, "c", "textout", "byteasend");
    assert_false(binary_layout_is_known(&layout));
    binary_layout_clear(&layout);
}

/* ---- beside the server ---- */

/* Values of `i` from 1 on, and such as are at an edge. */
static const struct {
    int line;
    const char *type;
    const char *value;
    const char *edges; /* rows of a VALUES list */
} differences[] = {
    {__LINE__, "bool", "i % 2 = 0", "(true),(false)"},
    {__LINE__, "int2", "hashtextextended(i::text, 7) % 32768",
     "(-32768),(32767),(0),(-1),(9),(10)"},
    {__LINE__, "int4", "hashtextextended(i::text, 7) % 2147483648 >> (i % 31)::int",
     "(-2147483648),(2147483647),(99),(100),(-100)"},
    {__LINE__, "int8", "hashtextextended(i::text, 7) >> (i % 63)::int",
     "(-9223372036854775808),(9223372036854775807),(0)"},
    {__LINE__, "oid", "abs(hashtextextended(i::text, 7) % 2147483648) * 2", "(0),(4294967295)"},
    {__LINE__, "uuid", "md5(i::text)", "(NULL)"},
    {__LINE__, "text", "left(repeat(chr(1 + (i % 1000)::int) || E'\\\\\\n.', 9), (i % 40)::int)",
     "(''),(E'\\\\.'),(E'\\\\N'),(E'\\b\\f\\r\\v\\t\\x01\\x7f'),(repeat('x', 200000) || E'\\t')"},
    {__LINE__, "varchar(50)", "left(md5(i::text), (i % 30)::int)", "(''),(NULL)"},
    {__LINE__, "char(12)", "left(md5(i::text), (i % 12)::int)", "(''),('a  b')"},
    {__LINE__, "name", "md5(i::text)", "(''),(E'a\\tb')"},
    {__LINE__, "json", "'{\"a\\tb\":  ' || i || '}'", "(E'[1,\\n2]')"},
    {__LINE__, "jsonb", "'{\"a\\tb\":  [' || i || ', \"x\\\\y\"]}'", "('\"\"'),('null')"},
    {__LINE__, "bytea", "decode(repeat(md5(i::text), (i % 5)::int), 'hex')",
     "(''),('\\x00'),('\\x0aff5c'),(decode(repeat('5c', 150000), 'hex'))"},
    {__LINE__, "date", "date '4714-11-24 BC' + (i * 1117 % 300000000)::int",
     "('infinity'),('-infinity'),('5874897-12-31'),('4714-11-24 BC'),('0001-12-31 BC'),"
     "('0001-01-01'),('9999-12-31'),('10000-01-01'),('2000-02-29'),('1900-02-28'),('1900-03-01')"},
    {__LINE__, "time", "time '00:00' + i * interval '13.000137 s'",
     "('24:00:00'),('00:00:00'),('23:59:59.999999'),('00:00:00.000010'),('12:00:00.5')"},
    {__LINE__, "timestamp", "timestamp '4714-11-24 BC' + i * interval '3333.123457 h'",
     "('infinity'),('-infinity'),('294276-12-31 23:59:59.999999'),('4714-11-24 00:00 BC'),"
     "('0001-12-31 23:59:59.9 BC'),('9999-12-31 23:59:59.000001'),('1999-12-31 23:59:59.999999')"},
    {__LINE__, "timestamptz", "timestamptz '2000-01-01Z' + (i - 1500) * interval '777777.000013 s'",
     "('infinity'),('-infinity'),('294276-12-31 23:59:59.999999Z'),('4714-11-24 00:00Z BC'),"
     "('0001-01-01 00:00Z BC'),('1970-01-01Z')"},
    {__LINE__, "numeric",
     "(hashtextextended(i::text, 7)::numeric * hashtextextended(i::text, 8)) "
     "* 10::numeric ^ (i % 70 - 60)::int",
     "('NaN'),('0'),('0.000'),('-0.00001234'),('10000'),('9999'),('1e131071'),('1e-16383'),"
     "('9999.99990000'),('1.00000000'),('-123456789012345678901234567890.123456789'),('1e4')"},
    {__LINE__, "numeric(12,4)", "hashtextextended(i::text, 7) % 100000000000 / 10000.0", "(NULL)"},
};

static int open_server(struct pq **ret_pq, struct error *err)
{
    struct db_url url = {0};
    if (db_url_parse(getenv("KEDGE_TEST_POSTGRES_URL"), &url, err) < 0)
        return -1;
    int result = postgres_connect(os_real(), &url, NULL, 0, ret_pq, err);
    db_url_clear(&url);
    return result;
}

static void find_layout(struct pq *pq, const char *type, struct binary_layout *layout)
{
    struct error err = ERROR_INIT;
    SCOPED(pq_result) struct pq_result *result = NULL;
    SCOPED(string)
    char *sql = mem_format("SELECT o.prosrc, s.prosrc FROM pg_type t JOIN pg_proc o "
                           "ON o.oid = t.typoutput JOIN pg_proc s ON s.oid = t.typsend "
                           "WHERE t.oid = '%s'::regtype",
                           type);
    assert_ok(pq_exec(pq, sql, &result, &err), err);
    binary_layout_add(layout, "c", pq_value(result, 0, 0), pq_value(result, 0, 1));
}

static void read_text(struct pq *pq, const char *select, struct buf *rows)
{
    struct error err = ERROR_INIT;
    SCOPED(string) char *sql = mem_format("COPY (%s) TO STDOUT", select);
    assert_ok(pq_copy_out_begin(pq, sql, &err), err);
    const char *row = NULL;
    size_t size = 0;
    int more;
    while ((more = pq_copy_out_row(pq, &row, &size, &err)) > 0)
        buf_append(rows, row, size);
    assert_ok(more, err);
}

static void read_binary(struct pq *pq, const char *select, const struct binary_layout *layout,
                        struct buf *rows)
{
    struct error err = ERROR_INIT;
    SCOPED(string) char *sql = mem_format("COPY (%s) TO STDOUT (FORMAT binary)", select);
    assert_ok(pq_copy_out_begin(pq, sql, &err), err);
    const char *fields = NULL;
    size_t size = 0;
    int more;
    while ((more = pq_copy_out_fields(pq, &fields, &size, &err)) > 0)
        assert_ok(binary_row_text(layout, fields, size, rows, &err), err);
    assert_ok(more, err);
}

static void assert_same(struct pq *pq, int line, const char *type, const char *select)
{
    struct binary_layout layout = {0};
    struct buf text = BUF_INIT, made = BUF_INIT;
    find_layout(pq, type, &layout);
    assert_case(line, binary_layout_is_known(&layout));
    read_text(pq, select, &text);
    read_binary(pq, select, &layout, &made);
    assert_case(line, text.length == made.length);
    assert_case(line, memcmp(text.data, made.data, text.length) == 0);
    binary_layout_clear(&layout);
    buf_clear(&text);
    buf_clear(&made);
}

TEST(every_type_is_written_as_the_server_writes_it)
{
    struct error err = ERROR_INIT;
    if (!getenv("KEDGE_TEST_POSTGRES_URL"))
        skip();
    SCOPED(pq) struct pq *pq = NULL;
    assert_ok(open_server(&pq, &err), err);
    for (size_t i = 0; i < ARRAY_SIZE(differences); i++) {
        const char *type = differences[i].type;
        SCOPED(string)
        char *spread = mem_format("SELECT (%s)::%s FROM generate_series(1::bigint, 5000) i",
                                  differences[i].value, type);
        SCOPED(string)
        char *edges = mem_format("SELECT v::%s FROM (VALUES %s, (NULL)) edges (v)", type,
                                 differences[i].edges);
        assert_same(pq, differences[i].line, type, spread);
        assert_same(pq, differences[i].line, type, edges);
    }
}

TEST(domains_and_enums_are_written_as_the_server_writes_them)
{
    struct error err = ERROR_INIT;
    if (!getenv("KEDGE_TEST_POSTGRES_URL"))
        skip();
    SCOPED(pq) struct pq *pq = NULL;
    assert_ok(open_server(&pq, &err), err);
    assert_ok(pq_exec(pq,
                      "CREATE DOMAIN pg_temp.price AS numeric(9,2) CHECK (value > 0); "
                      "CREATE DOMAIN pg_temp.dear AS pg_temp.price NOT NULL; "
                      "CREATE TYPE pg_temp.mood AS ENUM ('glad', E'a\\tb', 'c\\d')",
                      NULL, &err),
              err);
    assert_same(pq, __LINE__, "pg_temp.dear", "SELECT 12.5::pg_temp.dear");
    assert_same(pq, __LINE__, "pg_temp.mood", "SELECT unnest(enum_range(NULL::pg_temp.mood))");
}

TEST_MAIN(UNIT(values_become_what_the_server_writes_or_are_refused),
          UNIT(a_row_is_written_in_place_where_there_is_room_for_all_of_it),
          UNIT(integers_of_every_length_are_written), UNIT(a_row_that_is_cut_anywhere_is_refused),
          UNIT(lengths_and_counts_that_cannot_be_are_refused), UNIT(null_is_not_empty_text),
          UNIT(a_table_with_a_column_that_we_cannot_write_is_not_read_in_binary),
          UNIT(every_type_is_written_as_the_server_writes_it),
          UNIT(domains_and_enums_are_written_as_the_server_writes_them))
