#include "harness/scratch.h"
#include "harness/test.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/os.h"
#include "service/settings.h"
#include "service/setup.h"
#include "service/target.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

static int set_up(void **state)
{
    (void)state;
    scratch_folder(folder);
    if (chdir(folder) < 0)
        return -1;
    unsetenv("DATABASE_URL");
    unsetenv("AWS_ACCESS_KEY_ID");
    setenv("KEDGE_HOME", "/x/home", true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink("kedge.yaml");
    unlink("words");
    return chdir("/") < 0 || rmdir(folder) < 0 ? -1 : 0;
}

static void write_file(const char *name, const char *text)
{
    struct error err = ERROR_INIT;
    assert_ok(file_write_atomic(os_real(), name, text, strlen(text), 0600, &err), err);
}

static struct settings *load(const char *yaml)
{
    struct error err = ERROR_INIT;
    if (yaml)
        write_file("kedge.yaml", yaml);
    struct settings *settings = settings_new(os_real());
    assert_ok(settings_load(settings, &err), err);
    return settings;
}

TEST(with_no_configuration_everything_is_in_the_home_folder)
{
    struct error err = ERROR_INIT;
    SCOPED(settings) struct settings *settings = load(NULL);
    SCOPED(setup) struct setup *setup = NULL;
    assert_ok(setup_make(os_real(), settings, true, &setup, &err), err);
    const struct service_options *options = setup_options(setup);
    assert_string_equal(options->catalog_url, "sqlite:/x/home/catalog.db");
    assert_string_equal(options->local_folder, "/x/home/backups");
    assert_null(options->default_target);
    assert_int_equal(options->undo_days, 7);
    assert_int_equal(options->verification_min_bytes, 1000000);
    assert_int_equal(options->target_count + options->destination_count, 0);
}

TEST(a_target_without_its_secret_is_left_out_and_says_why)
{
    struct error err = ERROR_INIT;
    SCOPED(settings)
    struct settings *settings =
        load("targets:\n  good: { url: sqlite:/x/a.db, encrypt: [passphrase] }\n"
             "  bad: { url: env:NOT_SET_ANYWHERE }\n");
    SCOPED(setup) struct setup *setup = NULL;
    assert_ok(setup_make(os_real(), settings, true, &setup, &err), err);
    assert_int_equal(setup_target_names(setup)->count, 2);
    assert_int_equal(setup_options(setup)->target_count, 1);
    assert_non_null(setup_target(setup, "good"));
    assert_true(setup_wants_passphrase(setup, "good"));
    assert_int_equal(setup_target(setup, "good")->encrypt.count, 0);
    assert_null(setup_target(setup, "bad"));
    assert_ok(setup_check_target(setup, "good", &err), err);
    assert_fails(setup_check_target(setup, "bad", &err), err, ERROR_USAGE);
    assert_string_equal(err.message,
                        "targets.bad.url: environment variable NOT_SET_ANYWHERE is not set");
}

TEST(programs_run_only_for_commands_that_need_secrets)
{
    struct error err = ERROR_INIT;
    SCOPED(settings)
    struct settings *settings = load("targets:\n  shop: { url: command:touch ran }\n");
    SCOPED(setup) struct setup *setup = NULL;
    assert_ok(setup_make(os_real(), settings, false, &setup, &err), err);
    assert_int_equal(access("ran", F_OK), -1);
    assert_null(setup_target(setup, "shop"));
}

TEST(parts_make_a_url)
{
    static const struct {
        int line;
        const char *engine, *host, *port, *user, *name;
        const char *url;
    } cases[] = {
        {__LINE__, "postgres", "db1", "5433", "me", "shop", "postgres://me:p%40%2F@db1:5433/shop"},
        {__LINE__, "mysql", "::1", NULL, "me", "sh/op", "mysql://me:p%40%2F@[::1]/sh%2Fop"},
        {__LINE__, "postgres", "/run/pg", NULL, "me", "shop",
         "postgres://me:p%40%2F@/shop?host=%2Frun%2Fpg"},
        {__LINE__, "mysql", "/run/m.sock", NULL, "me", "shop",
         "mysql://me:p%40%2F@/shop?socket=%2Frun%2Fm.sock"},
    };
    write_file("words", "p@/\nrest\n");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        SCOPED(settings) struct settings *settings = settings_new(os_real());
        SCOPED(setup) struct setup *setup = NULL;
        assert_ok(settings_set(settings, SETTING_ENGINE, cases[i].engine, &err), err);
        assert_ok(settings_set(settings, SETTING_HOST, cases[i].host, &err), err);
        assert_ok(settings_set(settings, SETTING_USER, cases[i].user, &err), err);
        assert_ok(settings_set(settings, SETTING_DATABASE, cases[i].name, &err), err);
        assert_ok(settings_set(settings, SETTING_PASSWORD_FILE, "words", &err), err);
        if (cases[i].port)
            assert_ok(settings_set(settings, SETTING_PORT, cases[i].port, &err), err);
        assert_ok(settings_load(settings, &err), err);
        assert_ok(setup_make(os_real(), settings, true, &setup, &err), err);
        assert_string_equal(setup_options(setup)->default_target, cases[i].url);
        struct db_url parsed = DB_URL_INIT;
        assert_ok(db_url_parse(setup_options(setup)->default_target, &parsed, &err), err);
        assert_string_equal(parsed.database, cases[i].name);
        assert_string_equal(parsed.password, "p@/");
        db_url_clear(&parsed);
    }
}

TEST(buckets_without_keys_take_those_of_the_environment)
{
    struct error err = ERROR_INIT;
    setenv("AWS_ACCESS_KEY_ID", "from outside", true);
    SCOPED(settings)
    struct settings *settings =
        load("destinations:\n  far: { url: s3://bucket/x, default: true }\n"
             "  own: { url: s3://bucket/y, access_key: mine, region: eu }\n  near: /backups\n");
    SCOPED(setup) struct setup *setup = NULL;
    assert_ok(setup_make(os_real(), settings, true, &setup, &err), err);
    const struct destination *destinations = setup_options(setup)->destinations;
    assert_string_equal(destinations[0].access_key, "from outside");
    assert_string_equal(destinations[1].access_key, "mine");
    assert_string_equal(destinations[1].region, "eu");
    assert_null(destinations[2].access_key);
    assert_true(destinations[0].is_default);
}

#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

TEST_MAIN(IN_FOLDER(with_no_configuration_everything_is_in_the_home_folder),
          IN_FOLDER(a_target_without_its_secret_is_left_out_and_says_why),
          IN_FOLDER(programs_run_only_for_commands_that_need_secrets), IN_FOLDER(parts_make_a_url),
          IN_FOLDER(buckets_without_keys_take_those_of_the_environment))
