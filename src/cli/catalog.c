/*
 * kedge catalog …: the catalogue itself.
 */
#include "base/error.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/os.h"
#include "catalog/catalog.h"
#include "catalog/check.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/session.h"
#include "db/db.h"
#include "service/rebuild.h"
#include "service/service.h"
#include "service/settings.h"
#include "service/setup.h"

#include <inttypes.h>

static void note(void *context, const char *text)
{
    (void)context;
    console_warning("%s", text);
}

int command_catalog_rebuild(struct cli *cli, struct error *err)
{
    struct session session __attribute__((cleanup(scoped_session_cleanup))) = SESSION_INIT;
    if (session_open(cli, true, &session, err) < 0)
        return -1;
    struct rebuild_report report = {0};
    const char *from =
        cli->arguments.count ? cli->arguments.items[0] : settings_text(cli->settings, SETTING_FROM);
    if (rebuild_run(session.service, from, note, NULL, &report, err) < 0)
        return -1;
    if (!console_wants_json(cli)) {
        console_result("Added %" PRIu64 " backups; %" PRIu64 " were known, %" PRIu64
                       " could not be used",
                       report.added, report.known, report.damaged);
        return 0;
    }
    json_t *object = json_object();
    json_object_set_new(object, "added", json_integer((json_int_t)report.added));
    json_object_set_new(object, "known", json_integer((json_int_t)report.known));
    json_object_set_new(object, "damaged", json_integer((json_int_t)report.damaged));
    console_json(object);
    return 0;
}

/* ---- check ---- */

static void print_problems(const struct cli *cli, const struct catalog *catalog,
                           const struct text_list *problems, size_t tables)
{
    if (!console_wants_json(cli)) {
        for (size_t i = 0; i < problems->count; i++)
            console_result("✗ %s", problems->items[i]);
        if (!problems->count)
            console_result("✓ %s: %zu tables and views as they should be", catalog_name(catalog),
                           tables);
        return;
    }
    json_t *object = json_object();
    json_t *list = json_array();
    for (size_t i = 0; i < problems->count; i++)
        json_array_append_new(list, console_json_text(problems->items[i]));
    json_object_set_new(object, "catalog", console_json_text(catalog_name(catalog)));
    json_object_set_new(object, "tables", json_integer((json_int_t)tables));
    json_object_set_new(object, "good", json_boolean(!problems->count));
    json_object_set_new(object, "problems", list);
    console_json(object);
}

static int check(const struct cli *cli, struct catalog *catalog, struct error *err)
{
    SCOPED(text_list) struct text_list problems = TEXT_LIST_INIT;
    size_t tables = 0;
    if (catalog_check(catalog, &problems, &tables, err) < 0)
        return -1;
    print_problems(cli, catalog, &problems, tables);
    if (!problems.count)
        return 0;
    error_set(err, ERROR_CORRUPT, "%s", problems.items[0]);
    return error_hint(err, "move the file away; kedge catalog rebuild makes it anew");
}

int command_catalog_check(struct cli *cli, struct error *err)
{
    struct session session __attribute__((cleanup(scoped_session_cleanup))) = SESSION_INIT;
    if (session_open(cli, false, &session, err) < 0)
        return -1;
    return check(cli, session.service->catalog, err);
}

/* ---- install ---- */

struct before {
    char *version;
    bool installed;
};

/* The connection, and whether it is there already; nothing is changed. */
static int look_before(struct cli *cli, const struct db_url *url, struct before *ret_before,
                       struct error *err)
{
    const struct db_options options = {.os = cli->os, .create = true};
    SCOPED(db) struct db *db = NULL;
    if (db_open(url, &options, &db, err) < 0) {
        error_prefix(err, "connection to server failed");
        return -1;
    }
    int64_t count = 0;
    if (db->ops->version(db, &ret_before->version, err) < 0 ||
        db_query_integer(db, "SELECT count(*) FROM sqlite_master WHERE name = 'backups'", NULL, 0,
                         &count, err) < 0)
        return -1;
    ret_before->installed = count > 0;
    return 0;
}

static void say_connected(const struct cli *cli, const struct before *before)
{
    char now[32];
    moment_format_local(cli->os->clock_wall_ns(cli->os), now);
    console_result("✓ Database connection successful");
    console_result("  Server time: %s", now);
    console_result("  SQLite version: %s", before->version);
}

static int install(struct cli *cli, const char *text, const struct db_url *url, struct error *err)
{
    SCOPED(string) char *masked = db_url_masked(url);
    console_result("🚀 Starting safe migration: kedge's catalogue");
    console_result("Database: %s", masked);
    struct before before = {0};
    int result = look_before(cli, url, &before, err);
    SCOPED(string) char *version = before.version;
    if (result < 0)
        return -1;
    say_connected(cli, &before);

    const struct catalog_options options = {.url = text};
    SCOPED(catalog) struct catalog *catalog = NULL;
    if (catalog_open(cli->os, &options, &catalog, err) < 0)
        return -1;
    console_result(before.installed ? "⚠️  The catalogue already exists"
                                    : "✓ Tables and indexes created successfully");
    if (check(cli, catalog, err) < 0)
        return -1;
    console_result("✓ Migration verification successful");
    if (before.installed)
        console_result("✅ Migration not needed - table already exists and is valid");
    else
        console_result("🎉 Migration completed successfully!");
    return 0;
}

int command_catalog_install(struct cli *cli, struct error *err)
{
    SCOPED(setup) struct setup *setup = NULL;
    if (setup_make(cli->os, cli->settings, true, &setup, err) < 0)
        return -1;
    const struct service_options *options = setup_options(setup);
    const char *text = options->default_target ? options->default_target : options->catalog_url;
    struct db_url url __attribute__((cleanup(scoped_db_url_cleanup))) = DB_URL_INIT;
    if (db_url_parse(text, &url, err) < 0)
        return -1;
    if (url.engine != DB_SQLITE)
        return error_set(err, ERROR_USAGE, "this kedge cannot install its catalogue into %s",
                         db_engine_name(url.engine));
    return install(cli, text, &url, err);
}
