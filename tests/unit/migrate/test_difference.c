#include "harness/test.h"

#include "base/buf.h"
#include "migrate/difference.h"

#include <string.h>

TEST(lines_come_and_go_with_two_around_them)
{
    static const struct {
        int line;
        const char *before, *after, *shown;
    } cases[] = {
        {__LINE__, "a\nb\n", "a\nb\n", " a\n b\n"},
        {__LINE__, "", "a\n", "+a\n"},
        {__LINE__, "a\n", "", "-a\n"},
        {__LINE__, "a\nb\nc\n", "a\nx\nc\n", " a\n-b\n+x\n c\n"},
        {__LINE__, "1\n2\n3\nold\n4\n5\n6\n", "1\n2\n3\nnew\n4\n5\n6\n",
         " 2\n 3\n-old\n+new\n 4\n 5\n"},
        {__LINE__, "a\nkept\nb\n", "c\nkept\nd\n", "-a\n+c\n kept\n-b\n+d\n"},
        {__LINE__, "a\nb\na\nb\n", "a\nb\n", " a\n b\n-a\n-b\n"},
        /* What is written at the end of the file alone makes no line. */
        {__LINE__, "a\nb", "a\nb\n", " a\n b\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SCOPED(buf) struct buf shown = BUF_INIT;
        difference_append(&shown, cases[i].before, cases[i].after);
        if (strcmp(shown.data, cases[i].shown) != 0)
            fail_msg("case at line %d:\n%s", cases[i].line, shown.data);
    }
}

/* The table of the comparison grows with both: the middle of long texts is cut, not compared. */
TEST(long_texts_are_compared_in_bounded_memory)
{
    SCOPED(buf) struct buf before = BUF_INIT;
    SCOPED(buf) struct buf after = BUF_INIT;
    SCOPED(buf) struct buf shown = BUF_INIT;
    for (int i = 0; i < 50000; i++) {
        buf_append_format(&before, "old %d\n", i);
        buf_append_format(&after, "new %d\n", i);
    }
    difference_append(&shown, before.data, after.data);
    assert_non_null(strstr(shown.data, "-old 0\n"));
    assert_non_null(strstr(shown.data, "+new 0\n"));
    assert_null(strstr(shown.data, "-old 49999\n"));
}

TEST_MAIN(UNIT(lines_come_and_go_with_two_around_them),
          UNIT(long_texts_are_compared_in_bounded_memory))
