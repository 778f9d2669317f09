#include "harness/scratch.h"
#include "harness/test.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/os.h"
#include "service/config_file.h"
#include "service/settings.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every test stands in a fresh folder whose `home` is KEDGE_HOME, with nothing of ours in the
 * environment. */
static char folder[64];

static int set_up(void **state)
{
    (void)state;
    static const char *const names[] = {"KEDGE_CONFIG",       "KEDGE_RETENTION", "KEDGE_TAG",
                                        "BACKUP_MIN_SIZE_MB", "DATABASE_URL",    "KEDGE_PORT",
                                        "SLACK_WEBHOOK_URL",  "KEDGE_JOBS"};
    scratch_folder(folder);
    if (chdir(folder) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        unsetenv(names[i]);
    setenv("KEDGE_HOME", "home", true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {".env", "kedge.yaml", "config.yaml", "other.yaml",
                                        "secret"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        unlink(names[i]);
    return chdir("/") < 0 || rmdir(folder) < 0 ? -1 : 0;
}

static void write_file(const char *name, const char *text)
{
    struct error err = ERROR_INIT;
    assert_ok(file_write_atomic(os_real(), name, text, strlen(text), 0600, &err), err);
}

static void assert_origin(const struct settings *settings, enum setting setting,
                          enum setting_origin origin, const char *detail)
{
    SCOPED(string) char *found = NULL;
    assert_int_equal(settings_origin(settings, setting, &found), origin);
    assert_string_equal(found, detail);
}

TEST(options_win_over_environment_file_and_default)
{
    struct error err = ERROR_INIT;
    write_file("kedge.yaml", "backup: { retention: 1, tags: [file] }\nkedge: { jobs: 4 }\n");
    {
        SCOPED(settings) struct settings *settings = settings_new(os_real());
        assert_ok(settings_load(settings, &err), err);
        assert_int_equal(settings_integer(settings, SETTING_RETENTION), 1);
        assert_origin(settings, SETTING_RETENTION, SETTING_FILE, "kedge.yaml:1");
        assert_int_equal(settings_integer(settings, SETTING_UNDO_DAYS), 7);
        assert_origin(settings, SETTING_UNDO_DAYS, SETTING_DEFAULT, "default");
    }
    setenv("KEDGE_RETENTION", "2", true);
    setenv("KEDGE_TAG", "a, b", true);
    {
        SCOPED(settings) struct settings *settings = settings_new(os_real());
        assert_ok(settings_load(settings, &err), err);
        assert_int_equal(settings_integer(settings, SETTING_RETENTION), 2);
        assert_origin(settings, SETTING_RETENTION, SETTING_FROM_ENVIRONMENT, "KEDGE_RETENTION");
        assert_int_equal(settings_list(settings, SETTING_TAG)->count, 2);
    }
    SCOPED(settings) struct settings *settings = settings_new(os_real());
    assert_ok(settings_set(settings, SETTING_RETENTION, "3", &err), err);
    assert_ok(settings_set(settings, SETTING_TAG, "x", &err), err);
    assert_ok(settings_set(settings, SETTING_TAG, "y,z", &err), err);
    assert_ok(settings_load(settings, &err), err);
    assert_int_equal(settings_integer(settings, SETTING_RETENTION), 3);
    assert_origin(settings, SETTING_RETENTION, SETTING_OPTION, "--retention");
    assert_int_equal(settings_list(settings, SETTING_TAG)->count, 2);
    assert_string_equal(settings_list(settings, SETTING_TAG)->items[1], "y,z");
    assert_int_equal(settings_integer(settings, SETTING_JOBS), 4);
}

TEST(a_list_given_by_option_replaces_the_default)
{
    struct error err = ERROR_INIT;
    SCOPED(settings) struct settings *settings = settings_new(os_real());
    assert_int_equal(settings_list(settings, SETTING_NOTIFICATIONS_CHANNELS)->count, 2);
    assert_ok(settings_set(settings, SETTING_NOTIFICATIONS_CHANNELS, "mail", &err), err);
    assert_int_equal(settings_list(settings, SETTING_NOTIFICATIONS_CHANNELS)->count, 1);
}

TEST(a_dotenv_is_read_and_real_variables_win)
{
    struct error err = ERROR_INIT;
    write_file(".env", "BACKUP_MIN_SIZE_MB=3\nKEDGE_RETENTION=8\n"
                       "SLACK_WEBHOOK_URL=https://x\nBACKUP_SLACK_WEBHOOK=${SLACK_WEBHOOK_URL}\n");
    setenv("KEDGE_RETENTION", "9", true);
    SCOPED(settings) struct settings *settings = settings_new(os_real());
    assert_ok(settings_load(settings, &err), err);
    assert_int_equal(settings_integer(settings, SETTING_MIN_SIZE_MB), 3);
    assert_origin(settings, SETTING_MIN_SIZE_MB, SETTING_FROM_ENVIRONMENT,
                  "BACKUP_MIN_SIZE_MB in .env");
    assert_int_equal(settings_integer(settings, SETTING_RETENTION), 9);
    SCOPED(string) char *webhook = NULL;
    assert_int_equal(settings_secret(settings, SETTING_NOTIFICATIONS_SLACK_WEBHOOK, &webhook, &err),
                     1);
    assert_string_equal(webhook, "https://x");
}

TEST(a_value_that_does_not_parse_names_where_it_stands)
{
    struct error err = ERROR_INIT;
    SCOPED(settings) struct settings *first = settings_new(os_real());
    assert_fails(settings_set(first, SETTING_RETENTION, "soon", &err), err, ERROR_USAGE);
    assert_string_equal(err.message, "--retention: \"soon\" is not a whole number");

    setenv("KEDGE_PORT", "http", true);
    SCOPED(settings) struct settings *second = settings_new(os_real());
    assert_fails(settings_load(second, &err), err, ERROR_USAGE);
    assert_string_equal(err.message, "KEDGE_PORT: \"http\" is not a whole number");
    unsetenv("KEDGE_PORT");

    write_file(".env", "BACKUP_MIN_SIZE_MB=small\n");
    SCOPED(settings) struct settings *third = settings_new(os_real());
    assert_fails(settings_load(third, &err), err, ERROR_USAGE);
    assert_string_equal(err.message, "BACKUP_MIN_SIZE_MB in .env: \"small\" is not a whole number");
}

TEST(files_of_the_working_folder_that_others_may_write_are_refused)
{
    static const char *const names[] = {".env", "kedge.yaml", "config.yaml"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct error err = ERROR_INIT;
        write_file(names[i], strcmp(names[i], ".env") == 0 ? "A=1\n" : "kedge: { jobs: 1 }\n");
        assert_int_equal(chmod(names[i], 0664), 0);
        SCOPED(settings) struct settings *settings = settings_new(os_real());
        assert_fails(settings_load(settings, &err), err, ERROR_USAGE);
        assert_non_null(strstr(err.message, names[i]));
        assert_non_null(strstr(err.message, "may be written by others"));
        assert_int_equal(unlink(names[i]), 0);
    }
}

TEST(a_foreign_config_yaml_is_not_ours)
{
    struct error err = ERROR_INIT;
    write_file("config.yaml", "server: &x 1\nother: *x\n");
    assert_int_equal(chmod("config.yaml", 0666), 0);
    SCOPED(settings) struct settings *settings = settings_new(os_real());
    assert_ok(settings_load(settings, &err), err);
    assert_null(settings_file(settings));
}

TEST(a_named_file_must_be_there_and_is_the_only_one)
{
    struct error err = ERROR_INIT;
    write_file("kedge.yaml", "kedge: { jobs: 1 }\n");
    write_file("other.yaml", "kedge: { environment: test }\n");
    SCOPED(settings) struct settings *settings = settings_new(os_real());
    assert_ok(settings_set(settings, SETTING_CONFIG, "other.yaml", &err), err);
    assert_ok(settings_load(settings, &err), err);
    assert_int_equal(settings_integer(settings, SETTING_JOBS), 0);
    assert_string_equal(settings_text(settings, SETTING_ENVIRONMENT), "test");

    SCOPED(settings) struct settings *missing = settings_new(os_real());
    assert_ok(settings_set(missing, SETTING_CONFIG, "none.yaml", &err), err);
    assert_fails(settings_load(missing, &err), err, ERROR_USAGE);
    assert_string_equal(err.message, "configuration file not found: none.yaml");
}

TEST(secrets_are_fetched_from_where_the_file_says)
{
    static const struct {
        int line;
        const char *text;
        const char *secret; /* NULL: an error */
    } cases[] = {
        {__LINE__, "plain", "plain"},
        {__LINE__, "env:KEDGE_TEST_SECRET", "from outside"},
        {__LINE__, "env:NOT_THERE_AT_ALL", NULL},
        {__LINE__, "file:secret", "first line"},
        {__LINE__, "file:none", NULL},
        {__LINE__, "command:printf %s\\n two", "two"},
        {__LINE__, "command:/bin/echo a  b", "a b"},
        {__LINE__, "command:false", NULL},
        {__LINE__, "command:true", NULL},
        {__LINE__, "command:no-such-program-here", NULL},
        {__LINE__, "command:", NULL},
    };
    setenv("KEDGE_TEST_SECRET", "from outside", true);
    write_file("secret", "first line\nsecond\n");
    SCOPED(settings) struct settings *settings = settings_new(os_real());
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        SCOPED(string) char *secret = NULL;
        int result = settings_resolve(settings, "x", cases[i].text, &secret, &err);
        assert_case(cases[i].line, (result == 0) == (cases[i].secret != NULL));
        if (result == 0)
            assert_case(cases[i].line, strcmp(secret, cases[i].secret) == 0);
    }
}

TEST(every_row_is_complete)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct option_row *row = &settings_rows[i];
        assert_non_null(row->name);
        assert_non_null(row->help);
        assert_true(row->type != OPTION_CHOICE || row->choices);
        if (row->commands && !option_is_switch(row))
            assert_non_null(row->metavar);
        for (size_t j = 0; j < i; j++) {
            const struct option_row *other = &settings_rows[j];
            if (row->path && other->path)
                assert_string_not_equal(row->path, other->path);
            if (row->environment && other->environment)
                assert_string_not_equal(row->environment, other->environment);
        }
    }
}

TEST(kedge_home_holds_everything)
{
    struct error err = ERROR_INIT;
    SCOPED(settings) struct settings *settings = settings_new(os_real());
    SCOPED(string) char *data = NULL;
    assert_ok(settings_data_folder(settings, &data, &err), err);
    SCOPED(string) char *home = path_join(folder, "home");
    assert_string_equal(data, home);
    unsetenv("KEDGE_HOME");
    setenv("XDG_DATA_HOME", "/x/data", true);
    setenv("XDG_CONFIG_HOME", "relative", true);
    setenv("HOME", "/x/home", true);
    SCOPED(string) char *again = NULL;
    SCOPED(string) char *config = NULL;
    assert_ok(settings_data_folder(settings, &again, &err), err);
    assert_ok(settings_config_folder(settings, &config, &err), err);
    assert_string_equal(again, "/x/data/kedge");
    assert_string_equal(config, "/x/home/.config/kedge");
}

#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

TEST_MAIN(IN_FOLDER(options_win_over_environment_file_and_default),
          IN_FOLDER(a_list_given_by_option_replaces_the_default),
          IN_FOLDER(a_dotenv_is_read_and_real_variables_win),
          IN_FOLDER(a_value_that_does_not_parse_names_where_it_stands),
          IN_FOLDER(files_of_the_working_folder_that_others_may_write_are_refused),
          IN_FOLDER(a_foreign_config_yaml_is_not_ours),
          IN_FOLDER(a_named_file_must_be_there_and_is_the_only_one),
          IN_FOLDER(secrets_are_fetched_from_where_the_file_says), UNIT(every_row_is_complete),
          IN_FOLDER(kedge_home_holds_everything))
