#include "harness/test.h"

#include "base/buf.h"
#include "base/error.h"
#include "db/mysql_values.h"

#include <string.h>

/* Doubles single quotes. */
static size_t escape(void *context, char *to, const char *text, size_t size)
{
    size_t length = 0;
    *(int *)context += 1;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\'')
            to[length++] = '\'';
        to[length++] = text[i];
    }
    return length;
}

static int put(const char *sql, const struct db_value *items, size_t count, struct buf *out,
               struct error *err)
{
    int calls = 0;
    const struct mysql_values values = {items, count, escape, &calls};
    return mysql_put_values(&values, sql, strlen(sql), out, err);
}

static void each_parameter_becomes_a_literal(void **state)
{
    SCOPED(buf) struct buf out = BUF_INIT;
    struct error err = ERROR_INIT;
    const struct db_value items[] = {
        db_integer(-7),
        db_text("it's"),
        DB_VALUE_NULL,
        {.type = DB_BLOB, .text = "\x00\xff", .size = 2},
        {.type = DB_REAL, .real = 0.5},
    };
    (void)state;
    assert_int_equal(put("SELECT ?, ?, ?, ?, ?", items, 5, &out, &err), 0);
    assert_string_equal(out.data, "SELECT -7, 'it''s', NULL, X'00ff', 0.5");
}

static void question_marks_in_quotes_stay(void **state)
{
    SCOPED(buf) struct buf out = BUF_INIT;
    struct error err = ERROR_INIT;
    const struct db_value item = db_integer(1);
    (void)state;
    assert_int_equal(put("SELECT '?', \"?'\", `?`, ?", &item, 1, &out, &err), 0);
    assert_string_equal(out.data, "SELECT '?', \"?'\", `?`, 1");
}

static void a_value_with_a_question_mark_is_no_parameter(void **state)
{
    SCOPED(buf) struct buf out = BUF_INIT;
    struct error err = ERROR_INIT;
    const struct db_value items[] = {db_text("?"), db_text("b")};
    (void)state;
    assert_int_equal(put("?,?", items, 2, &out, &err), 0);
    assert_string_equal(out.data, "'?','b'");
}

static void too_few_and_too_many_values_are_refused(void **state)
{
    struct error err = ERROR_INIT;
    const struct db_value items[] = {db_integer(1), db_integer(2)};
    (void)state;
    for (size_t count = 0; count <= 2; count += 2) {
        SCOPED(buf) struct buf out = BUF_INIT;
        error_clear(&err);
        assert_int_equal(put("SELECT ?", items, count, &out, &err), -1);
        assert_non_null(strstr(err.message, "a statement with 1 parameters was given"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_parameter_becomes_a_literal),
        cmocka_unit_test(question_marks_in_quotes_stay),
        cmocka_unit_test(a_value_with_a_question_mark_is_no_parameter),
        cmocka_unit_test(too_few_and_too_many_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
