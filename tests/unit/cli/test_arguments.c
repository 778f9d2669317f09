#include "harness/test.h"

#include "base/mem.h"
#include "base/os.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "service/settings.h"

#include <stdio.h>
#include <string.h>

#define WORDS_MAXIMUM 8

/* A command line, cut at blanks, and what was made of it. */
struct line {
    char text[256];
    char *argv[WORDS_MAXIMUM + 1];
    int argc;
    struct cli cli;
    struct settings *settings;
    struct error err;
    int result;
};

static void read_line(struct line *line, const char *text)
{
    memset(line, 0, sizeof *line);
    snprintf(line->text, sizeof line->text, "%s", text);
    char *rest = line->text;
    for (char *word; line->argc < WORDS_MAXIMUM && (word = strsep(&rest, " "));)
        line->argv[line->argc++] = word;
    line->settings = settings_new(os_real());
    line->cli = (struct cli){.os = os_real(), .settings = line->settings};
    line->result = arguments_read(&line->cli, line->argc, line->argv, &line->err);
}

static void clear_line(struct line *line)
{
    text_list_clear(&line->cli.arguments);
    settings_free(line->settings);
}

TEST(mistakes_get_a_suggestion)
{
    static const struct {
        int line;
        const char *text;
        const char *message;
        const char *hint;
    } cases[] = {
        {__LINE__, "kedge confg", "unknown command \"confg\"", "did you mean kedge config?"},
        {__LINE__, "kedge xyzzy", "unknown command \"xyzzy\"", "kedge --help lists the commands"},
        {__LINE__, "kedge keygen --outptu=x", "unknown option --outptu", "did you mean --output?"},
        {__LINE__, "kedge config --log-level", "--log-level needs a value: --log-level LEVEL", ""},
        {__LINE__, "kedge config --log-level --json",
         "--log-level needs a value: --log-level LEVEL", ""},
        {__LINE__, "kedge config --log-level=loud",
         "--log-level: \"loud\" is none of error, warning, info, debug", ""},
        {__LINE__, "kedge completion", "kedge completion needs bash|zsh|fish",
         "kedge completion --help"},
        {__LINE__, "kedge version x", "kedge version: \"x\" is one argument too many", ""},
        {__LINE__, "kedge config -Z", "unknown option -Z", NULL},
        {__LINE__, "kedge up", "unknown command \"up\"", "did you mean kedge migrate up?"},
        {__LINE__, "kedge --xyzzy a migrate up", "unknown option --xyzzy",
         "kedge --help shows the commands"},
        {__LINE__, "kedge migrate --verison=1 up", "unknown option --verison",
         "did you mean --version?"},
        {__LINE__, "kedge migrate --xyzzy 1 up", "unknown option --xyzzy",
         "kedge --help shows the commands"},
        {__LINE__, "kedge --retention 3 migrate up", "unknown option --retention", NULL},
        {__LINE__, "kedge migrate -version up", "-version needs a value, and \"up\" was read as it",
         "kedge migrate up -version VALUE"},
        {__LINE__, "kedge migrate -version=1", "kedge migrate: which one?", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct line line;
        read_line(&line, cases[i].text);
        assert_case(cases[i].line, line.result < 0 && line.err.code == ERROR_USAGE);
        if (strcmp(line.err.message, cases[i].message) != 0)
            fail_msg("case at line %d: %s", cases[i].line, line.err.message);
        if (cases[i].hint && strcmp(line.err.hint, cases[i].hint) != 0)
            fail_msg("case at line %d: %s", cases[i].line, line.err.hint);
        clear_line(&line);
    }
}

TEST(values_come_with_equals_blank_or_one_dash)
{
    static const char *const texts[] = {"kedge keygen --output=k", "kedge keygen --output k",
                                        "kedge keygen -output=k",  "kedge keygen -output k",
                                        "kedge keygen -o k",       "kedge keygen -ok",
                                        "kedge keygen -qo=k",      "kedge -q keygen -o k"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct line line;
        read_line(&line, texts[i]);
        assert_ok(line.result, line.err);
        assert_string_equal(settings_text(line.settings, SETTING_OUTPUT), "k");
        clear_line(&line);
    }
}

TEST(options_stand_before_between_or_after_the_words_of_a_command)
{
    static const char *const texts[] = {
        "kedge migrate up -version=1 -config=x",       "kedge migrate -version=1 up -config=x",
        "kedge migrate -version 1 -config x up",       "kedge migrate --version=1 --config=x up",
        "kedge -config x migrate --version 1 up",      "kedge --config=x migrate -version 1 up",
        "kedge -config=x -version 1 migrate up",       "kedge --version 1 --config x migrate up",
        "kedge --version=1 -q migrate -config up up x"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct line line;
        read_line(&line, texts[i]);
        bool last = i == ARRAY_SIZE(texts) - 1; /* the value of -config is "up", "x" one too many */
        assert_string_equal(line.cli.command->name, "migrate up");
        assert_string_equal(settings_text(line.settings, SETTING_MIGRATIONS_VERSION), "1");
        assert_string_equal(settings_text(line.settings, SETTING_CONFIG), last ? "up" : "x");
        assert_int_equal(line.result, last ? -1 : 0);
        clear_line(&line);
    }
}

TEST(a_value_is_not_taken_for_the_command)
{
    struct line line;
    read_line(&line, "kedge -v --config list backup -- migrate up");
    assert_ok(line.result, line.err);
    assert_string_equal(line.cli.command->name, "backup");
    assert_int_equal(line.cli.arguments.count, 2);
    clear_line(&line);

    read_line(&line, "kedge -qj 4 backup");
    assert_ok(line.result, line.err);
    assert_string_equal(line.cli.command->name, "backup");
    assert_int_equal(settings_integer(line.settings, SETTING_JOBS), 4);
    clear_line(&line);
}

TEST(version_alone_is_the_programs_own)
{
    static const char *const texts[] = {"kedge --version", "kedge -V", "kedge --version list"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct line line;
        read_line(&line, texts[i]);
        assert_ok(line.result, line.err);
        assert_true(line.cli.version);
        clear_line(&line);
    }
}

/* What stands before the command is read before anybody knows which row it is. */
TEST(options_of_one_name_all_need_a_value_or_none_does)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        for (size_t j = 0; j < i; j++) {
            const struct option_row *one = &settings_rows[i], *other = &settings_rows[j];
            if (one->commands && other->commands && strcmp(one->name, other->name) == 0)
                assert_int_equal(option_is_switch(one) || one->bare,
                                 option_is_switch(other) || other->bare);
        }
}

TEST(switches_add_up_and_two_dashes_end_them)
{
    struct line line;
    read_line(&line, "kedge -v completion -vv --json=no -- -x");
    assert_ok(line.result, line.err);
    assert_int_equal(settings_integer(line.settings, SETTING_VERBOSE), 3);
    assert_false(settings_bool(line.settings, SETTING_JSON));
    assert_int_equal(line.cli.arguments.count, 1);
    assert_string_equal(line.cli.arguments.items[0], "-x");
    clear_line(&line);
}

TEST(passwords_in_urls_are_wiped_from_argv)
{
    static const struct {
        int line;
        const char *word;
        const char *left; /* in argv afterwards */
    } cases[] = {
        {__LINE__, "postgres://u:secret@h/db", "postgres://u:xxxxxx@h/db"},
        {__LINE__, "--to=mysql://u:p@w@h:1/db", "--to=mysql://u:xxx@h:1/db"},
        {__LINE__, "postgres://h/db?user=u&password=abc&x=1",
         "postgres://h/db?user=u&password=xxx&x=1"},
        {__LINE__, "postgres://u@h/db", "postgres://u@h/db"},
        {__LINE__, "postgres:///db?host=/run", "postgres:///db?host=/run"},
        {__LINE__, "a:b@c", "a:b@c"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct line line;
        SCOPED(string) char *text = mem_format("kedge completion %s", cases[i].word);
        read_line(&line, text);
        if (strcmp(line.argv[2], cases[i].left) != 0)
            fail_msg("case at line %d: %s", cases[i].line, line.argv[2]);
        assert_case(cases[i].line,
                    line.cli.password_seen == (strcmp(cases[i].word, cases[i].left) != 0));
        if (cases[i].word[0] != '-')
            assert_string_equal(line.cli.arguments.items[0], cases[i].word);
        clear_line(&line);
    }
}

TEST(help_and_version_ask_for_nothing_else)
{
    struct line line;
    read_line(&line, "kedge completion --help");
    assert_ok(line.result, line.err);
    assert_true(line.cli.help);
    clear_line(&line);
    read_line(&line, "kedge -V");
    assert_ok(line.result, line.err);
    assert_true(line.cli.version);
    clear_line(&line);
}

TEST_MAIN(UNIT(mistakes_get_a_suggestion), UNIT(values_come_with_equals_blank_or_one_dash),
          UNIT(options_stand_before_between_or_after_the_words_of_a_command),
          UNIT(a_value_is_not_taken_for_the_command), UNIT(version_alone_is_the_programs_own),
          UNIT(options_of_one_name_all_need_a_value_or_none_does),
          UNIT(switches_add_up_and_two_dashes_end_them),
          UNIT(passwords_in_urls_are_wiped_from_argv), UNIT(help_and_version_ask_for_nothing_else))
