#include "harness/test.h"

#include "base/mem.h"
#include "service/config_file.h"
#include "service/settings.h"

#include <string.h>

static int parse(const char *path, const char *text, bool shared, struct config_file *ret_file,
                 struct error *err)
{
    return config_file_parse(path, text, strlen(text), settings_rows, SETTING_COUNT, shared,
                             ret_file, err);
}

static const struct config_value *find(const struct config_file *file, enum setting setting)
{
    for (size_t i = 0; i < file->value_count; i++)
        if (file->values[i].row == (size_t)setting)
            return &file->values[i];
    return NULL;
}

static const char example[] =
    "kedge:\n"
    "  environment: production            # asks twice before a restore\n"
    "  catalog: sqlite\n"
    "targets:\n"
    "  shop:\n"
    "    app: shop\n"
    "    url: env:DATABASE_URL\n"
    "    paths: [/srv/shop/uploads, more]\n"
    "    configuration: [/etc/shop]\n"
    "    exclude: [\"*.tmp\", \"cache/**\"]\n"
    "    exclude_tables: [sessions]\n"
    "    destination: [local, offsite]\n"
    "    compress: zstd:3\n"
    "    encrypt: [age1x]\n"
    "    retention: 30                    # days\n"
    "  small:\n"
    "    url: sqlite:small.db\n"
    "    destination: local\n"
    "destinations:\n"
    "  local: { url: backups, default: true }\n"
    "  plain: /srv/plain\n"
    "  offsite: { url: s3://bucket/backups, access_key: env:AWS_ACCESS_KEY_ID, secret_key: "
    "file:/run/secrets/aws }\n"
    "verification: { enabled: true, min_size_mb: 2, max_size_mb: 5000 }\n"
    "migrations: { path: db, table: schema_migrations, lock_timeout: 5s }\n"
    "database: { url: env:DATABASE_URL }\n"
    "log: { file: /var/log/kedge.log, level: info }\n"
    "restore: { undo_days: 9 }\n"
    "offsite: { retention: { daily_days: 31 } }\n";

TEST(the_documented_example_is_read)
{
    struct error err = ERROR_INIT;
    struct config_file file __attribute__((cleanup(scoped_config_file_cleanup))) = CONFIG_FILE_INIT;
    assert_ok(parse("/etc/kedge/config.yaml", example, false, &file, &err), err);

    assert_int_equal(file.target_count, 2);
    const struct config_target *shop = &file.targets[0];
    assert_string_equal(shop->name, "shop");
    assert_int_equal(shop->line, 5);
    assert_string_equal(shop->url, "env:DATABASE_URL");
    assert_string_equal(shop->paths.items[1], "/etc/kedge/more");
    assert_string_equal(shop->exclude.items[1], "cache/**");
    assert_int_equal(shop->destinations.count, 2);
    assert_int_equal(shop->retention_days, 30);
    assert_string_equal(file.targets[1].url, "sqlite:/etc/kedge/small.db");
    assert_int_equal(file.targets[1].retention_days, -1);
    assert_string_equal(file.targets[1].destinations.items[0], "local");

    assert_int_equal(file.destination_count, 3);
    assert_string_equal(file.destinations[0].url, "/etc/kedge/backups");
    assert_true(file.destinations[0].is_default);
    assert_string_equal(file.destinations[1].url, "/srv/plain");
    assert_string_equal(file.destinations[2].url, "s3://bucket/backups");
    assert_string_equal(file.destinations[2].secret_key, "file:/run/secrets/aws");

    assert_int_equal(find(&file, SETTING_MIN_SIZE_MB)->value.integer, 2);
    assert_string_equal(find(&file, SETTING_MIGRATIONS_PATH)->value.text, "/etc/kedge/db");
    assert_int_equal(find(&file, SETTING_MIGRATIONS_LOCK_TIMEOUT)->value.integer, 5000);
    assert_int_equal(find(&file, SETTING_UNDO_DAYS)->value.integer, 9);
    assert_int_equal(find(&file, SETTING_OFFSITE_DAILY_DAYS)->value.integer, 31);
    assert_null(find(&file, SETTING_JOBS));
}

TEST(mistakes_are_named_with_their_place)
{
    static const struct {
        int line;
        const char *text;
        const char *message;
        const char *hint;
    } cases[] = {
        {__LINE__, "targts: {}\n", "f:1:1: unknown key \"targts\"", "did you mean \"targets\"?"},
        {__LINE__, "targets:\n  a:\n    ulr: x\n", "f:3:5: unknown key \"ulr\" in \"targets.a\"",
         "did you mean \"url\"?"},
        {__LINE__, "log:\n  levle: info\n", "f:2:3: unknown key \"levle\" in \"log\"",
         "did you mean \"level\"?"},
        {__LINE__, "log: { level: loud }\n",
         "f:1:15: log.level: \"loud\" is none of error, warning, info, debug", ""},
        {__LINE__, "log: yes\n", "f:1:6: a map of keys was expected here", ""},
        {__LINE__, "kedge: { jobs: [1] }\n", "f:1:16: a single value was expected here", ""},
        {__LINE__, "targets: { a: { app: x } }\n",
         "f:1:12: target a has neither url, paths nor configuration", ""},
        {__LINE__, "targets: { a: { url: x, retention: soon } }\n",
         "f:1:36: retention: \"soon\" is not a whole number", ""},
        {__LINE__, "targets: { a/b: { url: x } }\n", "f:1:12: \"a/b\" cannot be a name", NULL},
        {__LINE__, "destinations: { a: {} }\n", "f:1:17: destination a has no url", ""},
        {__LINE__, "destinations: { a: { url: x, default: yes }, b: { url: y, default: yes } }\n",
         "f:1:46: a and b are both the default destination", ""},
        {__LINE__, "targets: [a]\n", "f:1:10: a map of names was expected here", ""},
        {__LINE__, "restore: { undo_days: -1 }\n", NULL, ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        struct config_file file = CONFIG_FILE_INIT;
        assert_case(cases[i].line, parse("f", cases[i].text, false, &file, &err) < 0);
        if (cases[i].message && strcmp(err.message, cases[i].message) != 0)
            fail_msg("case at line %d: %s", cases[i].line, err.message);
        if (cases[i].hint)
            assert_case(cases[i].line, strcmp(err.hint, cases[i].hint) == 0);
    }
}

TEST(empty_sections_say_nothing)
{
    struct error err = ERROR_INIT;
    struct config_file file __attribute__((cleanup(scoped_config_file_cleanup))) = CONFIG_FILE_INIT;
    assert_ok(parse("f", "kedge:\ntargets:\ndestinations:\nlog:\n  file:\n", false, &file, &err),
              err);
    assert_int_equal(file.value_count + file.target_count + file.destination_count, 0);
}

TEST(a_shared_file_may_hold_other_programs_keys)
{
    struct error err = ERROR_INIT;
    struct config_file file __attribute__((cleanup(scoped_config_file_cleanup))) = CONFIG_FILE_INIT;
    static const char text[] = "server: { port: 80 }\nmigrations: { path: m }\n";
    assert_ok(parse("config.yaml", text, true, &file, &err), err);
    assert_string_equal(find(&file, SETTING_MIGRATIONS_PATH)->value.text, "m");

    struct config_file other = CONFIG_FILE_INIT;
    assert_fails(parse("f", "server: 1\nmigrations: { pth: m }\n", true, &other, &err), err,
                 ERROR_USAGE);
}

TEST(a_file_is_ours_by_its_first_column)
{
    assert_true(config_file_is_ours("a: 1\nkedge:\n  x: 1\n"));
    assert_true(config_file_is_ours("migrations: {}\n"));
    assert_true(config_file_is_ours("kedge:"));
    assert_false(config_file_is_ours("a:\n  kedge: 1\n"));
    assert_false(config_file_is_ours("# kedge:\nkedge:x\n"));
    assert_false(config_file_is_ours(""));
}

TEST_MAIN(UNIT(the_documented_example_is_read), UNIT(mistakes_are_named_with_their_place),
          UNIT(empty_sections_say_nothing), UNIT(a_shared_file_may_hold_other_programs_keys),
          UNIT(a_file_is_ours_by_its_first_column))
