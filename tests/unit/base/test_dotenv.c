#include "harness/test.h"

#include "base/dotenv.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

TEST(lines_are_read_as_deployment_tools_write_them)
{
    static const struct {
        int line;
        const char *text;
        const char *value; /* of A; NULL: refused */
    } cases[] = {
        {__LINE__, "A=b\n", "b"},
        {__LINE__,
         "\xEF\xBB\xBF"
         "A=b\r\n",
         "b"},
        {__LINE__, "export A = b c # comment\n", "b c"},
        {__LINE__, "A=b#c", "b#c"},
        {__LINE__, "A=#c", ""},
        {__LINE__, "A=", ""},
        {__LINE__, "A='${X} \\n # '", "${X} \\n # "},
        {__LINE__, "A=\"x\\ty \\\"q\\\" \\$X\"", "x\ty \"q\" $X"},
        {__LINE__, "A=\"two\nlines\"\nB=1", "two\nlines"},
        {__LINE__, "X=1\nA=${X}2", "12"},
        {__LINE__, "A=${KEDGE_TEST_VARIABLE}!", "from outside!"},
        {__LINE__, "A=${NOT_THERE_AT_ALL}", ""},
        {__LINE__, "A=$X", "$X"},
        {__LINE__, "A=1\nA=2", "2"},
        {__LINE__, "# c\n\n  \nA=1", "1"},
        {__LINE__, "A", NULL},
        {__LINE__, "A B=1", NULL},
        {__LINE__, "A=\"x", NULL},
        {__LINE__, "A='x' y", NULL},
        {__LINE__, "A=${X", NULL},
        {__LINE__, "=1", NULL},
    };
    setenv("KEDGE_TEST_VARIABLE", "from outside", true);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        struct dotenv dotenv __attribute__((cleanup(scoped_dotenv_cleanup))) = DOTENV_INIT;
        int result = dotenv_parse(".env", cases[i].text, strlen(cases[i].text), &dotenv, &err);
        assert_case(cases[i].line, (result == 0) == (cases[i].value != NULL));
        if (result == 0)
            assert_case(cases[i].line, strcmp(dotenv_get(&dotenv, "A"), cases[i].value) == 0);
    }
}

TEST(errors_name_the_line_and_no_value)
{
    struct error err = ERROR_INIT;
    struct dotenv dotenv = DOTENV_INIT;
    static const char text[] = "A=1\n\nPASSWORD=\"hunter2\n\n";
    assert_fails(dotenv_parse(".env", text, strlen(text), &dotenv, &err), err, ERROR_USAGE);
    assert_string_equal(err.message, ".env:3: a quote that is not closed");
    assert_fails(dotenv_parse(".env", "A=1\0B", 5, &dotenv, &err), err, ERROR_USAGE);
}

TEST_MAIN(UNIT(lines_are_read_as_deployment_tools_write_them),
          UNIT(errors_name_the_line_and_no_value))
