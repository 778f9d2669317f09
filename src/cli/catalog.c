/*
 * kedge catalog …: the catalogue itself.
 */
#include "base/error.h"
#include "base/mem.h"
#include "base/os.h"
#include "catalog/catalog.h"
#include "catalog/check.h"
#include "catalog/install.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/session.h"
#include "service/catalog_place.h"
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
    SCOPED(session) struct session session = SESSION_INIT;
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
                           const struct text_list *problems, const struct text_list *remarks,
                           size_t tables)
{
    if (!console_wants_json(cli)) {
        for (size_t i = 0; i < problems->count; i++)
            console_result("✗ %s", problems->items[i]);
        if (!problems->count)
            console_result("✓ %s: %zu tables and views as they should be", catalog_name(catalog),
                           tables);
        for (size_t i = 0; i < remarks->count; i++)
            console_result("  %s", remarks->items[i]);
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
    SCOPED(text_list) struct text_list remarks = TEXT_LIST_INIT;
    if (catalog_check(catalog, &problems, &tables, err) < 0 ||
        catalog_describe(catalog, &remarks, err) < 0)
        return -1;
    print_problems(cli, catalog, &problems, &remarks, tables);
    if (!problems.count)
        return 0;
    error_set(err, ERROR_CORRUPT, "%s", problems.items[0]);
    return error_hint(err, "move the file away; kedge catalog rebuild makes it anew");
}

int command_catalog_check(struct cli *cli, struct error *err)
{
    SCOPED(session) struct session session = SESSION_INIT;
    if (session_open(cli, false, &session, err) < 0)
        return -1;
    return check(cli, session.service->catalog, err);
}

/* ---- install ---- */

static void print_line_json(enum install_mark mark, const char *text)
{
    static const char *const names[] = {
        [INSTALL_START] = "start",       [INSTALL_PLAIN] = "detail",
        [INSTALL_DONE] = "done",         [INSTALL_WARNING] = "warning",
        [INSTALL_NEEDLESS] = "needless", [INSTALL_FINISHED] = "finished",
    };
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string(names[mark]));
    json_object_set_new(object, "text", console_json_text(text));
    console_json(object);
}

static void print_line(void *context, enum install_mark mark, const char *text)
{
    const struct cli *cli = context;
    if (console_wants_json(cli)) {
        print_line_json(mark, text);
        return;
    }
    static const char *const signs[] = {
        [INSTALL_START] = "🚀 ",         [INSTALL_PLAIN] = "",      [INSTALL_DONE] = "✓ ",
        [INSTALL_WARNING] = "⚠️  ", [INSTALL_NEEDLESS] = "✅ ", [INSTALL_FINISHED] = "🎉 ",
    };
    if (mark == INSTALL_FINISHED)
        console_result("%s", "");
    console_result("%s%s", signs[mark], text);
}

/* A database of the command line is where to install; one of the environment or the configuration
 * is also what `kedge backup` takes. */
static bool named_for_this(const struct settings *settings)
{
    return settings_origin(settings, SETTING_DATABASE, NULL) == SETTING_OPTION ||
           settings_origin(settings, SETTING_DATABASE_URL, NULL) == SETTING_OPTION;
}

int command_catalog_install(struct cli *cli, struct error *err)
{
    SCOPED(setup) struct setup *setup = NULL;
    if (setup_make(cli->os, cli->settings, true, &setup, err) < 0)
        return -1;
    struct service_options options = *setup_options(setup);
    const char *url = options.default_target ? options.default_target : options.catalog_url;
    if (named_for_this(cli->settings))
        options.default_target = NULL;
    SCOPED(string) char *warning = catalog_place_warning(&options, url);
    const struct install_options install = {
        .url = url,
        .warning = warning,
        .line = print_line,
        .context = cli,
    };
    return catalog_install(cli->os, &install, err);
}
